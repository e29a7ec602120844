from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, TestedPair, associate, irregularity
from lggshape.labels import Labels
from lggshape.progress import Progress
from lggshape.statistics import fisher_exact, quantile_bins
from lggshape.studies.buda2019.analyses import sensitivity
from lggshape.studies.buda2019.analyses.sensitivity import (
    AREA_COLUMNS,
    COLUMNS,
    PRIMARY,
    Analysis,
    ranked_worst,
    run_analyses,
    with_other_patients,
    with_other_tests,
)
from lggshape.studies.buda2019.analyses.two_tests import by_ranks

ASD, OFFSETS, MF, BEVR = (
    "angular_standard_deviation",
    "angular_standard_deviation_offset_averaged",
    "margin_fluctuation",
    "bounding_ellipsoid_volume_ratio",
)
KEY = ["masks", "feature", "label"]
RESULT = ["test", "n", "p", "effect", "effect_low", "effect_high"]


@pytest.fixture(scope="module")
def lacking(replicated) -> pd.DataFrame:
    """Automatic masks, two of them empty."""
    table = replicated.automatic
    table.loc[[3, 8], [ASD, OFFSETS, MF, BEVR]] = np.nan
    return table


@pytest.fixture(scope="module")
def tested(replicated, lacking: pd.DataFrame, labels: Labels, family: Family) -> sensitivity.Tested:
    analyses = [*with_other_tests(lacking), *with_other_tests(replicated.manual)]
    return run_analyses(analyses, labels, family, jobs=1)


@pytest.fixture(scope="module")
def study(replicated, lacking: pd.DataFrame, labels: Labels, family: Family):
    return associate(pd.concat([lacking, replicated.manual]), labels, family)


def rows(table: pd.DataFrame, analysis: str) -> pd.DataFrame:
    found = table[table["analysis"] == analysis]
    return found.drop(columns=["group", "analysis"], errors="ignore").reset_index(drop=True)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True), check_dtype=False)


def test_primary_analysis_is_that_of_associate_invariant(tested: sensitivity.Tested, study) -> None:
    assert tuple(tested.associations) == COLUMNS
    same(rows(tested.associations, PRIMARY), study.associations[[*KEY, *RESULT]])


def test_areas_of_the_primary_analysis_are_those_of_associate_invariant(
    tested: sensitivity.Tested, study, family: Family
) -> None:
    assert tuple(tested.areas) == AREA_COLUMNS
    # ASD and BEVR by RNASeq cluster are in Table 3 of the paper.
    assert {(entry.feature, entry.label) for entry in family.reported_aucs} == {
        (ASD, "RNASeqCluster"),
        (BEVR, "RNASeqCluster"),
    }
    found = rows(tested.areas, PRIMARY).sort_values([*KEY, "level"])
    reported = study.discrimination.query(
        "label == 'RNASeqCluster' and feature in [@ASD, @BEVR]"
    ).sort_values([*KEY, "level"])
    assert len(found) == 2 * 2 * 4
    same(found.reset_index(drop=True), reported[found.columns])


def test_cut_points_among_all_are_the_sensitivity_of_associate_invariant(
    tested: sensitivity.Tested, study
) -> None:
    table = study.sensitivity
    chosen = table["analysis"] == "cut-points among all patients with the feature"
    expected = table.loc[chosen, [*KEY, *RESULT]]
    same(rows(tested.associations, "among all with the feature"), expected)


def test_the_test_by_ranks_is_that_of_associate_but_for_its_interval_invariant(
    tested: sensitivity.Tested, study, labels: Labels
) -> None:
    found = rows(tested.associations, sensitivity.BY_RANKS)
    expected = study.sensitivity.query("analysis == 'other test: kruskal wallis'")
    ends = ["effect_low", "effect_high"]
    same(found.drop(columns=ends), expected[[*KEY, *RESULT]].drop(columns=ends))
    manual = study.data.query("masks == 'manual'")
    pair = TestedPair.of(Hypothesis(BEVR, "RNASeqCluster"), labels["RNASeqCluster"], manual)
    row = found.query("masks == 'manual' and feature == @BEVR and label == 'RNASeqCluster'").iloc[0]
    bootstrap = by_ranks(pair)
    assert row[ends].tolist() == [bootstrap.effect_low, bootstrap.effect_high]


def test_two_bins_are_those_of_associate_invariant(
    tested: sensitivity.Tested, study, labels: Labels, family: Family
) -> None:
    expected = associate(study.data, labels, family, bins=2).associations[[*KEY, *RESULT]]
    same(rows(tested.associations, "2 bins"), expected)


@pytest.mark.parametrize(
    ("analysis", "rule"),
    [("quartiles of type 6", "weibull"), ("quartiles of type 8", "median_unbiased")],
)
def test_other_quantiles_invariant(replicated, labels: Labels, family: Family, analysis, rule):
    # With 22 patients the first quartile of either type lies before the sixth value, where that of
    # type 7 lies behind it.
    clusters = labels["RNASeqCluster"].values
    table = replicated.manual[replicated.manual["patient"].isin(clusters.index[:22])]
    levels = clusters[table["patient"]].to_numpy()
    changed = [one for one in with_other_tests(table) if one.analysis == analysis]
    found = run_analyses(changed, labels, family, jobs=1).associations
    for name in (ASD, MF, BEVR):
        expected, primary = (
            fisher_exact(pd.crosstab(quantile_bins(table[name], rule=each).codes, levels)).p
            for each in (rule, "linear")
        )
        p = found.query("feature == @name and label == 'RNASeqCluster'")["p"].item()
        assert p == pytest.approx(expected, rel=1e-9)
        assert p != pytest.approx(primary, rel=1e-3)


def test_cut_points_of_the_protocol_published(tested: sensitivity.Tested) -> None:
    # The groups "cut-points" and "empty masks" of reports/buda2019/protocol.md.
    named = tested.associations[["masks", "group", "analysis"]].drop_duplicates()
    cuts = [
        "2 bins",
        "3 bins",
        "quartiles of type 6",
        "quartiles of type 8",
        "among all with the feature",
        "none: Kruskal-Wallis",
    ]
    common = [(PRIMARY, PRIMARY), *(("cut-points", cut) for cut in cuts)]
    worst = ("empty masks", "ranked as the most irregular")
    for masks, expected in (("automatic", [*common, worst]), ("manual", common)):
        found = named.loc[named["masks"] == masks, ["group", "analysis"]]
        assert list(found.itertuples(index=False, name=None)) == expected
    # Each change has all ten hypotheses; areas hang neither on cut-points nor on the test.
    assert set(tested.associations.groupby(["masks", "analysis"]).size()) == {10}
    assert set(tested.areas["analysis"]) == {PRIMARY, worst[1]}


def test_empty_masks_are_back_when_ranked_worst(
    tested: sensitivity.Tested, labels: Labels, lacking: pd.DataFrame
) -> None:
    worst = rows(tested.associations, "ranked as the most irregular")
    left_out = rows(tested.associations, PRIMARY).query("masks == 'automatic'")
    for (_, one), (_, other) in zip(worst.iterrows(), left_out.iterrows(), strict=True):
        known = lacking["patient"].isin(labels[one["label"]].values.index)
        assert one["n"] == known.sum()
        assert other["n"] == (known & lacking[ASD].notna()).sum()


def test_ranked_worst_is_beyond_all_others_by_hand() -> None:
    table = pd.DataFrame(
        {
            "patient": ["a", "b", "c", "d"],
            ASD: [0.25, np.nan, 0.5, 0.0],
            BEVR: [0.5, np.nan, 0.75, np.nan],
            "volume": [3.0, np.nan, 1.0, 2.0],
        }
    )
    before = table.copy()
    found = ranked_worst(table)
    # Irregular shapes have a large ASD and a small BEVR.
    assert found[ASD].tolist() == [0.25, 1.5, 0.5, 0.0]
    assert found[BEVR].tolist() == [0.5, -0.5, 0.75, -0.5]
    pd.testing.assert_frame_equal(found[["patient", "volume"]], before[["patient", "volume"]])
    pd.testing.assert_frame_equal(table, before)


def test_ranked_worst_follows_the_registry_invariant(lacking: pd.DataFrame) -> None:
    empty = lacking[ASD].isna()
    found = ranked_worst(lacking)
    for name in sensitivity.tested_features(lacking):
        values = found[name] * irregularity(name)
        assert values[empty].min() > values[~empty].max()


def test_tested_features_are_those_of_the_study(replicated) -> None:
    assert sensitivity.tested_features(replicated.manual) == [ASD, OFFSETS, MF, BEVR]
    assert sensitivity.tested_features(replicated.manual[["patient", BEVR, ASD, "volume"]]) == [
        ASD,
        BEVR,
    ]


def test_a_change_of_one_feature_is_tested_on_that_alone(
    replicated, tested: sensitivity.Tested, labels: Labels, family: Family
) -> None:
    analyses = [
        Analysis("g", "ellipsoid", replicated.manual, (BEVR,)),
        Analysis("g", "window", replicated.manual, (MF,)),
    ]
    found = run_analyses(analyses, labels, family, jobs=1)
    assert found.associations["analysis"].tolist() == ["ellipsoid"] * 4 + ["window"]
    assert set(found.areas["feature"]) == {BEVR}
    primary = rows(tested.associations, PRIMARY).query("masks == 'manual'")
    expected = [*primary.query("feature == @BEVR")["p"], *primary.query("feature == @MF")["p"]]
    assert found.associations["p"].tolist() == expected


def test_a_monte_carlo_p_is_that_of_associate_invariant(
    replicated, labels: Labels, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def large(table, *, seed):
        return fisher_exact(table, seed=seed, max_work=0, draws=99)

    monkeypatch.setattr("lggshape.association.fisher_on_bins.fisher_exact", large)
    found, other = (
        run_analyses(
            [Analysis("g", "one", replicated.manual, (MF,))], labels, family, seed=seed, jobs=1
        ).associations
        for seed in (4, 5)
    )
    expected = associate(replicated.manual, labels, family, seed=4).associations
    assert found["test"].tolist() == ["fisher_monte_carlo"]
    assert found["p"].tolist() == expected.query("feature == @MF")["p"].tolist()
    assert found["p"].tolist() != other["p"].tolist()


def test_progress_is_reported_once_an_analysis(replicated, labels: Labels) -> None:
    told: list[Progress] = []
    family = Family("one", "One", (Hypothesis(MF, "RNASeqCluster"),))
    analyses = [Analysis("g", str(i), replicated.manual, bins=i) for i in (3, 2)]
    found = run_analyses(analyses, labels, family, jobs=1, on_progress=told.append)
    assert found.associations["analysis"].tolist() == ["3", "2"]
    assert tuple(found.areas) == AREA_COLUMNS
    assert found.areas.empty
    assert (told[-1].done, told[-1].total) == (2, 2)


PATIENTS = pd.DataFrame({"patient": list("abcdef"), "masks": "automatic"})
DICE = pd.Series({"a": 0.69, "b": 0.7, "c": 0.79, "d": 0.8, "e": 0.95})
SITES = pd.Series({"a": "HT", "b": "CS", "c": "HT", "d": "CS", "e": "DU"})


def test_patients_who_are_left_by_hand() -> None:
    # The group "patients" of reports/buda2019/protocol.md. Of f neither Dice nor site is known.
    found = {
        a.analysis: "".join(a.table["patient"]) for a in with_other_patients(PATIENTS, DICE, SITES)
    }
    assert found == {
        "without Dice below 0.7": "bcde",
        "without Dice below 0.8": "de",
        "without institution CS": "acef",
        "without institution DU": "abcdf",
        "without institution HT": "bdef",
    }


def test_nobody_left_is_no_analysis() -> None:
    sites = pd.Series("HT", index=list("abcdef"))
    found = with_other_patients(PATIENTS, DICE - 0.2, sites)
    assert [(a.analysis, len(a.table)) for a in found] == [("without Dice below 0.7", 1)]
    unknown = with_other_patients(PATIENTS, DICE, pd.Series({}, dtype=str))
    assert [a.analysis for a in unknown] == ["without Dice below 0.7", "without Dice below 0.8"]


def test_stricter_dice_keeps_fewer_patients_invariant(
    replicated, labels: Labels, family: Family
) -> None:
    table = replicated.automatic
    dice = pd.Series(np.linspace(0.6, 1, len(table)), index=table["patient"])
    found = run_analyses(
        with_other_patients(table, dice, pd.Series({}, dtype=str)), labels, family, jobs=1
    )
    expected = [int((dice[labels["COCCluster"].values.index] >= low).sum()) for low in (0.7, 0.8)]
    counts = found.associations.query("label == 'COCCluster' and feature == @BEVR")["n"].tolist()
    assert counts == expected
    assert all(more > fewer for more, fewer in pairwise(counts))


def test_draws_become_their_medians_by_hand() -> None:
    def rows(group: str, *p: float) -> list[dict[str, object]]:
        key = {"masks": "manual", "feature": "f", "label": "l", "group": group, "analysis": group}
        return [
            key | {"test": "fisher", "n": 7, "p": value, "effect": 2 * value,
                   "effect_low": value, "effect_high": np.nan}
            for value in p
        ]  # fmt: skip

    associations = pd.DataFrame(rows("one", 0.3) + rows("draws", 0.5, 0.1, 0.9, 0.2, 0.4))
    areas = associations.assign(level="R2", n_level=3, auc=0.1, auc_low=0.0, auc_high=1.0)
    found = sensitivity.medians_of_draws(
        sensitivity.Tested(associations, areas[list(sensitivity.AREA_COLUMNS)])
    )
    assert list(found.associations) == list(associations)
    assert found.associations["analysis"].tolist() == ["one", "draws"]
    assert found.associations["p"].tolist() == [0.3, 0.4]
    assert found.associations["effect"].tolist() == [0.6, 0.8]
    assert found.associations["n"].tolist() == [7, 7]
    assert found.associations["effect_high"].isna().all()
    assert found.areas[["level", "auc"]].to_numpy().tolist() == [["R2", 0.1]] * 2


def test_spans_by_hand() -> None:
    key = {"masks": "manual", "feature": BEVR, "label": "l"}
    rows = [
        (sensitivity.PRIMARY, sensitivity.PRIMARY, "fisher_exact", 9, 0.01, 0.5),
        ("cut-points", "2 bins", "fisher_exact", 9, 0.04, 0.05),
        ("cut-points", sensitivity.BY_RANKS, "kruskal_wallis", 9, 0.001, 0.9),
        ("patients", "without A", "fisher_exact", 6, 0.2, 0.1),
        ("patients", "without B", "fisher_exact", 5, np.nan, np.nan),
        ("mask", "eroded", "fisher_exact", 9, 0.03, 0.4),
        ("mask", "dilated", "fisher_exact", 9, 0.02, 0.6),
    ]
    columns = ("group", "analysis", "test", "n", "p", "effect")
    table = pd.DataFrame(key | dict(zip(columns, row, strict=True)) for row in rows)
    hypotheses = (Hypothesis(BEVR, "l", reported_below=0.04), Hypothesis(BEVR, "m"))
    family = Family("one", "One", hypotheses)
    both = pd.concat([table, table[:1].assign(label="m")])
    found, alone = sensitivity.span_table(both, family).to_dict("records")
    assert (found["p"], found["effect"]) == (0.01, 0.5)
    # The p of just 0.04 is not below it.
    assert (found["analyses"], found["below_reported"]) == (5, 3)
    assert (found["p_low"], found["p_median"], found["p_high"]) == (0.001, 0.03, 0.2)
    # Neither two bins nor ranks have the V of quartiles.
    assert (found["effect_low"], found["effect_high"]) == (0.1, 0.6)
    assert (found["lowest"], found["lowest_n"]) == ("without A", 6)
    assert found["effect_low_of_all"] == 0.4
    # Nothing was changed, and no bound is known.
    assert (alone["analyses"], alone["lowest"]) == (0, "")
    assert np.isnan([alone["below_reported"], alone["p_high"], alone["effect_low"]]).all()
