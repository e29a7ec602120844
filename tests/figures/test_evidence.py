import numpy as np

from lggshape.figures.evidence import EvidencePanel, evidence_panels

SQUARE = np.array([[2, 2], [2, 5], [5, 5], [5, 2], [2, 2]])


def test_panels_share_one_scale_that_is_white_at_zero_invariant() -> None:
    rng = np.random.default_rng(0)
    panels = [
        EvidencePanel(f"slice {n}", rng.normal(scale=n, size=(8, 9)), [SQUARE]) for n in range(1, 6)
    ]
    figure = evidence_panels(panels, value_name="evidence")
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == [panel.title for panel in panels]
    reach = max(np.abs(panel.evidence).max() for panel in panels)
    for axes, panel in zip(shown, panels, strict=True):
        (image,) = axes.images
        np.testing.assert_array_equal(image.get_array(), panel.evidence)
        assert image.get_clim() == (-reach, reach)
        (line,) = axes.lines
        np.testing.assert_array_equal(line.get_xydata(), SQUARE[:, ::-1])


def test_no_evidence_at_all_is_drawn() -> None:
    figure = evidence_panels([EvidencePanel("", np.zeros((4, 4)), [])], value_name="evidence")
    assert figure.axes[0].images[0].get_clim() == (-1, 1)
