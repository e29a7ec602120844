from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import norm, rankdata

from lggshape.association import AdjustedResults, Family, Hypothesis, associate, read_features
from lggshape.errors import InputError

# benchmarks/oracles/adjustment.R prints the values of R of this module, from the same numbers.
X = [
    *(2.1, 3.4, 1.9, 4.4, 5.0, 3.3, 6.1, 4.9, 7.2, 2.6),
    *(5.8, 6.6, 4.1, 3.9, 5.5, 2.9, 6.0, 4.7, 3.0, 5.1),
]
COLUMNS: dict[str, Any] = {
    "age": [61, 35, 48, 52, 70, 44, 66, 58, 41, 39, 73, 55, 48, 62, 50, 35, 57, 64, 47, 69],
    "grade": [1, 0, 0, 1, 2, 0, 2, 1, 2, 0, 1, 2, 1, 0, 2, 1, 1, 0, 0, 2],
    "number": [12, 30, 25, 18, 9, 28, 14, 20, 8, 33, 11, 16, 21, 19, 13, 27, 10, 22, 31, 15],
    "time": [5, 14, 9, 30, 22, 3, 17, 26, 8, 12, 9, 21, 16, 7, 19, 25, 11, 6, 28, 13],
    "event": [1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1],
}
SITE = list("AABBACBACABCABCCABAC")
PATIENTS = [f"p{number}" for number in range(20)]
SURVIVAL = Hypothesis("x", "survival", time="time", event="event")
ORDINAL = Hypothesis("x", "grade", levels=["0", "1", "2"])


def features(**columns: Any) -> pd.DataFrame:
    keys = {"case": PATIENTS, "patient": PATIENTS, "masks": "manual"}
    return pd.DataFrame(keys | {"x": X, "site": SITE} | columns)


def labels(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"patient": PATIENTS} | COLUMNS | columns)


def given(
    *hypotheses: Hypothesis,
    table: pd.DataFrame | None = None,
    known: pd.DataFrame | None = None,
    **options: Any,
) -> AdjustedResults:
    table = features() if table is None else table
    known = labels() if known is None else known
    family = Family("mine", "Mine", hypotheses)
    found = associate(table, known, family, permutations=99, **options).given
    assert found is not None
    return found


def rows(found: AdjustedResults) -> pd.DataFrame:
    return found.adjusted.set_index("model")


@pytest.mark.parametrize(
    ("hypothesis", "f", "df", "effect"),
    [
        (Hypothesis("x", "grade"), 3.85382439, (2, 13), (0.3722126477,)),
        (ORDINAL, 7.703372426, (1, 14), (0.5957675381, 0.09639662154, 0.8555289905)),
        (
            Hypothesis("x", "number"),
            5.828320705,
            (1, 14),
            (-0.5421615986, -0.8303881735, -0.02503338533),
        ),
    ],
)
@pytest.mark.parametrize(
    "options", [{"adjust": ["age", "site"]}, {"adjust": ["age"], "within": "site"}]
)
def test_ranks_given_covariates_r(
    hypothesis: Hypothesis,
    f: float,
    df: tuple[int, int],
    effect: tuple[float, ...],
    options: dict[str, Any],
) -> None:
    row = rows(given(hypothesis, **options)).loc["adjusted"]
    assert row["statistic"] == pytest.approx(f)
    assert (row["df_tested"], row["df_residual"]) == df
    shown = ["effect", "effect_low", "effect_high"][: len(effect)]
    assert row[shown].tolist() == pytest.approx(effect)
    assert row["vif"] == pytest.approx(1.595519601)
    assert (row["n"], row["reason"]) == (20, "")


def test_interaction_of_number_and_site_r() -> None:
    found = rows(given(Hypothesis("x", "number"), adjust=["age", "site"]))
    row = found.loc["interaction with site"]
    assert row["statistic"] == pytest.approx(2.395188928)
    assert (row["df_tested"], row["df_residual"]) == (2, 12)
    assert row["effect"] == pytest.approx(0.2853049465)
    assert row["effect_name"] == "partial R squared"
    assert row["exploratory"]


def test_cox_within_site_r() -> None:
    row = rows(given(SURVIVAL, adjust=["age"], within="site")).loc["adjusted"]
    assert row["p"] == pytest.approx(0.8364809332, rel=1e-5)
    effect = row[["effect", "effect_low", "effect_high"]].tolist()
    assert effect == pytest.approx([0.9064474298, 0.3566679821, 2.303674522], rel=1e-5)
    assert row["p_proportional"] == pytest.approx(0.2904342253, rel=1e-5)
    assert (row["n"], row["events"], row["exploratory"]) == (20, 14, True)


def test_too_few_events_per_column_are_not_fitted() -> None:
    found = rows(given(SURVIVAL, adjust=["age", "site"]))
    reason = "14 events for 4 columns of the model, fewer than 5 per column"
    assert found.loc["adjusted", "reason"] == reason
    assert np.isnan(found.loc["adjusted", "p"])
    assert found.loc["same patients", "p"] == pytest.approx(0.33, abs=0.33)


def test_too_few_patients_per_column_are_not_fitted() -> None:
    found = given(Hypothesis("x", "grade"), table=features(site=PATIENTS), within="site")
    reason = "20 patients for 21 columns of the model, fewer than 2 per column"
    assert rows(found).loc["adjusted", "reason"] == reason


def test_the_same_patients_with_and_without_covariates_invariant() -> None:
    known = labels(age=[np.nan, np.nan, *COLUMNS["age"][2:]])
    table = features(site=["", *SITE[1:]])
    found = given(Hypothesis("x", "number"), table=table, known=known, adjust=["age"])
    assert found.adjusted["n"].tolist() == [18, 18, 18]
    assert found.adjusted["missing"].tolist() == ["age (2)", "age (2)", "age (2); site (1)"]
    complete = known.iloc[2:]
    alone = associate(table, complete, Family("mine", "Mine", (Hypothesis("x", "number"),)))
    effect = found.adjusted["effect"].iloc[0]
    assert effect == pytest.approx(alone.associations["effect"].iloc[0])


def test_the_logarithm_of_a_covariate_is_the_same_covariate_invariant() -> None:
    one, other = (
        rows(given(Hypothesis("x", "grade"), table=features(size=size), adjust=["size"]))
        for size in (np.exp(COLUMNS["age"]), COLUMNS["age"])
    )
    pd.testing.assert_frame_equal(one, other)


def test_a_confounder_takes_its_association_away_planted() -> None:
    rng = np.random.default_rng(3)
    patients = [f"p{number}" for number in range(150)]
    size = rng.normal(size=150)
    keys = {"case": patients, "patient": patients, "masks": "manual"}
    table = pd.DataFrame(keys | {"x": size + rng.normal(size=150) / 2, "size": np.exp(size)})
    idh = np.where(size + rng.normal(size=150) / 2 > 0, "mutant", "wild type")
    known = pd.DataFrame({"patient": patients, "idh": idh})
    p = rows(given(Hypothesis("x", "idh"), table=table, known=known, adjust=["size"]))["p"]
    assert p["same patients"] == 0.01
    assert p["adjusted"] > 0.05


def test_permutation_within_sites_is_that_of_their_patients_analytic() -> None:
    # A site of one patient, and one of a single level: nothing there can be permuted.
    site = ["A"] * 10 + ["B"] * 9 + ["C"]
    label = ["a", "b"] * 5 + ["a"] * 10
    table, known = features(site=site), labels(group=label)
    row = rows(given(Hypothesis("x", "group"), table=table, known=known, within="site"))
    alone = rows(
        given(
            Hypothesis("x", "group"), table=table.iloc[:10], known=known.assign(size=X),
            adjust=["number"],
        )
    )  # fmt: skip
    assert row.loc["adjusted", "within"] == "site"
    assert row.loc["adjusted", "df_residual"] == 16
    assert alone.loc["same patients", "n"] == 10
    assert row.loc["adjusted", "p"] == pytest.approx(alone.loc["same patients", "p"], abs=0.25)


def test_nothing_is_tested_given_itself() -> None:
    table = features(size=COLUMNS["age"])
    hypotheses = (Hypothesis("size", "number"), Hypothesis("x", "age"), Hypothesis("x", "number"))
    found = given(*hypotheses, table=table, adjust=["size", "age"]).adjusted
    used = found[found["model"] == "adjusted"]
    assert used["covariates"].tolist() == ["age", "size", "size; age"]
    alone = given(Hypothesis("size", "number"), table=table, adjust=["size"])
    assert rows(alone).loc["adjusted", "reason"] == "no covariate but what is tested"
    strata = given(Hypothesis("x", "place"), known=labels(place=SITE), within="place")
    assert rows(strata).loc["adjusted", "reason"] == "place is what is tested"


def test_constant_covariates_and_explained_labels_have_a_reason() -> None:
    known = labels(same="yes", twin=[f"grade {grade}" for grade in COLUMNS["grade"]])
    constant = given(Hypothesis("x", "number"), known=known, adjust=["same"])
    assert rows(constant).loc["adjusted", "reason"] == "same is yes for all these patients"
    twin = given(Hypothesis("x", "grade"), known=known, adjust=["twin"])
    reason = "the covariates explain the label completely"
    assert rows(twin).loc["adjusted", "reason"] == reason


def test_each_site_is_left_out_invariant() -> None:
    found = given(Hypothesis("x", "number"), SURVIVAL, within="site").left_out_sites
    assert found["site"].tolist() == list("ABCABC")
    assert (found["n"] + found["n_site"]).tolist() == [20] * 6
    kept = [place != "B" for place in SITE]
    alone = associate(
        features()[kept], labels(), Family("mine", "Mine", (Hypothesis("x", "number"),))
    )
    names = ["n", "p", "effect", "effect_low", "effect_high", "test", "effect_name"]
    expected = alone.associations[names].iloc[0].tolist()
    assert found[names].iloc[1].tolist() == expected


def test_collinear_features_are_named_analytic() -> None:
    table = features(twin=np.square(X), other=COLUMNS["number"])
    hypotheses = [Hypothesis(name, "grade") for name in ("x", "twin", "other")]
    found = given(*hypotheses, table=table, adjust=["age", "other"]).collinear
    assert found[["feature", "other", "n"]].to_numpy().tolist()[0] == ["x", "twin", 20]
    assert found["rho"].iloc[0] == pytest.approx(1.0)
    assert (found["rho"].abs() >= 0.9).all()


def test_sites_may_be_codes(tmp_path: Path) -> None:
    codes = [ord(place) for place in SITE]
    table = read_features(features(site=codes))
    assert table["site"].tolist() == [str(code) for code in codes]
    one = given(Hypothesis("x", "number"), table=features(site=codes), adjust=["site"])
    two = given(Hypothesis("x", "number"), adjust=["site"])
    pd.testing.assert_frame_equal(one.adjusted, two.adjusted)
    path = tmp_path / "features.csv"
    features().to_csv(path, index=False)
    assert read_features(path)["site"].tolist() == SITE


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"adjust": ["ages"]}, "found neither. There are: .*Did you mean age"),
        ({"adjust": ["age", "age"]}, "every covariate once, found age twice"),
        ({"adjust": ["name"]}, "to be categories or numbers, found Label"),
        ({"adjust": ["both"]}, "found both. Name the column as features:both"),
        ({"within": "x"}, "strata x to be categories or whole numbers"),
    ],
)
def test_covariates_that_cannot_be(options: dict[str, Any], found: str) -> None:
    known = labels(name=PATIENTS, both=X)
    with pytest.raises(InputError, match=found):
        given(Hypothesis("x", "grade"), table=features(both=X), known=known, **options)


def test_either_of_two_columns_of_one_name_can_be_named() -> None:
    table, known = features(both=X), labels(both=COLUMNS["age"])
    hypothesis = Hypothesis("x", "grade")
    of_features, of_labels = (
        rows(given(hypothesis, table=table, known=known, adjust=[name])).loc["adjusted", "vif"]
        for name in ("features:both", "labels:both")
    )
    assert of_features > 1e6
    assert of_labels < 2


def test_without_covariates_there_are_no_such_tables() -> None:
    study = associate(features(), labels(), Family("mine", "Mine", (ORDINAL,)))
    assert study.given is None
    assert "adjusted" not in study.tables()


def odds_ratio(happened: Any, columns: Any) -> tuple[float, float, float]:
    """Find the posterior mode of logistic slopes with normal priors, and Laplace's interval.

    By a general minimiser and numerical second derivatives.
    """
    matrix = np.column_stack([np.ones(len(happened)), *map(zscore, columns)])

    def loss(slopes: Any) -> float:
        odds = matrix @ slopes
        return float(
            (np.logaddexp(0, odds) - happened * odds).sum() + (slopes[1:] ** 2).sum() / 12.5
        )

    mode = minimize(loss, np.zeros(matrix.shape[1]), tol=1e-12).x
    steps = 1e-3 * np.eye(len(mode))

    def second(a: Any, b: Any) -> float:
        same = loss(mode + a + b) + loss(mode - a - b)
        return (same - loss(mode + a - b) - loss(mode - a + b)) / 4e-6

    information = [[second(a, b) for a in steps] for b in steps]
    reach = 1.959964 * np.sqrt(np.linalg.inv(information)[1, 1])
    return float(np.exp(mode[1])), float(np.exp(mode[1] - reach)), float(np.exp(mode[1] + reach))


def zscore(values: Any) -> Any:
    values = np.asarray(values, dtype=float)
    return (values - values.mean()) / values.std(ddof=1)


def test_odds_ratios_of_levels_against_the_rest_scipy() -> None:
    found = given(Hypothesis("x", "grade"), adjust=["age"], within="site").odds_ratios
    grade, site = np.array(COLUMNS["grade"]), np.array(SITE)
    scores = norm.ppf(rankdata(COLUMNS["age"]) / 21)
    assert found["level"].tolist() == ["0", "1", "2"] * 2
    assert found["events"].tolist() == [7, 7, 6] * 2
    for row in found.itertuples():
        others = [scores, site == "B", site == "C"] if row.model == "adjusted" else []
        expected = odds_ratio(grade == int(str(row.level)), [X, *others])
        assert (row.odds_ratio, row.low, row.high) == pytest.approx(expected, rel=1e-3)
        assert row.exploratory


def test_of_two_levels_the_odds_ratio_of_the_last_alone_invariant() -> None:
    # Merged levels have an order.
    two = Hypothesis("x", "event", levels={"alive": ["0"], "dead": ["1"]})
    swapped = Hypothesis("x", "event", levels={"dead": ["1"], "alive": ["0"]})
    one, other = (given(asked, adjust=["age"]).odds_ratios for asked in (two, swapped))
    assert one["level"].tolist() == ["dead"] * 2
    assert other["level"].tolist() == ["alive"] * 2
    assert np.allclose(one["odds_ratio"] * other["odds_ratio"], 1)


def test_odds_ratios_stay_finite_where_the_feature_separates_invariant() -> None:
    values = np.sort(X)
    known = labels(event=["late" if value > 4.5 else "early" for value in values])
    found = given(
        Hypothesis("x", "event"), table=features(x=values), known=known, adjust=["age"]
    ).odds_ratios
    assert (found["odds_ratio"] > 10).all()
    assert np.isfinite(found[["low", "high"]]).all(axis=None)


def test_odds_ratios_are_not_given_of_orders_numbers_and_survival_invariant() -> None:
    assert given(ORDINAL, Hypothesis("x", "number"), SURVIVAL, adjust=["age"]).odds_ratios.empty


def test_odds_ratios_say_why_there_are_none_invariant() -> None:
    found = given(Hypothesis("x", "grade"), known=labels(age=[np.nan] * 20), adjust=["age"])
    assert found.odds_ratios["reason"].eq(found.adjusted["reason"].iloc[0]).all()
    assert found.odds_ratios["odds_ratio"].isna().all()
