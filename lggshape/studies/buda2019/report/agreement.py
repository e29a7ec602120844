"""Features of automatic masks against those of manual masks."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lggshape.figures.agreement import agreement_plot
from lggshape.report import columns, wording
from lggshape.report.blocks import Column, Drawing, Section, Table
from lggshape.statistics.proportional_limits import proportional_limits
from lggshape.studies.buda2019.analyses.agreement import differences_grow, side_by_side
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.columns import CLUSTER, FEATURE, PREDICTOR, N
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.summary import PARTS


def agreement(findings: Findings) -> Section:
    """Return the section on how automatic and manual features agree."""
    measures, areas = findings.tables["agreement"], findings.tables["area_differences"]
    blocks = [
        *PARTS["agreement"](findings.evidence),
        Table.of(
            areas,
            "AUC on automatic masks minus AUC on manual masks, paired by patient (DeLong).",
            "area_differences",
            PREDICTOR, CLUSTER, N,
            columns.number("automatic", "automatic"), columns.number("manual", "manual"),
            columns.interval("difference (95 %)", "difference", "low", "high"),
            columns.yes("agree", "agrees"),
        ),
        Table.of(
            measures[~measures["measure"].str.contains("limit")],
            "Features of automatic masks compared with those of manual masks.",
            "agreement",
            FEATURE, columns.words("measure", "measure"), N,
            Column("estimate (95 %)", _three_digits),
        ),
        *_drawings(findings),
    ]  # fmt: skip
    return Section("agreement", "Automatic and manual masks", blocks)


def _drawings(findings: Findings) -> Iterator[Drawing]:
    for name in dict.fromkeys(findings.tables["agreement"]["feature"]):
        pairs = side_by_side(findings.tables["features"], name)
        figure = agreement_plot(
            pairs[AUTOMATIC], pairs[MANUAL], measured_name=AUTOMATIC, reference_name=MANUAL,
            quantity=wording.symbol(name), lines=_lines(pairs),
            links=findings.targets(pairs.index.to_series()),
        )  # fmt: skip
        description = f"{wording.plain(name)}: automatic against manual, and Bland-Altman"
        titles = findings.titles(name, MANUAL)
        yield findings.gallery.keep(figure, description, "agreement", name, titles=titles)


def _lines(pairs: pd.DataFrame) -> list[tuple[float, float]]:
    """Return the lines of the limits where differences grow with the mean, none elsewhere."""
    one, other = pairs[AUTOMATIC].to_numpy(), pairs[MANUAL].to_numpy()
    if not differences_grow(one, other).low > 0:
        return []
    means = (one + other) / 2
    low, high = proportional_limits(one, other, [means.min(), means.max()], replicates=1)
    return [
        (getattr(low, part).estimate, getattr(high, part).estimate)
        for part in ("bias", "lower", "upper")
    ]


def _three_digits(row: Any) -> str:
    values = (wording.number_text(value, 3) for value in (row.estimate, row.low, row.high))
    return "{} ({} to {})".format(*values)
