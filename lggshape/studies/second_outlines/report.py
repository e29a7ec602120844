"""The report of the comparison of outlines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.association.feature_table import feature_symbol
from lggshape.report import columns
from lggshape.report.blocks import Column, Section, Table, Text
from lggshape.report.gallery import Gallery
from lggshape.report.page import Page, write_page
from lggshape.studies.second_outlines import figures
from lggshape.studies.second_outlines.agreement import pair_name

_TITLE = "The same tumours outlined by two groups of raters and by networks"

_FEATURE, _LABEL = columns.feature(), columns.words("label", "label")
_N, _MASKS = columns.count("n", "n"), columns.words("outline", "masks")
_PAIR = Column("outlines", lambda row: pair_name(row.first, row.second), "text")
_MEASURE = columns.words("measure", "measure")


def write_outline_report(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write `report.html` and, beside it, every figure as PNG and SVG."""
    gallery = Gallery(folder)
    sections = [
        _agreement(tables, gallery), _explanations(tables, gallery), _associations(tables, gallery)
    ]  # fmt: skip
    write_page(Page(_TITLE, "lggshape · comparison of outlines", sections), folder / "report.html")


def _agreement(tables: Mapping[str, pd.DataFrame], gallery: Gallery) -> Section:
    contrasts = tables["contrasts"]
    better = contrasts[contrasts["better"] & (contrasts["measure"] == "ICC(A,1)")]
    found = "; ".join(
        f"{feature_symbol(str(row.feature))}: {row.contrast}" for row in better.itertuples()
    )
    blocks = [
        Text(
            "ICC(A,1) is higher beyond chance (the whole interval of the difference lies above 0) "
            f"in: {found or 'no feature and no pair'}."
        ),
        gallery.keep(
            figures.reliability_forest(tables["reliability"]),
            "ICC(A,1) of each feature for each pair of outlines, with 95 % intervals",
            "reliability",
        ),
        gallery.keep(
            figures.scatter_grid(tables["features"], tables["reliability"]),
            "each feature by one outline against another, with the line of equality",
            "features",
        ),
        Table.of(
            tables["reliability"], "Agreement of the features of two outlines.", "reliability",
            _FEATURE, _PAIR, _MEASURE, _N,
            columns.interval("estimate (95 %)", "estimate", "low", "high"),
        ),
        Table.of(
            contrasts, "Differences of correlations, paired by patient.", "contrasts",
            _FEATURE, _MEASURE, columns.words("difference of", "contrast"),
            columns.interval("difference (95 %)", "difference", "low", "high"),
        ),
        Table.of(
            tables["limits"],
            "Limits of agreement, of first less second or first divided by second. Growth is the "
            "rank correlation of the size of the difference with the mean.",
            "limits",
            _FEATURE, _PAIR, columns.words("scale", "scale"), _exact("bias", "bias"),
            _exact("lower limit", "lower"), _exact("upper limit", "upper"),
            columns.interval("growth (95 %)", "growth", "growth_low", "growth_high"),
        ),
    ]  # fmt: skip
    return Section("agreement", "Do the outlines agree?", blocks)


def _explanations(tables: Mapping[str, pd.DataFrame], gallery: Gallery) -> Section:
    blocks = [
        Text("Each line changes how outlines are measured. These analyses are exploratory."),
        gallery.keep(
            figures.explanation_forest(tables["explanations"]),
            "change of ICC(A,1) of ASD with each change of how outlines are measured",
            "explanations",
        ),
        Table.of(
            tables["explanations"], "Correlations after a change, and their differences from those "
            "without it, paired by patient.", "explanations",
            columns.words("reason", "reason"), columns.words("change", "change"), _FEATURE, _PAIR,
            _MEASURE, _N, columns.number("as it is", "as_it_is"),
            columns.number("changed", "estimate"),
            columns.interval("difference (95 %)", "difference", "low", "high"),
        ),
        Table.of(
            tables["overlaps"], "Overlap of the outlines in one slice, after they were moved to "
            "one centroid and scaled to one area: quartiles of Dice.", "overlaps",
            _PAIR, columns.words("symmetry", "symmetry"), _N,
            columns.number("first quartile", "q1"), columns.number("median", "median"),
            columns.number("third quartile", "q3"),
        ),
        Table.of(
            tables["disagreement"], "Rank correlations with the absolute difference of a feature.",
            "disagreement", _PAIR, _FEATURE, columns.words("quantity", "quantity"), _N,
            columns.interval("correlation (95 %)", "estimate", "low", "high"),
        ),
        Table.of(
            tables["influence"], "ICC(A,1) without one patient, and of logarithms.", "influence",
            _FEATURE, _PAIR, _N, columns.number("ICC", "icc"), columns.number("lowest", "lowest"),
            columns.number("highest", "highest"),
            columns.number("of logarithms", "icc_of_logarithms"),
        ),
    ]  # fmt: skip
    return Section("explanations", "Why do they differ?", blocks)


def _associations(tables: Mapping[str, pd.DataFrame], gallery: Gallery) -> Section:
    effect = columns.interval("effect (95 %)", "effect", "effect_low", "effect_high")
    blocks = [
        Text(
            "A small p by one outline and a large p by another does not show that they differ; the "
            "third table has the differences."
        ),
        gallery.keep(
            figures.effect_forest(tables["associations_by_ranks"]),
            "epsilon squared of each hypothesis by each outline, with 95 % intervals",
            "effects",
        ),
        Table.of(
            tables["associations"], "Quartiles and Fisher's exact test, with Cramér's V.",
            "associations", _MASKS, _FEATURE, _LABEL, _N, columns.p("p"), effect,
            columns.number("detectable", "detectable"),
        ),
        Table.of(
            tables["associations_by_ranks"], "Kruskal-Wallis test, with epsilon squared.",
            "associations_by_ranks", _MASKS, _FEATURE, _LABEL, _N, columns.p("p"), effect,
            columns.number("detectable", "detectable"),
        ),
        Table.of(
            tables["effect_differences"], "Differences of effects between outlines, paired by "
            "patient.", "effect_differences", _FEATURE, _LABEL, _N,
            columns.words("effect", "effect"), _PAIR,
            columns.interval("difference (95 %)", "difference", "low", "high"),
        ),
    ]  # fmt: skip
    return Section("associations", "Associations by each outline", blocks)


def _exact(title: str, name: str) -> Column:
    """Return a column of an estimate with its interval, to three digits that count."""

    def cell(row: Any) -> str:
        values = (getattr(row, end) for end in (name, f"{name}_low", f"{name}_high"))
        return "{:.3g} ({:.3g} to {:.3g})".format(*values)

    return Column(title, cell)
