"""Results in plain words."""

import math
from typing import Any

from lggshape.association import Family, Hypothesis, Study, feature_symbol
from lggshape.shape import FEATURES

SUGGESTIVE = ("holds", "not after correction")
"""The verdicts that give reason to say where the difference lies."""


def p_text(p: float) -> str:
    """Write a p-value to two significant digits: "0.0020", "< 0.000001", "—" if missing."""
    if math.isnan(p):
        return "—"
    if p < 1e-6:
        return "< 0.000001"
    if p >= 0.1:
        return f"{p:.2f}"
    return f"{p:.{1 - math.floor(math.log10(p))}f}"


def number_text(value: float, digits: int = 2) -> str:
    """Write a number with a fixed number of digits, "—" if missing."""
    return "—" if math.isnan(value) else f"{value:.{digits}f}"


def interval_text(estimate: float, low: float, high: float) -> str:
    """Write an estimate with its 95 % interval."""
    if math.isnan(estimate):
        return "—"
    return f"{estimate:.2f} ({number_text(low)} to {number_text(high)})"


def verdict(row: Any, family: Family) -> tuple[str, str]:
    """Judge a hypothesis by its primary test.

    Parameters
    ----------
    row : named tuple
        A row of `Study.associations`.
    family : Family
        The family that the correction covers.

    Returns
    -------
    short : str
        "holds", "not after correction", "not significant" or "not tested".
    sentence : str
        The same in a sentence.
    """
    feature, label = plain(row.feature), row.label
    if math.isnan(row.p):
        sentence = f"Whether the {feature} is associated with {label} cannot be tested here."
        return "not tested", sentence
    if row.p_bonferroni <= family.alpha:
        return "holds", (
            f"The {feature} is associated with {label}: the association holds after correction for "
            "all hypotheses of the family."
        )
    if row.p <= family.alpha:
        return "not after correction", (
            f"The {feature} may be associated with {label}: p is at most {family.alpha:g} on its "
            "own, but not after correction for all hypotheses of the family."
        )
    return "not significant", (
        f"The {feature} is not significantly associated with {label} by this test. That is not "
        "evidence of no association: see the interval of the effect."
    )


def extremes(study: Study, masks: str, hypothesis: Hypothesis) -> str:
    """Return in which levels the shapes are most and least irregular, in a sentence."""
    areas = _areas(study, masks, hypothesis)
    if areas.empty:
        return ""
    most, least = areas.loc[areas["auc"].idxmax()], areas.loc[areas["auc"].idxmin()]
    shapes = (
        "larger or more irregular shapes" if hypothesis.feature in FEATURES else "higher values"
    )
    sentence = (
        f"The {shapes} are most typical of {most.level} (AUC against the rest "
        f"{interval_text(most.auc, most.auc_low, most.auc_high)}) and least of {least.level} "
        f"({interval_text(least.auc, least.auc_low, least.auc_high)})."
    )
    if hypothesis.higher_in is not None:
        agrees = areas.set_index("level")["auc"].get(hypothesis.higher_in, math.nan) > 0.5
        sentence += (
            f" They were expected in {hypothesis.higher_in}: the direction "
            f"{'is as expected' if agrees else 'is not as expected'}."
        )
    return sentence


def comparable(study: Study) -> bool:
    """Return whether p and the published bounds come from the same test on as many bins."""
    family = study.family
    same_test = {test.name for test in study.tests} == {family.reported_test}
    return same_test and study.bins == family.reported_bins


def beside_the_paper(row: Any, hypothesis: Hypothesis) -> str:
    """Compare p with the bound that was reported for the hypothesis, if there is one."""
    bound = hypothesis.reported_below
    if bound is None or math.isnan(row.p):
        return ""
    met = "lies under it too" if row.p < bound else "does not lie under it"
    return f"The publication reports p < {bound:g}; p {p_equals(row.p)} {met}."


def p_equals(p: float) -> str:
    """Write "= 0.0020" or "< 0.000001"."""
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def summary(study: Study, masks: str) -> str:
    """Answer in two or three sentences what was asked, for one kind of mask."""
    rows = study.associations[study.associations["masks"] == masks]
    family = study.family
    tested = rows["p"].notna()
    holding = rows[rows["p_bonferroni"] <= family.alpha]
    count = len(rows)
    text = (
        f"Of {count} {'hypothesis' if count == 1 else 'hypotheses'}, {len(holding)} "
        f"{'holds' if len(holding) == 1 else 'hold'} at a family-wise error rate of "
        f"{family.alpha:g} (Bonferroni)."
    )
    if not tested.all():
        text += f" {int((~tested).sum())} could not be tested."
    reported = [h for h in family.hypotheses if h.reported_below is not None]
    if reported and comparable(study):
        p = rows.set_index(["feature", "label"])["p"]
        met = sum(p[h.feature, h.label] < (h.reported_below or 0) for h in reported)
        text += (
            f" Of the {len(reported)} bounds that the publication reports for p, {met} "
            f"{'is' if met == 1 else 'are'} met by these masks."
        )
    return text


def heading(masks: str) -> str:
    """Name a kind of mask at the beginning of a line, in the user's own spelling."""
    return f"{masks[:1].upper()}{masks[1:]} masks"


def plain(name: str) -> str:
    """Turn a column's name into words."""
    return name.replace("_", " ")


def symbol(feature: str) -> str:
    """Return the symbol of a feature, or its name in words if it has none."""
    return feature_symbol(feature)


def _areas(study: Study, masks: str, hypothesis: Hypothesis) -> Any:
    table = study.discrimination
    chosen = (
        (table["masks"] == masks)
        & (table["feature"] == hypothesis.feature)
        & (table["label"] == hypothesis.label)
        & table["auc"].notna()
    )
    return table[chosen]
