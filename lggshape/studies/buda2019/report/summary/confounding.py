"""Shape given IDH and other covariates, and among patients with IDH mutation."""

from collections.abc import Iterator
from typing import Any

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, p_text
from lggshape.studies.buda2019.report.columns import predictor
from lggshape.studies.buda2019.report.evidence import (
    KINDS,
    StudyEvidence,
    effect_text,
    hypothesis_column,
    intervals_containing,
    key,
    pair_name,
)

_SHAPE = "1/BEVR"


def confounding(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the adjusted tests, the logistic models, and the tests within IDH mutants."""
    yield from _adjusted(evidence)
    yield from _models(evidence)
    yield from _mutants(evidence)
    yield from _subtypes(evidence)


def _adjusted(evidence: StudyEvidence) -> Iterator[Block]:
    rows = [
        (h, model, *(evidence.row("adjusted", masks=m, model=model, **key(h)) for m in KINDS))
        for h in evidence.main
        for model in dict.fromkeys(evidence.rows("adjusted")["model"])
    ] if len(evidence.rows("adjusted")) else []  # fmt: skip
    if not rows or any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        "Share of the variance of the feature's ranks that the clusters explain (partial R², 95 %, "
        "bootstrap), and p by permutation within institutions",
        "adjusted",
        hypothesis_column(),
        Column("", lambda row: _adjustment(row[1]), "text"),
        Column("n", lambda row: f"{row[2].n}"),
        Column("automatic masks", lambda row: effect_text(row[2])),
        Column("p", lambda row: p_text(row[2].p)),
        Column("manual masks", lambda row: effect_text(row[3])),
        Column("p", lambda row: p_text(row[3].p)),
    )


def _adjustment(model: str) -> str:
    """Return what a model of the ranks is adjusted for.

    Examples
    --------
    >>> _adjustment("given IDH"), _adjustment("cluster alone")
    ('adjusted for IDH', 'unadjusted')
    """
    if model == "cluster alone":
        return "unadjusted"
    return model.replace("given ", "adjusted for ")


def _models(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the odds ratios of shape in the pre-specified logistic models."""
    models = evidence.rows("binary_models", term=_SHAPE)
    if not len(models):
        return
    rows = [
        tuple(evidence.row("binary_models", term=_SHAPE, model=model, masks=m) for m in KINDS)
        for model in dict.fromkeys(models["model"])
    ]
    if any(None in row for row in rows):
        return
    entry = evidence.family.reported_aucs[0]
    level = max(entry.values, key=lambda name: entry.values[name])
    yield Table.of(
        rows,
        f"Odds ratio (95 %) of {level} against the other clusters per standard deviation of "
        f"{predictor(evidence.reported[0].feature)}, from the logistic models of the protocol",
        "binary_models",
        Column("model", lambda row: _model_name(row[0]), "text"),
        Column("n", lambda row: f"{row[0].n}"),
        Column("automatic masks", lambda row: _odds(row[0])),
        Column("manual masks", lambda row: _odds(row[1])),
    )
    for automatic, manual in rows[1:]:
        yield Text(
            f"In the model {automatic.model} ({automatic.n} patients), the odds ratio is "
            f"{_odds(automatic)} on automatic masks and {_odds(manual)} on manual masks"
            f"; {intervals_containing(1, automatic, manual)}."
        )


def _model_name(row: Any) -> str:
    return f"{row.model} (exploratory)" if row.exploratory else str(row.model)


def _odds(row: Any) -> str:
    return interval_text(row.odds_ratio, row.low, row.high)


def _mutants(evidence: StudyEvidence) -> Iterator[Block]:
    rows = [
        (h, *(evidence.row("within_mutants", masks=m, **key(h)) for m in KINDS))
        for h in evidence.reported
    ]
    if any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        "The tests of quartiles among patients with an IDH mutation; p-values are not corrected",
        "within_mutants",
        hypothesis_column(),
        Column("n", lambda row: f"{row[1].n}"),
        Column("V, automatic masks", lambda row: effect_text(row[1])),
        Column("p", lambda row: p_text(row[1].p)),
        Column("V, manual masks", lambda row: effect_text(row[2])),
        Column("p", lambda row: p_text(row[2].p)),
    )
    zero = [row for row in rows if row[1].effect == 0]
    if zero:
        ends = [row[1].effect_high for row in zero]
        yield Text(
            "A V of 0.00 on automatic masks does not show that there is no association: the upper "
            f"ends of these intervals are {min(ends):.2f} to {max(ends):.2f}."
        )


def _subtypes(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the main hypotheses by ranks among patients of some IDH subtypes alone."""
    groups = dict.fromkeys(row.patients for row in evidence.records("within_idh"))
    rows = []
    for h in evidence.main:
        for group in groups:
            found = [evidence.row("within_idh", masks=m, patients=group, **key(h)) for m in KINDS]
            if None not in found:
                rows.append((h, group, *found))
    if not rows:
        return
    yield Table.of(
        rows,
        "The same by ranks: epsilon squared (95 %, bootstrap) and p of the Kruskal-Wallis test",
        "within_idh",
        hypothesis_column(),
        Column("patients", lambda row: row[1], "text"),
        Column("n", lambda row: f"{row[2].n}"),
        Column("automatic masks", lambda row: _share(row[2])),
        Column("p", lambda row: p_text(row[2].p_ranks)),
        Column("manual masks", lambda row: _share(row[3])),
        Column("p", lambda row: p_text(row[3].p_ranks)),
    )
    # Of the groups of the main hypothesis the second is the first subtype.
    own = [row for row in rows if row[0] == rows[0][0]][1:]
    if own:
        h, group, automatic, manual = max(own, key=lambda row: int(row[2].n))
        yield Text(
            f"Among the {automatic.n} patients with {group} alone, the epsilon squared of "
            f"{pair_name(h.feature, h.label)} is {_share(automatic)}, p "
            f"{p_text(automatic.p_ranks)}, on automatic masks and {_share(manual)}, p "
            f"{p_text(manual.p_ranks)}, on manual masks."
        )


def _share(row: Any) -> str:
    return interval_text(row.epsilon_squared, row.epsilon_squared_low, row.epsilon_squared_high)
