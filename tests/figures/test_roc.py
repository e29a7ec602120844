import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from lggshape.figures.roc import roc_curve


def curve(scores, positive, **options):
    axes = roc_curve(scores, positive, title="AUC", **options).axes[0]
    return axes.lines[1].get_xydata(), axes


def test_area_below_the_curve_is_the_mann_whitney_statistic_scipy() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(80) < 0.3
    scores = rng.integers(0, 9, 80) + positive  # with ties
    points, _ = curve(scores, positive)
    statistic = mannwhitneyu(scores[positive], scores[~positive]).statistic
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(statistic / (positive.sum() * (~positive).sum()))


def test_ties_are_one_step_analytic() -> None:
    points, _ = curve([3, 2, 2, 1], [True, True, False, False])
    np.testing.assert_allclose(points, [[0, 0], [0, 0.5], [0.5, 1], [1, 1]])


def test_a_decision_is_a_point() -> None:
    _, axes = curve([2, 1], [True, False], decision=(0.9, 0.8), decision_name="mask")
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[0.1, 0.8]])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["mask"]
