"""The page of reports/quality-flag against its tables, and the tables against each other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lggshape.segmentation import SHIPPED
from lggshape.segmentation.inference.mask_check import WORDS, read_model

REPORT = Path(__file__).resolve().parents[1] / "reports" / "quality-flag"
README = " ".join((REPORT / "README.md").read_text(encoding="utf-8").split()).replace("**", "")
BAD = 0.7
MOST_BAD, LEAST_AUC = 0.02, 0.85


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(REPORT / f"{name}.csv")


def only(name: str, **key: str) -> pd.Series:
    """Return the one row of a table with such values."""
    rows = table(name)
    for column, value in key.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, (name, key)
    return rows.iloc[0]


def area(row: pd.Series) -> str:
    return f"{row['auc']:.2f} ({row['low']:.2f} to {row['high']:.2f})" if row["auc"] > 0 else "–"


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def test_areas_are_those_of_scikit_learn_sklearn() -> None:
    scores, areas = table("scores"), table("auc").set_index("kind")
    expected = scores["expected_dice"].fillna(0)
    found = roc_auc_score(scores["dice"] < BAD, -expected)
    assert areas.loc["all", "auc"] == pytest.approx(found)
    assert areas.loc["all", "n"] == len(scores)
    assert areas["n"][2:].sum() == len(scores)


def test_every_patient_has_every_round_invariant() -> None:
    scores = table("scores")
    assert set(scores.groupby("patient")["round"].nunique()) == {scores["round"].nunique()}
    assert set(scores.groupby("patient")["fold"].nunique()) == {1}
    assert scores["patient"].nunique() == 110


def test_verdicts_count_the_scores_invariant() -> None:
    scores, checks = table("scores"), table("checks")
    for row in checks[checks["images"] == "all"].itertuples():
        marked = scores[scores["check"] == row.check]
        assert (len(marked), (marked["dice"] < BAD).sum()) == (row.n, row.bad)


def test_the_model_that_ships_gives_nearly_what_cross_validation_gives() -> None:
    """It saw these masks, the others did not: a fit to noise would show."""
    scores, model = table("scores"), read_model(SHIPPED)
    assert model is not None
    found = scores.dropna(subset=["soft_dice"])
    own = [model.judge(row).expected_dice for row in found[list(WORDS)].to_dict("records")]
    assert np.corrcoef(np.array(own, dtype=float), found["expected_dice"])[0, 1] > 0.9


def test_the_table_of_areas_is_on_the_page_invariant() -> None:
    for _, row in table("auc").iterrows():
        line = (
            f"| {row['kind']} | {row['n']} | {row['dice_mean']:.3f} | {row['bad']} | {area(row)} |"
        )
        assert line in README, line


def test_the_table_of_checks_is_on_the_page_invariant() -> None:
    for _, row in table("checks").iterrows():
        share = "–" if not row["n"] else percent(row["share_bad"])
        line = f"| {row['images']} | {row['check']} | {row['n']} | {row['bad']} | {share} |"
        assert line in README, line


def test_the_table_of_calibration_is_on_the_page_invariant() -> None:
    for _, row in table("calibration").iterrows():
        cells = (row["expected_median"], row["observed_median"], row["observed_mean"])
        shown = " | ".join(f"{cell:.3f}" for cell in cells)
        line = f"| {row['images']} | {row['n']} | {shown} | {percent(row['coverage'])} |"
        assert line in README, line


def test_the_external_cases_are_on_the_page_invariant() -> None:
    for _, row in table("external").iterrows():
        numbers = f"{row['expected_dice_low']:.2f} to {row['expected_dice_high']:.2f}"
        line = f"{row['dice']:.3f} | {row['expected_dice']:.3f} ({numbers}) | {row['check']} |"
        assert f"| {row['case']} | {line}" in README, line


def test_the_sentences_about_the_bars_are_those_of_the_tables_invariant() -> None:
    whole, ok = only("auc", kind="all"), only("checks", images="all", check="ok")
    native_ok = only("checks", images="native", check="ok")
    assert f"The AUC for a Dice below 0.7 is {area(whole)}" in README
    share = f"{percent(ok['share_bad'])} ({percent(ok['low'])} to {percent(ok['high'])})"
    assert f"Of the {ok['n']} masks marked ok, {ok['bad']} lie below 0.7: {share}" in README
    assert f"Of the 110 native images, {native_ok['n']} are marked ok" in README
    assert ("bar of 0.85 is met" in README) == bool(whole["auc"] >= LEAST_AUC)
    assert ("bar of 2 % is met" in README) == bool(ok["share_bad"] <= MOST_BAD)
