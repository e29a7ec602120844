import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from lggshape.association import (
    TESTS,
    Family,
    Hypothesis,
    Study,
    associate,
    corrected_alpha,
)
from lggshape.association.jonckheere import JonckheereTerpstra
from lggshape.labels import LabelDefinition
from lggshape.statistics import detectable_v

MF = "margin_fluctuation"
GRADE = LabelDefinition("grade", levels=["II", "III"])
HYPOTHESES = (
    Hypothesis(MF, "idh"),
    Hypothesis(MF, "grade"),
    Hypothesis(MF, "age"),
    Hypothesis(MF, "survival", time="days", event="died"),
)


def study(
    n: int,
    mutants: int,
    deaths: int,
    *,
    alpha: float = 0.05,
    test: str | None = None,
    hypotheses: tuple[Hypothesis, ...] = HYPOTHESES,
) -> Study:
    i = np.arange(n)
    patients = [f"p{k:03}" for k in i]
    features = pd.DataFrame({"case": patients, "patient": patients, "masks": "manual"})
    features[MF] = i * 37 % n + i / 1000
    labels = pd.DataFrame(
        {
            "patient": patients,
            "idh": np.where(i < mutants, "mutant", "wild type"),
            "grade": np.where(i % 2, "II", "III"),
            "age": 30.5 + i * 13 % n,
            "days": 100 + i * 29 % n,
            "died": np.where(i < deaths, "yes", "no"),
        }
    )
    family = Family("mine", "Mine", hypotheses, alpha=alpha, labels=(GRADE,))
    return associate(features, labels, family, test=test)


def test_many_patients_are_not_exploratory_invariant() -> None:
    found = study(120, 50, 90)
    rows = found.associations.set_index("label")
    assert (rows["exploratory"] == "").all()
    assert rows["n_per_level"].to_dict() == {
        "idh": "mutant: 50; wild type: 70",
        "grade": "II: 60; III: 60",
        "age": "",
        "survival": "",
    }
    assert corrected_alpha(found.family) == 0.0125
    assert rows.loc["idh", "detectable"] == detectable_v(120, 4, 2, alpha=0.0125)
    assert (rows["detectable"] < rows["large"]).all()
    assert "exploratory" not in found.summary()


def test_few_patients_are_exploratory_and_told_why_analytic() -> None:
    found = study(12, 4, 5)
    rows = found.associations.set_index("label")
    reasons = rows["exploratory"]
    assert reasons["idh"] == (
        "fewer than 10 patients outside the largest level; not even the largest effect has 80 % "
        "power"
    )
    assert reasons["age"].startswith("only effects of 0.8")
    assert reasons["age"].endswith(" and more have 80 % power, and 0.50 is large")
    assert reasons["survival"].startswith("fewer than 10 events; only effects of ")
    assert math.isnan(rows.loc["idh", "detectable"])
    assert "4 of 4 tests can only be exploratory" in found.summary()


def test_a_rare_level_is_exploratory_however_many_the_others_are_analytic() -> None:
    reasons = study(200, 9, 150).associations.set_index("label")["exploratory"]
    assert reasons["idh"] == "fewer than 10 patients outside the largest level"
    assert reasons["grade"] == ""


def test_fewer_hypotheses_show_smaller_effects_invariant() -> None:
    few, many = (study(60, 30, 40, alpha=alpha).associations for alpha in (0.05, 0.01))
    assert (few["detectable"] < many["detectable"]).all()
    assert (few["p"] == many["p"]).all()


def test_a_level_above_the_power_tells_no_effect() -> None:
    rows = study(40, 20, 20, alpha=0.9, hypotheses=HYPOTHESES[:1]).associations
    assert rows["detectable"].isna().all()
    assert (rows["exploratory"] == "").all()


def test_every_test_tells_what_it_can_show() -> None:
    used = {name: study(60, 30, 40, test=name).associations for name in TESTS}
    for name, rows in used.items():
        assert TESTS[name].power, name
        assert rows[["detectable", "large"]].notna().all(axis=None), name


def test_a_large_trend_is_that_of_cohen_analytic() -> None:
    rows = study(40, 20, 20).associations.set_index("label")
    expected = 2 * norm.cdf(0.8 / math.sqrt(2)) - 1
    assert rows.loc["grade", "effect_name"] == JonckheereTerpstra.effect
    assert rows.loc["grade", "large"] == pytest.approx(expected, abs=0.005)


def test_a_large_hazard_ratio_is_that_of_cohen_analytic() -> None:
    # The logarithm of an exponential time has the standard deviation pi / sqrt(6); two equal groups
    # differ by two standard deviations of their indicator.
    expected = math.exp(0.8 * math.pi / math.sqrt(6) / 2)
    large = study(40, 20, 20).associations.set_index("label").loc["survival", "large"]
    assert large == pytest.approx(expected, abs=0.005)
