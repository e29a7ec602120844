import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.figures import render, strip_plot

SERIES = {
    "automatic": [[1e-2, np.nan, 1e-9, 0.0], [0.5, 0.5, 0.5]],
    "manual": [[1e-3], []],
}
MARKED = {"automatic": [1e-2, np.nan], "manual": [1e-8, 0.7]}


def drawn(series=SERIES, marked=MARKED, bounds=(2e-4, None), **options):
    names = [f"test {i}" for i in range(len(bounds))]
    return strip_plot(
        names, series, marked=marked, bounds=bounds, level=0.005, value_name="p", **options
    )


def points(figure):
    """Return discs and triangles: of the first series, those marked; then of the second."""
    return [dots.get_offsets().data for dots in figure.axes[0].collections[1:]]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_values_lie_in_their_rows_and_missing_ones_are_left_out_analytic() -> None:
    discs, triangles, main, _, manual, _, manual_main, small = points(drawn())
    np.testing.assert_allclose(discs[:, 0], [1e-2, 0.5, 0.5, 0.5])
    np.testing.assert_array_equal(np.round(discs[:, 1] + 0.21), [0, 1, 1, 1])
    np.testing.assert_allclose(triangles[:, 0], [1e-7, 1e-7])
    np.testing.assert_allclose(main, [[1e-2, -0.21]])
    np.testing.assert_allclose(manual, [[1e-3, 0.21]])
    np.testing.assert_allclose(manual_main, [[0.7, 1.21]])
    np.testing.assert_allclose(small, [[1e-7, 0.21]])


def test_bounds_and_level_are_lines_analytic() -> None:
    axes = drawn().axes[0]
    ticks = axes.collections[0].get_segments()
    np.testing.assert_allclose(ticks[0], [[2e-4, -0.4], [2e-4, 0.4]])
    assert not np.isfinite(ticks[1]).any()
    assert [0.005, 0.005] in [list(line.get_xdata()) for line in axes.lines]


def test_equal_values_are_spread_and_series_stay_apart_invariant() -> None:
    equal = [[0.1] * 60, [0.2] * 3]
    above, below = points(drawn({"a": equal, "b": equal}, {"a": [0.1] * 2, "b": [0.1] * 2}))[::4]
    heights = above[:60, 1]
    assert len(np.unique(heights)) == 60
    assert heights.mean() == pytest.approx(-0.21)
    # Few values need less room than the widest spread.
    assert np.ptp(above[60:, 1]) < np.ptp(heights)
    assert -0.5 < heights.min() < heights.max() < below[:60, 1].min() < below[:60, 1].max() < 0.5


def test_the_legend_names_what_is_there() -> None:
    entries = ["automatic", "manual", "primary", "level 0.005", "reported bound"]
    assert legend(drawn()) == [*entries, "below 10⁻⁷"]
    assert legend(drawn(floor=1e-10))[4:] == ["reported bound", "below 10⁻¹⁰"]
    one = drawn({"a": [[0.1]]}, {"a": [0.1]}, [None], marked_name="main")
    assert legend(one) == ["a", "main", "level 0.005"]
    # A single series lies in the middle of its row.
    np.testing.assert_allclose(points(one)[0], [[0.1, 0]])


def test_files_are_the_same_on_every_run_invariant() -> None:
    assert render(drawn()) == render(drawn())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({}, {}), "one or two, found 0"),
        (({key: [[], []] for key in "abc"}, {}), "one or two, found 3"),
        ((SERIES, {"manual": [1, 1]}), r"of \['automatic', 'manual'\], found \['manual'\]"),
        ((SERIES, MARKED | {"manual": [1]}), r"`marked\['manual'\]` to have 2 rows, .* found 1"),
        (({"a": [[0.1]]}, {"a": [1, 1]}), r"`series\['a'\]` to have 2 rows, .* found 1"),
        (({"a": [[0.1], [0.2, 1.5]]}, {"a": [1, 1]}), "from 0 to 1, found 0.1 to 1.5"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(arguments, message) -> None:
    with pytest.raises(InputError, match=message):
        drawn(*arguments)
