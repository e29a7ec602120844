"""Results in plain words."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from lggshape.association import (
    Family,
    Hypothesis,
    Study,
    Test,
    corrected_alpha,
    feature_symbol,
)
from lggshape.names import counted
from lggshape.shape import FEATURES

SUGGESTIVE = ("holds", "not after correction")
"""The verdicts that give reason to say where the difference lies."""


def p_text(p: float) -> str:
    """Return a p-value with two significant digits: "0.0020", "< 0.000001", "—" if missing."""
    if math.isnan(p):
        return "—"
    if p < 1e-6:
        return "< 0.000001"
    if p >= 0.1:
        return f"{p:.2f}"
    return f"{p:.{1 - math.floor(math.log10(p))}f}"


def number_text(value: float, digits: int = 2) -> str:
    """Return a number with a fixed number of digits, "—" if missing."""
    return "—" if math.isnan(value) else f"{value:.{digits}f}"


def range_text(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Return the lowest and the highest value, one if they read alike, "—" if there is none."""
    if not values:
        return "—"
    low, high = text(min(values)), text(max(values))
    return low if low == high else f"{low} to {high}"


def interval_text(estimate: float, low: float, high: float, digits: int = 2) -> str:
    """Return an estimate with its 95 % interval."""
    if math.isnan(estimate):
        return "—"
    return f"{estimate:.{digits}f} ({number_text(low, digits)} to {number_text(high, digits)})"


def verdict(row: Any, family: Family) -> tuple[str, str]:
    """Return what the primary test of one hypothesis shows.

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
            f"The {feature} is associated with {label}. The association remains significant after "
            "correction for all hypotheses of the family."
        )
    if row.p <= family.alpha:
        return "not after correction", (
            f"The {feature} may be associated with {label}. Its p is at most {family.alpha:g} "
            "before the correction for all hypotheses of the family, but not after it."
        )
    return "not significant", (
        f"The {feature} is not significantly associated with {label}. This does not show that "
        "there is no association: see the interval of the effect."
    )


def extremes(study: Study, masks: str, hypothesis: Hypothesis) -> str:
    """Return in which level the shapes are most and least irregular."""
    found = most_and_least(study, masks, (hypothesis.feature, hypothesis.label))
    if found is None:
        return ""
    most, least = found
    shapes = (
        "Larger or more irregular shapes" if hypothesis.feature in FEATURES else "Higher values"
    )
    sentence = (
        f"{shapes} are most typical of {most.level}: its AUC against the rest is "
        f"{interval_text(most.auc, most.auc_low, most.auc_high)}. They are least typical of "
        f"{least.level}: {interval_text(least.auc, least.auc_low, least.auc_high)}."
    )
    if hypothesis.higher_in is not None:
        areas = _areas(study, masks, (hypothesis.feature, hypothesis.label))
        agrees = areas.set_index("level")["auc"].get(hypothesis.higher_in, math.nan) > 0.5
        sentence += (
            f" They were expected in {hypothesis.higher_in}. The direction "
            f"{'is as expected' if agrees else 'is not as expected'}."
        )
    return sentence


def most_and_least(study: Study, masks: str, pair: tuple[str, str]) -> tuple[Any, Any] | None:
    """Return the levels in which a feature is highest and lowest, each against the rest.

    They are rows of `Study.discrimination`; None if the label has no levels.
    """
    areas = _areas(study, masks, pair)
    if areas.empty:
        return None
    return areas.loc[areas["auc"].idxmax()], areas.loc[areas["auc"].idxmin()]


def comparable(study: Study) -> bool:
    """Return whether p and the published bounds come from the same test on as many bins."""
    family = study.family
    same_test = {test.name for test in study.tests} == {family.reported_test}
    return same_test and study.bins == family.reported_bins


def beside_the_publication(row: Any, hypothesis: Hypothesis) -> str:
    """Return whether p reaches the bound that was reported for the hypothesis, if there is one."""
    bound = hypothesis.reported_below
    if bound is None or math.isnan(row.p):
        return ""
    reached = "is reached here too" if row.p < bound else "is not reached here"
    return f"The publication reports p < {bound:g}, which {reached}."


def p_equals(p: float) -> str:
    """Return "= 0.0020" or "< 0.000001"."""
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def published_bounds(study: Study, rows: Any) -> str:
    """Return how many of the bounds that a publication reports for p are reached; "" if none is.

    The rows are those of one kind of mask in `Study.associations`.
    """
    reported = [h for h in study.family.hypotheses if h.reported_below is not None]
    if not reported or not comparable(study):
        return ""
    p = rows.set_index(["feature", "label"])["p"]
    met = sum(p[h.feature, h.label] < (h.reported_below or 0) for h in reported)
    return (
        f"These masks reach {met} of the {len(reported)} bounds that the publication reports for p."
    )


def what_n_can_show(row: Any, study: Study, test: Test) -> str:
    """Return what a test of so many patients could have found, and whether it is exploratory.

    Parameters
    ----------
    row : named tuple
        A row of `Study.associations`, of a hypothesis that was tested.
    study : Study
        The results that it belongs to.
    test : Test
        The test that decided.

    Returns
    -------
    str
        One or two sentences; "" if the test does not tell and there are enough patients.
    """
    text = ""
    level = f"80 % power at the corrected level of {corrected_alpha(study.family):.2g}"
    if not math.isnan(row.detectable):
        text = (
            f"The smallest effect that a test of so many patients finds with {level} is "
            f"{test.effect} {row.detectable:.2f} (large: {row.large:.2f}). "
        )
    elif not math.isnan(row.large):
        text = f"A test of so few patients finds no effect, however large, with {level}. "
    if row.exploratory:
        text += f"This test is exploratory: {row.exploratory}."
        if row.p <= study.family.alpha:
            text += " Effects that such tests find are likely to be overestimated."
    return text.strip()


def exploratory(study: Study, masks: str) -> str:
    """Return in a sentence how many tests of a kind of mask are exploratory; "" if none."""
    rows = study.associations[study.associations["masks"] == masks]
    rows = rows[rows["p"].notna()]
    count = int((rows["exploratory"] != "").sum())
    if not count:
        return ""
    which = "All tests" if count == len(rows) else f"{count} of {counted(len(rows), 'test')}"
    return (
        f"{which} can only be exploratory: with so few patients, only very large effects can be "
        "found, and what is found has to be confirmed in others."
    )


def heading(masks: str) -> str:
    """Return a kind of mask as a heading names it, in the user's own spelling."""
    return f"{masks[:1].upper()}{masks[1:]} masks"


def plain(name: str) -> str:
    """Return the name of a column in words."""
    title = FEATURES[name].title if name in FEATURES else ""
    return title or name.replace("_", " ")


def symbol(feature: str) -> str:
    """Return the symbol of a feature, or its name in words if it has none."""
    return feature_symbol(feature)


def _areas(study: Study, masks: str, pair: tuple[str, str]) -> Any:
    table = study.discrimination
    chosen = (
        (table["masks"] == masks)
        & (table["feature"] == pair[0])
        & (table["label"] == pair[1])
        & table["auc"].notna()
    )
    return table[chosen]


def first_patients(which: str, most: int = 10) -> str:
    """Return the first patients of a cell of flow.csv, each with its reason if it has one."""
    patients = re.split(r"; (?![^(]*\))", which)  # a reason in brackets may hold the separator
    if len(patients) <= most:
        return which
    return f"{'; '.join(patients[:most])} and {len(patients) - most} more (flow.csv)"
