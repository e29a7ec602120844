"""Compute the tables of protocol.md, and write their part of the README.

    python reports/architectures/science.py data.csv idh_1p19q.csv clinical.csv

The arguments are the label tables. Without any, only the README is written, from the tables here.
Masks are measured by science_masks.py; manual and bundled masks are those of the replication.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lggshape.association import read_study_family
from lggshape.files import write_table
from lggshape.labels import read_labels
from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import p_text, symbol
from lggshape.studies.buda2019.analyses.other_networks import (
    FEATURES,
    SCORES,
    difference_table,
    effect_table,
    intraclass_table,
    score_table,
)
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.evidence import pair_name
from lggshape.studies.buda2019.report.markdown import to_markdown
from lggshape.studies.buda2019.report.readme import fill

HERE = Path(__file__).parent
REPORTS = HERE.parent
BUNDLED = "bundled"
PART = "science"
TITLES = {"dice": "Dice", "surface_dice": "surface Dice at one pixel"}
TABLES = ("scores", "agreement", "effects", "differences")


def patients() -> pd.DataFrame:
    """Return scores and features by manual masks, bundled networks, and those of the protocol."""
    features = pd.read_csv(REPORTS / "buda2019" / "features.csv")
    features = features.replace({"masks": {AUTOMATIC: BUNDLED}})
    scores = pd.read_csv(REPORTS / "segmentation" / "evaluation" / "scores.csv")
    known = features[["case", "patient", "masks", *FEATURES]].merge(
        scores[["case", *SCORES]].assign(masks=BUNDLED), on=["case", "masks"], how="left"
    )
    own = HERE / "science-patients.csv"
    known = known.sort_values("masks", ascending=False, kind="stable")  # manual masks first
    parts = [known, pd.read_csv(own)] if own.exists() else [known]
    return pd.concat(parts, ignore_index=True)


def compute(label_tables: list[str]) -> None:
    """Compute the tables anew."""
    table, labels, family = patients(), read_labels(label_tables), read_study_family("buda2019")
    networks = [name for name in table["masks"].unique() if name not in (MANUAL, BUNDLED)]
    found = {
        "scores": score_table(table, BUNDLED),
        "agreement": intraclass_table(table),
        "effects": effect_table(table, labels, family),
        "differences": difference_table(table, networks, BUNDLED, labels, family),
    }
    for name, one in found.items():
        write_table(HERE / f"science-{name}.csv", one)


def read() -> dict[str, pd.DataFrame]:
    """Return the tables."""
    return {name: pd.read_csv(HERE / f"science-{name}.csv") for name in TABLES}


def ranged(table: pd.DataFrame, *names: str, digits: int = 2, sign: str = "") -> pd.Series:
    """Write estimates with their intervals."""
    value, low, high = (table[name].map(f"{{:{sign}.{digits}f}}".format) for name in names)
    return (value + " (" + low + " to " + high + ")").str.replace("-", "−")


def block(cells: pd.DataFrame, caption: str, source: str) -> Table:
    """Return cells of text as a table."""
    columns = [Column(head, str) for head in ("", *cells.columns)]
    return Table(columns, [list(row) for row in cells.itertuples()], caption, f"science-{source}")


def by_hypothesis(table: pd.DataFrame, cells: pd.Series) -> pd.DataFrame:
    """Return cells with a row per hypothesis and a column per kind of mask."""
    keys = zip(table["feature"], table["label"], strict=True)
    named = table.assign(pair=[pair_name(*key) for key in keys], cell=cells)
    wide = named.pivot(index="pair", columns="masks", values="cell")
    wide = wide.loc[named["pair"].unique(), named["masks"].unique()]
    return wide.rename(columns="`{}`".format)


def masks_table(scores: pd.DataFrame, agreement: pd.DataFrame) -> Table:
    """Return scores, and agreement with manual masks, of each network."""
    cells = {}
    for score, rows in scores.set_index("masks").groupby("score", sort=False):
        title = TITLES[score]
        cells[title] = ranged(rows, "mean", "mean_low", "mean_high", digits=3)
        names = ("difference", "difference_low", "difference_high")
        less = ranged(rows, *names, digits=3, sign="+")
        cells[f"{title} less `{BUNDLED}`"] = less.where(less.index != BUNDLED, "–")
    for feature, rows in agreement.set_index("masks").groupby("feature", sort=False):
        cells[f"ICC of {symbol(feature)}"] = ranged(rows, "estimate", "low", "high")
    table = pd.DataFrame(cells).rename("`{}`".format)
    return block(
        table,
        "Scores out of fold, and ICC(A,1) of the features with those of manual masks (110 "
        "patients)",
        "scores",
    )


def p_table(effects: pd.DataFrame) -> Table:
    """Return p by the paper's test, and how many of its bounds are met."""
    table = by_hypothesis(effects, effects["p_quartiles"].map(p_text))
    bounds = {
        (one.feature, one.label): one.reported_below
        for one in read_study_family("buda2019").hypotheses
        if one.reported_below is not None
    }
    reported = effects.set_index(["feature", "label"]).loc[list(bounds)]
    met = reported["p_quartiles"] < reported.index.map(bounds)
    counts = met.groupby(reported["masks"]).sum()
    table.loc["bounds of the paper that are met"] = [
        f"{counts[name.strip('`')]} of {len(bounds)}" for name in table.columns
    ]
    who = f"{effects['n'].min()} to {effects['n'].max()} patients"
    return block(table, f"p by Fisher's test on quartiles ({who})", "effects")


def part(tables: dict[str, pd.DataFrame]) -> Iterator[Block]:
    """Yield what the README says from the tables."""
    effects, differences = tables["effects"], tables["differences"]
    clear = differences[(differences["low"] > 0) | (differences["high"] < 0)]
    count = len(differences)
    yield Text(
        f"{len(clear) or 'None'} of the {count} intervals of a difference in epsilon squared "
        f"{'leaves' if len(clear) == 1 else 'leave'} out 0. If no network changed any effect, "
        f"{count / 20:g} would be expected to."
    )
    yield masks_table(tables["scores"], tables["agreement"])
    yield block(
        by_hypothesis(differences, ranged(differences, "difference", "low", "high", sign="+")),
        f"Epsilon squared less that of the masks of the `{BUNDLED}` networks, in the same patients",
        "differences",
    )
    ends = ("epsilon_squared", "epsilon_squared_low", "epsilon_squared_high")
    yield block(by_hypothesis(effects, ranged(effects, *ends)), "Epsilon squared", "effects")
    yield p_table(effects)


def main(label_tables: list[str]) -> None:
    if label_tables:
        compute(label_tables)
    readme = HERE / "README.md"
    parts = {PART: to_markdown(part(read()))}
    readme.write_text(fill(readme.read_text(encoding="utf-8"), parts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
