"""Print the tables of the README from what `lggshape compare` wrote.

python reports/architectures/table.py
"""

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent
TABLES = HERE / "comparison"


def interval(row: Any, name: str, low: str, high: str, places: int = 3, sign: str = "") -> str:
    """Write a value with its interval; a dash if there is none."""
    if name not in row or pd.isna(row[name]):
        return "–"
    value, lowest, highest = (f"{row[one]:{sign}.{places}f}" for one in (name, low, high))
    return f"{value} ({lowest} to {highest})".replace("-", "−")


def markdown(table: pd.DataFrame) -> str:
    """Write a table as Markdown has it."""
    lines = [list(table), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    titles = {
        name: row.get("title", "")
        for name, row in tomllib.loads((HERE / "rows.toml").read_text(encoding="utf-8")).items()
    }
    runs = pd.read_csv(TABLES / "runs.csv")
    differences = pd.read_csv(TABLES / "differences.csv").set_index(["measure", "run"])

    def difference(measure: str, run: str) -> list[str]:
        if (measure, run) not in differences.index:
            return ["–", "–"]
        row = differences.loc[(measure, run)]
        return [interval(row, "difference", "low", "high", sign="+"), f"{row['p_holm']:.2g}"]

    masks, slices = [], []
    for _, row in runs.iterrows():
        name = row["run"]
        title = f"`{name}`: {titles[name]}"
        area = interval(row, "auc", "auc_low", "auc_high")
        slices.append(
            [
                title, row["patients"], area, *difference("auc", name),
                interval(row, "sensitivity_at_95_specificity",
                         "sensitivity_at_95_specificity_low", "sensitivity_at_95_specificity_high"),
            ]
        )  # fmt: skip
        if pd.notna(row["dice"]):
            masks.append(
                [
                    title, f"{row['parameters'] / 1e6:.1f}", row["training_minutes"],
                    row["seconds_a_case"], row["patients"],
                    interval(row, "dice", "dice_low", "dice_high"), f"{row['dice_median']:.3f}",
                    int(row["dice_below_0.7"]), *difference("dice", name),
                    interval(row, "hd95_pixels", "hd95_pixels_low", "hd95_pixels_high", 1),
                ]
            )  # fmt: skip
    reference = differences["reference"].iloc[0]
    against = [f"difference from `{reference}`, shared patients", "p (Holm)"]
    heads = [
        "run", "million parameters", "training, minutes", "seconds a case", "n", "Dice", "median",
        "below 0.7", *against, "HD95, pixels",
    ]  # fmt: skip
    print(markdown(pd.DataFrame(masks, columns=heads)))
    heads = ["run", "n", "AUC", *against, "sensitivity at 95 % specificity"]
    print(f"\n{markdown(pd.DataFrame(slices, columns=heads))}")
    print(f"\n{markdown(pd.read_csv(TABLES / 'epochs.csv').round(3))}")


if __name__ == "__main__":
    main()
