import numpy as np

from lggshape.figures.paired import PairedRow, paired_differences


def test_every_pair_and_the_mean_are_drawn_where_they_lie_analytic() -> None:
    rows = [
        PairedRow("one", [0.1, -0.2, np.nan], (-0.05, -0.2, 0.1), ["#a", "#b", None]),
        PairedRow("two", [0.3], (0.3, np.nan, np.nan)),
    ]
    axes = paired_differences(rows, value_name="Dice").axes[0]
    points, _, mean, other, *_ = axes.collections
    np.testing.assert_allclose(points.get_offsets()[:2, 0], [0.1, -0.2])
    assert points.get_urls() == ["#a", "#b", None]
    np.testing.assert_allclose(mean.get_offsets()[0, 0], -0.05)
    assert other.get_urls() == [None]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two"]
