"""The sentences of reports/second-outlines against its tables."""

import re
from pathlib import Path

import pandas as pd
import pytest

REPORT = Path(__file__).resolve().parents[3] / "reports" / "second-outlines"
README = " ".join((REPORT / "README.md").read_text(encoding="utf-8").split())

SYMBOLS = {
    "BEVR": "bounding_ellipsoid_volume_ratio",
    "MF": "margin_fluctuation",
    "ASD": "angular_standard_deviation",
    "ASD (offset-averaged)": "angular_standard_deviation_offset_averaged",
}
PAIRS = (("manual", "second"), ("automatic", "manual"), ("automatic", "second"))


def interval(row: "pd.Series[float]", *names: str, digits: int = 2) -> str:
    """Return an estimate with its interval as the page writes it."""
    values = [f"{float(row[name]):.{digits}f}" for name in names]
    estimate, low, high = (re.sub(r"^-(0\.0+)$", r"\1", value) for value in values)
    return f"{estimate} ({low} to {high})"


def only(name: str, **key: str) -> "pd.Series[float]":
    """Return the one row of a table with such values."""
    table = pd.read_csv(REPORT / f"{name}.csv")
    for column, value in key.items():
        table = table[table[column] == value]
    assert len(table) == 1, (name, key)
    return table.iloc[0]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_agreement_is_that_of_the_tables_invariant(symbol: str) -> None:
    key = {"feature": SYMBOLS[symbol], "measure": "ICC(A,1)"}
    cells = [
        interval(only("reliability", first=one, second=other, **key), "estimate", "low", "high")
        for one, other in PAIRS
    ]
    assert f"| {symbol} | {' | '.join(cells)} |" in README
    if "offset" in symbol:
        return
    names = ("automatic with second", "automatic with manual", "mean of the two")
    contrasts = [
        interval(
            only("contrasts", contrast=f"{name}, less manual with second", **key),
            "difference", "low", "high",
        )
        for name in names
    ]  # fmt: skip
    assert f"| {symbol} | {' | '.join(contrasts)} |" in README.replace("**", "")


def test_explanations_are_those_of_the_table_invariant() -> None:
    rows = {
        "resolution across slices: every k-th slice": "second group: every k-th slice",
        "slices k thick": "second group: slices k thick",
        "resolution in the slice: half as many pixels": "all: half as many pixels a side",
        "smoothing: all by 1 pixel": "all: smoothed, 1 pixel",
        "smoothing: manual masks alone by 1 pixel": "manual: smoothed, 1 pixel",
        "component: whole mask": "all: whole mask",
        "slice: mean over all slices": "all: mean over all slices",
        "slice of the manual mask for all": "automatic and second group: slice of the manual mask",
        "orientation: mean of 36 offsets": "all: mean of 36 offsets",
        "after a quarter-turn": "second group: after a quarter-turn",
        "a few large values: logarithms": "all: logarithms",
    }
    key = {"feature": SYMBOLS["ASD"], "measure": "ICC(A,1)", "second": "second"}
    for text, change in rows.items():
        firsts = ("manual",) if change.startswith("manual") else ("manual", "automatic")
        cells = [
            interval(
                only("explanations", change=change, first=first, **key), "difference", "low", "high"
            )
            for first in firsts
        ]
        assert f"| {text} | {' | '.join(cells)} |" in README.replace("**", "")


def test_associations_are_those_of_the_tables_invariant() -> None:
    table = pd.read_csv(REPORT / "associations_by_ranks.csv")
    for line in re.findall(
        r"\| (\w+) × (\w+) \| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ", README
    ):
        symbol, label, n, *cells = line
        for masks, shown in zip(("manual", "automatic", "second"), cells, strict=True):
            row = table[
                (table["masks"] == masks)
                & (table["feature"] == SYMBOLS[symbol])
                & (table["label"] == f"{label}Cluster")
            ].iloc[0]
            p = f"{row['p']:.3f}" if row["p"] < 0.1 else f"{row['p']:.2f}"
            expected = f"{row['effect']:.2f} (0 to {row['effect_high']:.2f}), p {p}"
            assert (shown, int(n), row["effect_low"]) == (expected, row["n"], 0), (symbol, label)
    ranks = table["detectable"]
    assert (ranks.min() > 0.28, ranks.max() < 0.42) == (True, True)
    quartiles = pd.read_csv(REPORT / "associations.csv")
    assert f"{quartiles['p'].min():.3f}" == "0.042"
    assert f"{quartiles['p_bonferroni'].min():.2f}" == "0.42"
    assert f"V would have to be at least {quartiles['detectable'].min():.2f} to" in README
    assert f"to {quartiles['detectable'].max():.2f}, depending on" in README
    differences = pd.read_csv(REPORT / "effect_differences.csv")
    assert len(differences) == 60
    assert ((differences["low"] <= 0) & (differences["high"] >= 0)).all()


def test_the_remaining_sentences_are_those_of_the_tables_invariant() -> None:
    asd = SYMBOLS["ASD"]
    groups, fair = (
        {"first": "manual", "second": "second"},
        {"first": "automatic", "second": "second"},
    )
    limits = {"feature": asd, "scale": "ratio"}
    ratio = only("limits", **limits, **groups)
    growth = only("limits", feature=asd, scale="difference", **fair)
    bevr = only("limits", feature=SYMBOLS["BEVR"], scale="difference", **groups)
    said = [
        f"ASD is {interval(ratio, 'bias', 'bias_low', 'bias_high').replace(' (', ' times (')}",
        f"are {ratio['lower']:.2f} and {ratio['upper']:.2f} for ASD",
        f"by {-bevr['bias']:.3f} ({-bevr['bias_high']:.3f} to {-bevr['bias_low']:.3f})",
        f"(manual minus second) are {bevr['lower']:.3f} and {bevr['upper']:.3f}",
        f"rank correlation {growth['growth']:.2f}, {growth['growth_low']:.2f} to",
    ]
    overlap = {"feature": asd, "quantity": "overlap of the outlines"}
    for pair, before in ((fair, "rank correlation "), (groups, "between the groups (")):
        row = only("disagreement", **overlap, **pair)
        said.append(f"{before}{row['estimate']:.2f}, {row['low']:.2f} to {row['high']:.2f}")
    overlaps = pd.read_csv(REPORT / "overlaps.csv")
    overlaps = overlaps[(overlaps["first"] == "manual") & (overlaps["second"] == "second")]
    medians = sorted(overlaps["median"])
    said += [f"median Dice {medians[-1]:.2f}", f"at most {medians[-2]:.2f} for"]
    influence = only("influence", feature=asd, **fair)
    said.append(f"between {influence['lowest']:.2f} and {influence['highest']:.2f} (`influence")
    said.append(f"On the logarithmic scale the ICC is {influence['icc_of_logarithms']:.2f} instead")
    for text in said:
        assert text in README, text
