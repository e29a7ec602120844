"""Fit the model of the Dice to expect, and score it by nested cross-validation.

    python reports/quality-flag/fit.py WORK

WORK is what `disturb.py` wrote. Writes `scores.csv` and the other tables and the figure beside this
file, and the model beside the networks that ship.
"""

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from scipy.stats import binomtest, rankdata
from sklearn.linear_model import QuantileRegressor, Ridge

from lggshape.figures.style import ACCENT, HouseFigure, house_style
from lggshape.figures.writing import write_figures
from lggshape.files import write_json, write_table
from lggshape.segmentation import SHIPPED
from lggshape.segmentation.inference.mask_check import CHECK, WORDS, Model, Term
from lggshape.statistics.clusters import cluster_bootstrap

HERE = Path(__file__).parent
BAD = 0.7
"""A mask with a lower Dice is bad."""

MOST_BAD = 0.01
"""The share of bad masks among those marked ok that the limit allows in the training images."""

CLIP = 0.01
PENALTIES = np.logspace(-1, 3, 9)
QUANTILES = {"low": 0.05, "expected": 0.5, "high": 0.95}
MEASURES = list(WORDS)
FEWEST = 3
"""Images on either side for an AUC."""


def read_rows(work: Path) -> pd.DataFrame:
    """Return a row per image, of the rounds that are complete."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(work.glob("*.json"))]
    table = pd.DataFrame(rows).sort_values(["round", "case"], ignore_index=True)
    counts = table["round"].value_counts().sort_index()
    complete = counts.index[counts == counts.max()]
    return table[table["round"].isin(complete)].reset_index(drop=True)


def target(table: pd.DataFrame) -> np.ndarray:
    return logit(table["dice"].clip(CLIP, 1 - CLIP).to_numpy())


class Fitted:
    """Ridge regression on standardised measures, and on their squares if wanted."""

    def __init__(self, table: pd.DataFrame, penalty: float, *, squares: bool) -> None:
        values = table[MEASURES].astype(float)
        self.low, self.high = values.min(), values.max()
        self.mean, self.deviation = values.mean(), values.std().replace(0, 1)
        self.squares = squares
        self.ridge = Ridge(penalty).fit(self.design(table), target(table))

    def design(self, table: pd.DataFrame) -> np.ndarray:
        clipped = table[MEASURES].astype(float).clip(self.low, self.high, axis=1)
        z = ((clipped - self.mean) / self.deviation).fillna(0).to_numpy()
        return np.hstack([z, z**2]) if self.squares else z

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        return self.ridge.predict(self.design(table))

    @property
    def terms(self) -> dict[str, Term]:
        slopes = self.ridge.coef_[: len(MEASURES)]
        squares = self.ridge.coef_[len(MEASURES) :] if self.squares else np.zeros(len(MEASURES))
        return {
            name: Term(
                *(float(one[name]) for one in (self.mean, self.deviation, self.low, self.high)),
                float(slope), float(square),
            )
            for name, slope, square in zip(MEASURES, slopes, squares, strict=True)
        }  # fmt: skip


def inner_predictions(table: pd.DataFrame, penalty: float, *, squares: bool) -> np.ndarray:
    """Return predictions of each fold by a fit to the others."""
    predicted = np.empty(len(table))
    for fold in table["fold"].unique():
        held_out = (table["fold"] == fold).to_numpy()
        fitted = Fitted(table[~held_out], penalty, squares=squares)
        predicted[held_out] = fitted.predict(table[held_out])
    return predicted


def fit(table: pd.DataFrame) -> tuple[Model, dict[str, Any]]:
    """Fit the model to some folds; nothing else is used to choose anything."""
    table = table.dropna(subset=["soft_dice"])  # nothing was found
    tried = {
        (squares, penalty): inner_predictions(table, penalty, squares=squares)
        for squares, penalty in product((False, True), PENALTIES)
    }
    errors = {key: np.abs(one - target(table)).mean() for key, one in tried.items()}
    squares, penalty = best = min(errors, key=errors.__getitem__)
    inner = tried[best]
    lines = {}
    for name, quantile in QUANTILES.items():
        line = QuantileRegressor(quantile=quantile, alpha=0).fit(inner[:, None], target(table))
        lines[name] = (float(line.intercept_), float(line.coef_[0]))
    fitted = Fitted(table, penalty, squares=squares)
    model = Model(fitted.terms, float(fitted.ridge.intercept_), lines, 1.0, BAD)
    a, b = lines["expected"]
    expected = 1 / (1 + np.exp(-(a + b * inner)))
    model = model._replace(ok=ok_limit(expected, table["dice"].to_numpy()))
    return model, {"squares": squares, "penalty": penalty, "ok": model.ok}


def ok_limit(expected: np.ndarray, observed: np.ndarray) -> float:
    """Return the lowest expected Dice from which on few enough masks are bad."""
    order = np.argsort(-expected)
    shares = np.cumsum(observed[order] < BAD) / np.arange(1, len(order) + 1)
    allowed = np.flatnonzero(shares <= MOST_BAD)
    return max(BAD, float(expected[order][allowed[-1]])) if allowed.size else 1.0


def judge(table: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Return what the model says of each image."""
    checks = [
        model.judge({} if pd.isna(row["soft_dice"]) else row)
        for row in table[MEASURES].astype(float).to_dict("records")
    ]
    columns = ["expected_dice", "expected_dice_low", "expected_dice_high", "check", "check_reason"]
    return pd.DataFrame(checks, columns=columns, index=table.index)


def nested(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table with what models of the other folds say, and what they chose."""
    parts, chosen = [], []
    for fold in sorted(table["fold"].unique()):
        held_out = table["fold"] == fold
        model, choice = fit(table[~held_out])
        parts.append(judge(table[held_out], model))
        chosen.append({"fold": fold, **choice})
    return table.join(pd.concat(parts)), pd.DataFrame(chosen)


def score_of(table: pd.DataFrame) -> pd.Series:
    """Return what ranks the masks: the expected Dice, 0 of one that is empty."""
    return table["expected_dice"].astype(float).fillna(0)


def auc_row(kind: str, table: pd.DataFrame) -> dict[str, Any]:
    bad, score = (table["dice"] < BAD).to_numpy(), score_of(table).to_numpy()
    row = {"kind": kind, "n": len(table), "bad": int(bad.sum()), "dice_mean": table["dice"].mean()}
    if min(bad.sum(), (~bad).sum()) < FEWEST:
        return row

    def area(rows: np.ndarray) -> float:
        below, ranks = bad[rows], rankdata(-score[rows])
        pairs = below.sum() * (~below).sum()
        # The Mann-Whitney statistic: scikit-learn takes many times as long.
        return (
            (ranks[below].sum() - below.sum() * (below.sum() + 1) / 2) / pairs if pairs else np.nan
        )

    low, high = cluster_bootstrap(area, table["patient"].to_numpy())
    return row | {"auc": area(np.arange(len(table))), "low": low[0], "high": high[0]}


def areas(table: pd.DataFrame) -> pd.DataFrame:
    """Return the AUC for bad masks of all images, and of each kind."""
    disturbed = table[table["round"] > 0]
    rows = [auc_row("all", table), auc_row("disturbed", disturbed)]
    rows += [auc_row(kind, one) for kind, one in table.groupby("kind")]
    return pd.DataFrame(rows)


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many masks get each mark, and how many of them are bad."""
    rows = []
    groups = {
        "all": table,
        "native": table[table["round"] == 0],
        "disturbed": table[table["round"] > 0],
    }
    for (images, group), check in product(groups.items(), ("ok", "look", "doubtful")):
        marked = group[group["check"] == check]
        bad = int((marked["dice"] < BAD).sum())
        row = {"images": images, "check": check, "n": len(marked), "bad": bad}
        if len(marked):
            interval = binomtest(bad, len(marked)).proportion_ci(method="exact")
            row |= {
                "share_bad": bad / len(marked), "low": interval.low, "high": interval.high,
                "dice_mean": marked["dice"].mean(), "dice_lowest": marked["dice"].min(),
            }  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def calibration(table: pd.DataFrame) -> pd.DataFrame:
    """Return expected and observed Dice by fifths of the expected one, and the coverage."""
    found = table.dropna(subset=["soft_dice"]).copy()
    found["covered"] = found["dice"].between(
        found["expected_dice_low"], found["expected_dice_high"]
    )
    found["fifth"] = pd.qcut(found["expected_dice"].astype(float), 5, labels=False) + 1
    groups = [(f"fifth {number}", one) for number, one in found.groupby("fifth")]
    groups += [("native", found[found["round"] == 0]), ("disturbed", found[found["round"] > 0])]
    return pd.DataFrame(
        {
            "images": name, "n": len(one), "expected_median": one["expected_dice"].median(),
            "observed_median": one["dice"].median(), "observed_mean": one["dice"].mean(),
            "coverage": one["covered"].mean(),
        }
        for name, one in [*groups, ("all", found)]
    )  # fmt: skip


def draw(table: pd.DataFrame) -> HouseFigure:
    """Draw the observed Dice against the expected one."""
    with house_style():
        figure = HouseFigure(figsize=(4.6, 4.2), layout="constrained")
        axes = figure.subplots()
        looks = {"ok": (ACCENT, "o"), "look": ("#b8860b", "^"), "doubtful": ("#b22222", "s")}
        for check, (color, marker) in looks.items():
            one = table[table["check"] == check]
            axes.scatter(
                score_of(one), one["dice"], s=14, color=color, marker=marker, alpha=0.7,
                linewidths=0, label=f"{check} ({len(one)})",
            )  # fmt: skip
        axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8)
        axes.axhline(BAD, color="#888888", linewidth=0.8, linestyle=":")
        axes.set(xlim=(-0.02, 1), ylim=(-0.02, 1), xlabel="expected Dice", ylabel="Dice")
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def main() -> None:
    table, chosen = nested(read_rows(Path(sys.argv[1])))
    tables = {
        "scores": table, "choices": chosen, "auc": areas(table), "checks": verdicts(table),
        "calibration": calibration(table),
    }  # fmt: skip
    for name, one in tables.items():
        write_table(HERE / f"{name}.csv", one)
        if name != "scores":
            print(one.round(3).to_string(index=False), end="\n\n")
    write_figures({"expected": draw(table)}, HERE)
    model, choice = fit(table)
    print(choice)
    terms = {name: term._asdict() for name, term in model.terms.items()}
    write_json(SHIPPED / CHECK, {**model._asdict(), "terms": terms})


if __name__ == "__main__":
    main()
