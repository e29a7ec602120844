"""The report of the comparison of outlines."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.association.feature_table import feature_symbol
from lggshape.report import columns
from lggshape.report.blocks import Column, Section, Table, Text
from lggshape.report.gallery import Gallery
from lggshape.report.page import Page, made_by, write_page
from lggshape.report.wording import interval_text
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.second_outlines import figures
from lggshape.studies.second_outlines.agreement import FIRST_PAIR, pair_name
from lggshape.studies.second_outlines.figures import SHOWN
from lggshape.studies.second_outlines.names import SECOND

_TITLE = "The same tumours outlined by two groups of raters and by networks"

_FEATURE, _LABEL = columns.feature(), columns.label()
_N, _MASKS = columns.count("n", "n"), columns.words("outline", "masks")
_PAIR = Column("outlines", lambda row: pair_name(row.first, row.second), "text")
_MEASURE = columns.words("measure", "measure")


def write_outline_report(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write `report.html` and, beside it, every figure as PNG and SVG."""
    gallery = Gallery(folder)
    sections = [
        _agreement(tables, gallery), _explanations(tables, gallery), _associations(tables, gallery)
    ]  # fmt: skip
    write_page(
        Page(_TITLE, "lggshape · comparison of outlines", sections, made_by()),
        folder / "report.html",
    )


def _agreement(tables: Mapping[str, pd.DataFrame], gallery: Gallery) -> Section:
    contrasts = tables["contrasts"]
    blocks = [
        Text(
            "Three outlines of each tumour are compared: manual outlines of one group of people, "
            "outlines of a second group, and automatic outlines by networks that had not seen the "
            "patient. The networks were trained on manual outlines of other patients, so the fair "
            "comparison is that of automatic and of manual outlines, each with the second group. "
            "ICC(A,1) is the intraclass correlation for absolute agreement; 1 is perfect."
        ),
        Text(_fair(contrasts), "lead"),
        *(Text(text) for text in _better(contrasts)),
        gallery.keep(
            figures.reliability_forest(tables["reliability"]),
            "ICC(A,1) of each feature for each pair of outlines, with 95 % intervals",
            "reliability",
        ),
        gallery.keep(
            figures.scatter_grid(tables["features"], tables["reliability"]),
            "Each feature by one outline against another; a dot is a patient, and on the dotted "
            "line both are equal",
            "features",
        ),
        Table.of(
            tables["reliability"], "Agreement of the features of two outlines.", "reliability",
            _FEATURE, _PAIR, _MEASURE, _N,
            columns.interval("estimate (95 %)", "estimate", "low", "high"),
        ),
        Table.of(
            contrasts, "Differences between correlations, in the same patients.", "contrasts",
            _FEATURE, _MEASURE, Column("difference", _contrast, "text"),
            columns.interval("difference (95 %)", "difference", "low", "high"),
        ),
        Table.of(
            tables["limits"],
            "Limits of agreement, of the first outline minus the second (difference) or divided by "
            "it (ratio). Bias is the mean difference, or ratio. Growth is the rank correlation of "
            "the size of the difference with the mean; a scale fits if it is near 0.",
            "limits",
            _FEATURE, _PAIR, columns.words("scale", "scale"), _exact("bias", "bias"),
            _exact("lower limit", "lower"), _exact("upper limit", "upper"),
            columns.interval("growth (95 %)", "growth", "growth_low", "growth_high"),
        ),
    ]  # fmt: skip
    return Section("agreement", "Do the outlines agree?", blocks)


def _explanations(tables: Mapping[str, pd.DataFrame], gallery: Gallery) -> Section:
    blocks = [
        Text(
            "Each row of the figure changes how the outlines are measured, and shows by how much "
            "the ICC of ASD changes. An ICC that rises by a change is a hint that the measurement, "
            "not the outline, was the reason for a disagreement. These analyses are exploratory: "
            "no correction is made for their number. One native slice is k thin slices of the "
            "second group's grid."
        ),
        gallery.keep(
            figures.explanation_forest(tables["explanations"]),
            "How each change of measurement changes the ICC(A,1) of ASD, with 95 % intervals",
            "explanations",
        ),
        Table.of(
            tables["explanations"], "Correlations after a change, and their differences from those "
            "without it, in the same patients.", "explanations",
            columns.words("reason", "reason"), columns.words("change", "change"), _FEATURE, _PAIR,
            _MEASURE, _N, columns.number("as it is", "as_it_is"),
            columns.number("changed", "estimate"),
            columns.interval("difference (95 %)", "difference", "low", "high"),
        ),
        Table.of(
            tables["overlaps"], "Overlap of the outlines in one slice, after they were moved to "
            "one centre, scaled to one area and turned or mirrored: quartiles of Dice.", "overlaps",
            _PAIR, columns.words("symmetry", "symmetry"), _N,
            columns.number("first quartile", "q1"), columns.number("median", "median"),
            columns.number("third quartile", "q3"),
        ),
        Table.of(
            tables["disagreement"], "What differences in a feature are associated with: rank "
            "correlations of each quantity with the absolute difference of the feature.",
            "disagreement", _PAIR, _FEATURE, columns.words("quantity", "quantity"), _N,
            columns.interval("correlation (95 %)", "estimate", "low", "high"),
        ),
        Table.of(
            tables["influence"], "ICC(A,1) when any one patient is left out (lowest and highest), "
            "and of logarithms.", "influence",
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
            "A small p with one outline and a large p with another does not show that the outlines "
            "differ: see the differences in the third table. Detectable is the smallest effect "
            "that the test finds with 80 % power at alpha 0.005."
        ),
        gallery.keep(
            figures.effect_forest(tables["associations_by_ranks"]),
            "Epsilon squared of each hypothesis with each outline, with 95 % intervals",
            "effects",
        ),
        Table.of(
            tables["associations"], "Fisher's exact test on quartiles, with Cramér's V.",
            "associations", _MASKS, _FEATURE, _LABEL, _N, columns.p("p"), effect,
            columns.number("detectable", "detectable"),
        ),
        Table.of(
            tables["associations_by_ranks"], "Kruskal-Wallis test, with epsilon squared.",
            "associations_by_ranks", _MASKS, _FEATURE, _LABEL, _N, columns.p("p"), effect,
            columns.number("detectable", "detectable"),
        ),
        Table.of(
            tables["effect_differences"], "Differences in effect between outlines, in the same "
            "patients.", "effect_differences", _FEATURE, _LABEL, _N,
            columns.words("effect", "effect"), _PAIR,
            columns.interval("difference (95 %)", "difference", "low", "high"),
        ),
    ]  # fmt: skip
    return Section("associations", "The associations with each outline", blocks, "Associations")


def _fair(contrasts: pd.DataFrame) -> str:
    """Return how much better automatic outlines agree with the second group than manual ones."""
    chosen = contrasts[
        (contrasts["measure"] == "ICC(A,1)")
        & (contrasts["contrast"] == f"{pair_name(AUTOMATIC, SECOND)}, less {FIRST_PAIR}")
    ].set_index("feature")
    parts = [f"{_difference(chosen.loc[name])} for {feature_symbol(name)}" for name in SHOWN]
    return (
        "ICC(A,1) with the second group, automatic minus manual outlines "
        f"(n {chosen['n'].iloc[0]}): {', '.join(parts[:-1])} and {parts[-1]}."
    )


def _better(contrasts: pd.DataFrame) -> Iterator[str]:
    """Yield which pair agrees better than the two groups, by an interval above 0."""
    chosen = contrasts[contrasts["measure"] == "ICC(A,1)"]
    row: Any
    for row in chosen[chosen["better"]].itertuples():
        pair = row.contrast.removesuffix(f", less {FIRST_PAIR}")
        yield (
            f"For {feature_symbol(row.feature)}, the ICC(A,1) of {_plain(pair)} is higher than "
            f"that of {_plain(FIRST_PAIR)}: difference "
            f"{row.difference:.2f} ({row.low:.3f} to {row.high:.2f})."
        )
    better = int(chosen["better"].sum())
    yield (
        f"{'The other' if better else 'All'} {len(chosen) - better} of the {len(chosen)} "
        f"differences from {_plain(FIRST_PAIR)} have intervals that reach 0 or below."
    )


def _contrast(row: Any) -> str:
    first, _, other = row.contrast.partition(", less ")
    return f"{first} minus {other}"


def _difference(row: Any) -> str:
    return interval_text(row["difference"], row["low"], row["high"])


def _plain(pair: str) -> str:
    """Return a pair of outlines as a sentence names it."""
    return pair if pair.startswith("mean") else f"“{pair}”"


def _exact(title: str, name: str) -> Column:
    """Return a column of an estimate with its interval, to three digits that count."""

    def cell(row: Any) -> str:
        values = (getattr(row, end) for end in (name, f"{name}_low", f"{name}_high"))
        return "{:.3g} ({:.3g} to {:.3g})".format(*values)

    return Column(title, cell)
