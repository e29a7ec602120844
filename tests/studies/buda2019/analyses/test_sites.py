"""Associations that are planted in one institution alone, or in some IDH subtypes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact as two_by_two

from lggshape.association import Family, Hypothesis, TestedPair, associate
from lggshape.association.adjusted_models import rank_model
from lggshape.association.covariates import indicators
from lggshape.files import write_table
from lggshape.labels import Labels, read_labels
from lggshape.statistics import auc, kruskal_wallis
from lggshape.studies.buda2019.analyses.increments import increments
from lggshape.studies.buda2019.analyses.missing_subtype import missing_subtype
from lggshape.studies.buda2019.analyses.sites import Sites, site_tables
from lggshape.studies.buda2019.analyses.two_tests import two_tests, within_idh
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.buda2019.roles import Roles

IDH, CLUSTER = "idh_1p19q_buda_table2", "RNASeqCluster"
COUNT = 90
FAMILY = Family("one", "One", (Hypothesis(BEVR, CLUSTER),))
FEW = {"permutations": 199, "memberships": 199, "subsets": 50, "replicates": 100, "jobs": 1}

Cohort = tuple[pd.DataFrame, Labels, "pd.Series[str]"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Make patients of institution A, where BEVR follows the cluster, and of B and C.

    Five have no cluster, all of them of wild type and old.
    """
    rng = np.random.default_rng(3)
    names = [f"p{i:02}" for i in range(COUNT)]
    site = np.repeat(list("ABC"), [50, 25, 15])
    cluster = pd.Series(rng.choice(["R1", "R2", "R3"], COUNT))
    idh = rng.choice(["IDHwt", "IDHmut-non-codel", "IDHmut-codel"], COUNT)
    age = rng.permutation(np.arange(20.0, 20 + COUNT / 2, 0.5))
    lacking = np.arange(COUNT) % 18 == 0
    age[lacking] += 60
    idh[lacking] = "IDHwt"
    effect = np.where((site == "A") & (cluster == "R2"), 1.0, 0.0)
    labels = pd.DataFrame(
        {
            "Patient": names, CLUSTER: cluster.mask(lacking), IDH: idh,
            "age_at_initial_pathologic": age,
            "neoplasm_histologic_grade": rng.choice(["grade II", "grade III"], COUNT),
            "tumor_location": rng.choice(["frontal", "parietal"], COUNT),
        }
    )  # fmt: skip
    path = tmp_path_factory.mktemp("sites") / "labels.csv"
    write_table(path, labels)
    features = pd.DataFrame(
        {
            "case": names, "patient": names, "masks": "manual", "reason": "",
            ASD: rng.uniform(0.1, 0.3, COUNT), MF: rng.uniform(0.01, 0.1, COUNT),
            BEVR: 0.5 - 0.2 * effect + 0.05 * rng.normal(size=COUNT),
            "volume": rng.uniform(1e3, 1e5, COUNT),
        }
    )  # fmt: skip
    return features, read_labels([path]), pd.Series(site, index=names)


@pytest.fixture(scope="module")
def tables(cohort: Cohort) -> Sites:
    return site_tables(cohort[0], cohort[1], FAMILY, cohort[2], **FEW)


def test_an_association_of_one_institution_is_told_from_one_of_all(tables: Sites) -> None:
    found = tables.by_ranks.set_index("patients")
    assert found.index.tolist() == ["all", "without A", "A alone"]
    assert found["n"].tolist() == [85, 38, 47]
    assert found.loc["A alone", "p_within"] == 0.005
    assert found.loc["all", "p_within_adjusted"] == 0.005
    assert found.loc["without A", ["p_quartiles", "p_ranks", "p_within"]].min() > 0.01
    (row,) = tables.differences.to_dict("records")
    assert row["site"] == "A"
    assert row["difference_low"] > 0
    assert max(row["p_membership"], row["p_products"]) == 0.005
    (drawn,) = tables.subsets.to_dict("records")
    assert (drawn["n"], drawn["n_without"], drawn["subsets"]) == (85, 38, 50)
    assert drawn["v_without"] == found.loc["without A", "v"]
    assert drawn["as_low"] < 10


def test_the_tests_are_those_of_the_tool_invariant(cohort: Cohort, tables: Sites) -> None:
    features, labels, sites = cohort
    place = features["patient"].map(sites)
    rest = features[place != "A"]
    study = associate(rest, labels, FAMILY).associations.iloc[0]
    row = tables.by_ranks.set_index("patients").loc["without A"]
    assert row[["n", "p_quartiles", "v", "v_low", "v_high"]].tolist() == pytest.approx(
        study[["n", "p", "effect", "effect_low", "effect_high"]].tolist()
    )
    pair = TestedPair.of(FAMILY.hypotheses[0], labels[CLUSTER], rest)
    chosen = pair.complete
    values, levels = pair.feature[chosen], pair.level[chosen]
    ranks = kruskal_wallis(values, levels)
    assert row["p_ranks"] == ranks.p
    assert row["epsilon_squared"] == pytest.approx(ranks.statistic / (row["n"] - 1))
    inside = place[place != "A"].to_numpy(str)[chosen]
    expected = rank_model(
        values, indicators(levels), indicators(inside), strata=inside, permutations=199, seed=0
    )
    assert row["p_within_adjusted"] == expected["p"]
    assert row["partial"] == pytest.approx(expected["effect"])


def test_the_largest_institution_is_told_from_the_rest_by_both_shares(
    cohort: Cohort, tables: Sites
) -> None:
    row = tables.differences.iloc[0]
    shares = tables.by_ranks.set_index("patients")["epsilon_squared"]
    assert row["epsilon_squared_site"] == pytest.approx(shares["A alone"])
    assert row["difference"] == pytest.approx(shares["A alone"] - shares["without A"])


def test_without_institutions_there_are_empty_tables(cohort: Cohort, tmp_path: Path) -> None:
    found = site_tables(cohort[0], cohort[1], FAMILY, pd.Series(dtype=str), **FEW)
    for table in found:
        assert len(table) == 0
        write_table(tmp_path / "empty.csv", table)
        assert "masks" in pd.read_csv(tmp_path / "empty.csv")


def test_within_idh_has_each_subtype_with_mutation_invariant(cohort: Cohort, roles: Roles) -> None:
    features, labels, _ = cohort
    family = Family("two", "Two", (*FAMILY.hypotheses, Hypothesis(ASD, IDH)))
    found = within_idh(features, labels, family, roles, replicates=100, jobs=1)
    groups = found[found["label"] == CLUSTER].set_index("patients")
    assert set(groups.index) == {"IDH mutation", "IDHmut-non-codel", "IDHmut-codel"}
    # Of one subtype alone, that label has one level.
    assert found.loc[found["label"] == IDH, "patients"].tolist() == ["IDH mutation"]
    of_one = labels[IDH].values
    chosen = features[features["patient"].isin(of_one.index[of_one == "IDHmut-codel"])]
    pair = TestedPair.of(FAMILY.hypotheses[0], labels[CLUSTER], chosen)
    expected = two_tests(pair, replicates=100)
    assert groups.loc["IDHmut-codel", list(expected)].to_dict() == pytest.approx(expected)


def test_patients_without_the_subtype_are_compared_scipy(cohort: Cohort, roles: Roles) -> None:
    features, labels, sites = cohort
    found = missing_subtype(features, labels, roles, sites, replicates=100)
    rows = found.set_index("characteristic")
    assert rows.index.tolist() == ["institution", "IDH/1p19q", "grade", "age", BEVR, MF, ASD]
    assert set(rows["n_missing"]) == {5}
    grade = labels["neoplasm_histologic_grade"].values.reindex(features["patient"])
    missing = labels[CLUSTER].values.reindex(features["patient"]).isna()
    assert rows.loc["grade", "p"] == pytest.approx(
        two_by_two(pd.crosstab(missing.to_numpy(), grade.to_numpy())).pvalue
    )
    age = labels["age_at_initial_pathologic"].values.reindex(features["patient"]).to_numpy(float)
    assert rows.loc["age", "auc"] == 1
    assert rows.loc["age", "p"] == kruskal_wallis(age, missing).p
    assert rows.loc["IDH/1p19q", "of_missing"].endswith("IDHwt 5")
    # A lower BEVR is more irregular.
    values = -features[BEVR].to_numpy()
    area = auc(values[missing.to_numpy()], values[~missing.to_numpy()])
    assert rows.loc[BEVR, "auc"] == pytest.approx(area.estimate)


def test_nobody_without_the_subtype_is_no_comparison(cohort: Cohort, roles: Roles) -> None:
    features, labels, sites = cohort
    known = labels[CLUSTER].values.dropna().index
    found = missing_subtype(features[features["patient"].isin(known)], labels, roles, sites)
    assert found["p"].isna().all()
    assert set(found["n_missing"]) == {0}


def test_shape_adds_what_it_tells_beyond_age_and_grade(cohort: Cohort, roles: Roles) -> None:
    features, labels, sites = cohort
    shape = features.assign(
        **{BEVR: np.where(labels[CLUSTER].values.reindex(features["patient"]) == "R2", 0.3, 0.5)}
    )
    found = increments(shape, labels, roles, sites, repetitions=1, jobs=1).set_index("outcome")
    assert found.index.tolist() == ["R1", "R2", "R3", "IDHwt"]
    row = found.loc["R2"]
    assert (row["n"], row["auc"]) == (85, 1)
    assert row["difference"] == pytest.approx(row["auc"] - row["auc_without"], abs=1e-9)
    assert 0 < row["low"] < row["difference"]
    assert 0 < row["averaged_low"] < row["averaged_difference"]
    few = increments(shape[:8], labels, roles, sites, repetitions=1, jobs=1)
    assert (few["reason"] != "").any()
