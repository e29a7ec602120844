"""Print the tables of the README from what `lggshape compare` wrote."""

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.statistics import adjust

LEVEL = 0.05
HERE = Path(__file__).parent
EVERY, RANDOM, SEEDS = (HERE / f"comparison{name}" for name in ("", "-random", "-seeds"))
"""All rows beside `imagenet`; those from random weights beside `random`; rows of another seed."""


def interval(row: Any, name: str, *, places: int = 3) -> str:
    """Write a value with its interval; a dash if there is none."""
    if pd.isna(row.get(name)):
        return "–"
    low, high = ("low", "high") if name == "difference" else (f"{name}_low", f"{name}_high")
    sign = "+" if name == "difference" else ""
    value, lowest, highest = (f"{row[one]:{sign}.{places}f}" for one in (name, low, high))
    return f"{value} ({lowest} to {highest})".replace("-", "−")


def differences(folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Return difference and corrected p by measure and run."""
    return {
        (row["measure"], row["run"]): (
            interval(row, "difference", places=1 if row["measure"] == "hd95_pixels" else 3),
            f"{row['p_holm']:.2g}",
        )
        for row in pd.read_csv(folder / "differences.csv").to_dict("records")
    }


def show(heads: list[str], rows: list[list[Any]]) -> None:
    """Print a table as Markdown has it."""
    lines = [heads, ["---"] * len(heads), *rows]
    print("\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines), end="\n\n")


MEASURES = {
    "dice": "Dice",
    "surface_dice_pixels": "surface Dice",
    "hd95_pixels": "HD95",
    "auc": "AUC of slices",
}


def over_all(folder: Path) -> list[list[Any]]:
    """Return what is shown by Holm's method for one measure, with p by Holm's for all measures."""
    table = pd.read_csv(folder / "differences.csv").dropna(subset="p")
    table["p_all"] = adjust(table["p"].to_numpy()).holm
    shown = table[table["p_holm"] < LEVEL].sort_values("p_all", kind="stable")
    return [
        [
            f"`{row['run']}` less `{row['reference']}`", MEASURES[row["measure"]],
            interval(row, "difference", places=1 if row["measure"] == "hd95_pixels" else 3),
            f"{row['p_holm']:.2g}", f"{row['p_all']:.2g}",
            "yes" if row["p_all"] < LEVEL else "no",
        ]
        for row in shown.to_dict("records")
    ]  # fmt: skip


def main() -> None:
    rows = tomllib.loads((HERE / "rows.toml").read_text(encoding="utf-8"))
    titles = {name: f"`{name}`: {row['title']}" for name, row in rows.items() if name != "all"}
    runs = pd.read_csv(EVERY / "runs.csv").to_dict("records")
    found, none = differences(EVERY), ("–", "–")
    masks = [row for row in runs if pd.notna(row["dice"])]
    cases = pd.read_csv(EVERY / "cases.csv")
    show(
        ["run", "n", "Dice", "median", "below 0.7", "difference from `imagenet`", "p (Holm)",
         "median difference"],
        [
            [
                titles[row["run"]], row["patients"], interval(row, "dice"),
                f"{row['dice_median']:.3f}", int(row["dice_below_0.7"]),
                *found.get(("dice", row["run"]), none),
                f"{(cases[row['run']] - cases['imagenet']).median():+.3f}".replace("-", "−"),
            ]
            for row in masks
        ],
    )  # fmt: skip
    show(
        ["run", "surface Dice, 1 pixel", "difference", "p (Holm)", "HD95, pixels", "difference",
         "p (Holm)"],
        [
            [
                f"`{row['run']}`", interval(row, "surface_dice_pixels"),
                *found.get(("surface_dice_pixels", row["run"]), none),
                interval(row, "hd95_pixels", places=1),
                *found.get(("hd95_pixels", row["run"]), none),
            ]
            for row in masks
        ],
    )  # fmt: skip
    show(
        ["run", "n", "AUC of slices", "difference from `imagenet`", "p (Holm)",
         "sensitivity at 95 % specificity"],
        [
            [
                titles[row["run"]], row["patients"], interval(row, "auc"),
                *found.get(("auc", row["run"]), none),
                interval(row, "sensitivity_at_95_specificity"),
            ]
            for row in runs
        ],
    )  # fmt: skip
    fastest = pd.read_csv(EVERY / "history.csv").groupby("run")["seconds"].min()
    show(
        ["run", "million parameters", "seconds in the fastest epoch", "seconds per case"],
        [
            [f"`{row['run']}`", f"{row['parameters'] / 1e6:.1f}", f"{fastest[row['run']]:.0f}",
             f"{row['seconds_per_case']:.1f}"]
            for row in runs
        ],
    )  # fmt: skip
    beside = differences(RANDOM)
    names = [row["run"] for row in runs if ("auc", row["run"]) in beside]
    measures = ("dice", "surface_dice_pixels", "hd95_pixels", "auc")
    show(
        ["run", "difference of Dice from `random`", "p (Holm)", "surface Dice", "p (Holm)", "HD95",
         "p (Holm)", "AUC of slices", "p (Holm)"],
        [
            [f"`{name}`", *(cell for one in measures for cell in beside.get((one, name), none))]
            for name in names
        ],
    )  # fmt: skip
    for folder in (EVERY, RANDOM):
        show(
            ["comparison", "measure", "difference", "p (Holm, one measure)", "p (Holm, all)",
             "remains"],
            over_all(folder),
        )  # fmt: skip
    again = {f"{name}-again": differences(SEEDS / name) for name in ("imagenet", "random")}
    show(
        ["run", "difference of Dice", "p", "surface Dice", "p", "HD95", "p", "AUC of slices", "p"],
        [
            [f"`{name}`", *(cell for one in measures for cell in beside[one, name])]
            for name, beside in again.items()
        ],
    )  # fmt: skip
    for folder in (EVERY, RANDOM):
        epochs = pd.read_csv(folder / "epochs.csv", dtype_backend="numpy_nullable").round(3)
        show(list(epochs), epochs.astype(object).fillna("never").to_numpy().tolist())


if __name__ == "__main__":
    main()
