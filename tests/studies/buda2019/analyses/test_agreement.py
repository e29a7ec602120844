from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from lggshape.association import Family, associate, irregularity
from lggshape.errors import InputError
from lggshape.labels import Labels, read_labels
from lggshape.statistics import (
    auc_difference,
    limits_of_agreement,
    rank_correlation,
)
from lggshape.statistics.agreement_draws import agreement_coefficients
from lggshape.statistics.proportional_limits import proportional_limits
from lggshape.studies.buda2019.analyses.agreement import (
    MARGIN,
    agreement_limits,
    agreement_table,
    area_differences,
    side_by_side,
)

ASD, BEVR = "angular_standard_deviation", "bounding_ellipsoid_volume_ratio"
VALUES = ["estimate", "low", "high"]
WITH_DICE = "Spearman's correlation of the absolute difference with Dice"


@pytest.fixture(scope="module")
def lacking(features: pd.DataFrame) -> pd.DataFrame:
    """Two automatic masks and another manual one are empty."""
    table = features.copy()
    table.loc[[2, 5, 24 + 9], [ASD, BEVR]] = np.nan
    return table


@pytest.fixture(scope="module")
def dice(replicated) -> "pd.Series[float]":
    """Return a score a patient, in another order than the features."""
    patients = replicated.manual["patient"][::-1]
    return pd.Series(np.random.default_rng(0).random(len(patients)), index=patients.to_numpy())


def both(features: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    automatic, manual = (
        features.query("masks == @kind")[name].to_numpy() for kind in ("automatic", "manual")
    )
    known = ~np.isnan(automatic) & ~np.isnan(manual)
    return automatic[known], manual[known]


def test_side_by_side_by_hand() -> None:
    features = pd.DataFrame(
        {
            "patient": ["b", "a", "c", "a", "c", "b", "d"],
            "masks": [*["automatic"] * 3, *["manual"] * 4],
            "x": [1, 2, np.nan, 4, 5, 6, 7],
        }
    )
    found = side_by_side(features, "x")
    assert found.index.tolist() == ["a", "b"]
    assert found["automatic"].tolist() == [2, 1]
    assert found["manual"].tolist() == [4, 6]
    assert list(side_by_side(features, "x", "manual", "automatic")) == ["manual", "automatic"]


def test_table_is_that_of_the_statistics_invariant(
    lacking: pd.DataFrame, dice: "pd.Series[float]"
) -> None:
    found = agreement_table(lacking, [BEVR, "volume"], dice, replicates=50)
    assert list(found) == ["feature", "measure", "n", *VALUES]
    assert found["n"].tolist() == [21] * 7 + [24] * 7
    found = found.set_index(["feature", "measure"])[VALUES]
    for name in (BEVR, "volume"):
        automatic, manual = both(lacking, name)
        limits = limits_of_agreement(automatic, manual)
        coefficients = agreement_coefficients(automatic, manual, replicates=50)
        expected = {
            "ICC(A,1)": coefficients.intraclass,
            "concordance": coefficients.concordance,
            "Spearman's correlation": rank_correlation(automatic, manual)[:3],
            "bias": limits.bias,
            "lower limit of agreement": limits.lower,
            "upper limit of agreement": limits.upper,
        }
        assert found.loc[name].index.tolist() == [*expected, WITH_DICE]
        for measure, values in expected.items():
            assert found.loc[name, measure].tolist() == pytest.approx(values, rel=1e-12)


def test_estimates_scipy(lacking: pd.DataFrame) -> None:
    automatic, manual = both(lacking, ASD)
    found = agreement_table(lacking, [ASD]).set_index("measure")["estimate"]
    difference = automatic - manual
    assert found["Spearman's correlation"] == pytest.approx(spearmanr(automatic, manual).statistic)
    assert found["bias"] == pytest.approx(difference.mean())
    half = (found["upper limit of agreement"] - found["lower limit of agreement"]) / 2
    assert half == pytest.approx(1.96 * difference.std(ddof=1), rel=1e-4)
    # Lin: twice the covariance by both variances and the squared difference of the means.
    covariance = np.cov(automatic, manual, ddof=0)
    expected = 2 * covariance[0, 1] / (np.trace(covariance) + difference.mean() ** 2)
    assert found["concordance"] == pytest.approx(expected)
    assert WITH_DICE not in found


def test_dice_goes_by_patient_scipy(lacking: pd.DataFrame, dice: "pd.Series[float]") -> None:
    pairs = side_by_side(lacking, BEVR)
    expected = spearmanr((pairs["automatic"] - pairs["manual"]).abs(), dice[pairs.index])
    found = agreement_table(lacking, [BEVR], dice).set_index("measure")
    assert found.loc[WITH_DICE, "estimate"] == pytest.approx(expected.statistic)
    shuffled = dice.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        agreement_table(lacking, [BEVR], shuffled).set_index("measure"), found
    )


def test_other_kinds_of_mask_invariant(features: pd.DataFrame) -> None:
    one = agreement_table(features, [BEVR]).set_index("measure")["estimate"]
    other = agreement_table(features, [BEVR], measured="manual", reference="automatic")
    other = other.set_index("measure")["estimate"]
    assert other["bias"] == pytest.approx(-one["bias"])
    assert other["upper limit of agreement"] == pytest.approx(-one["lower limit of agreement"])
    assert other["concordance"] == pytest.approx(one["concordance"])
    renamed = features.assign(masks=features["masks"].replace("automatic", "automatic, noise 10%"))
    found = agreement_table(renamed, [BEVR], measured="automatic, noise 10%")
    assert found["estimate"].tolist() == one.tolist()


def test_same_masks_agree_analytic(features: pd.DataFrame) -> None:
    manual = features.query("masks == 'manual'")
    twice = pd.concat([manual, manual.assign(masks="automatic")])
    found = agreement_table(twice, [BEVR]).set_index("measure")["estimate"]
    assert found.tolist() == pytest.approx([1, 1, 1, 0, 0, 0])


def test_limits_grow_where_the_differences_do_invariant(features: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    manual = features.query("masks == 'manual'").assign(**{ASD: np.arange(1.0, 25)})
    noise = np.tile([0.2, -0.2, 0.1, -0.1], 6) * rng.uniform(0.9, 1.1, 24)
    automatic = manual.assign(masks="automatic", **{ASD: manual[ASD] * (1 + noise)})
    automatic[BEVR] += rng.permutation(noise)
    found = agreement_limits(pd.concat([automatic, manual]), [ASD, BEVR], replicates=50)
    assert found["at"].tolist() == ["10th percentile", "median", "90th percentile"] * 2
    kinds = found.set_index("feature")["kind"].to_dict()
    assert kinds == {ASD: "proportional", BEVR: "constant"}
    growing, constant = found[:3], found[3:]
    width = growing["upper"] - growing["lower"]
    assert width.is_monotonic_increasing
    one, other = automatic[ASD].to_numpy(), manual[ASD].to_numpy()
    expected = proportional_limits(one, other, growing["mean"], replicates=50)
    for row, limits in zip(growing.itertuples(), expected, strict=True):
        assert (row.lower, row.lower_low, row.lower_high) == pytest.approx(limits.lower)
    limits = limits_of_agreement(automatic[BEVR], manual[BEVR])
    assert constant["upper"].tolist() == pytest.approx([limits.upper.estimate] * 3)


class AreasTests:
    def test_areas_are_those_of_associate_invariant(
        self, features: pd.DataFrame, labels: Labels, family: Family
    ) -> None:
        found = area_differences(features, labels, family)
        key = ["feature", "label", "level"]
        study = associate(features, labels, family).discrimination
        assert len(found) == 2 * 4
        for kind in ("automatic", "manual"):
            expected = study.query("masks == @kind").set_index(key).loc[found.set_index(key).index]
            np.testing.assert_allclose(found[kind], expected["auc"])
            assert found["n"].tolist() == expected["n"].tolist()
        np.testing.assert_allclose(found["difference"], found["automatic"] - found["manual"])

    def test_paired_by_patient_invariant(
        self, lacking: pd.DataFrame, labels: Labels, family: Family
    ) -> None:
        shuffled = lacking.sample(frac=1, random_state=2)
        found = area_differences(shuffled, labels, family).set_index(["feature", "level"])
        clusters = labels["RNASeqCluster"].values
        for feature in (ASD, BEVR):
            pairs = side_by_side(lacking, feature).join(clusters.rename("cluster"), how="inner")
            assert len(pairs) < 21
            values = pairs[["automatic", "manual"]].to_numpy() * irregularity(feature)
            expected = auc_difference(*values.T, pairs["cluster"] == "R2")
            row = found.loc[feature, "R2"]
            assert row["n"] == len(pairs)
            assert row[["difference", "low", "high", "p"]].tolist() == pytest.approx(
                [expected.difference, expected.low, expected.high, expected.p]
            )

    def test_kinds_swapped_invariant(
        self, features: pd.DataFrame, labels: Labels, family: Family
    ) -> None:
        swapped = features.assign(
            masks=features["masks"].map({"manual": "automatic", "automatic": "manual"})
        )
        one, other = (area_differences(table, labels, family) for table in (features, swapped))
        np.testing.assert_allclose(other["difference"], -one["difference"], atol=1e-12)
        np.testing.assert_allclose(other["low"], -one["high"], atol=1e-12)
        np.testing.assert_allclose(other["p"], one["p"])

    def test_the_whole_interval_has_to_lie_within_the_margin(
        self, features: pd.DataFrame, labels: Labels, family: Family, tmp_path: Path
    ) -> None:
        assert MARGIN == 0.1
        # Few patients show no difference, and no agreement either.
        few = area_differences(features, labels, family)
        assert (few["p"] > 0.05).any()
        assert not few["agrees"].any()
        # Many, with next to no difference in BEVR; the ASD of automatic masks says nothing.
        rng = np.random.default_rng(5)
        clusters = np.array(["R1", "R2", "R3", "R4"] * 150)
        table = tmp_path / "labels.csv"
        patients = [f"p{i}" for i in range(600)]
        pd.DataFrame({"patient": patients, "RNASeqCluster": clusters}).to_csv(table, index=False)
        shape = np.where(clusters == "R2", 1.2, 0) + rng.normal(size=600)
        manual = pd.DataFrame({"patient": patients, "masks": "manual", ASD: shape, BEVR: -shape})
        automatic = manual.assign(
            masks="automatic",
            **{ASD: rng.normal(size=600), BEVR: -shape + 0.1 * rng.normal(size=600)},
        )
        found = area_differences(pd.concat([automatic, manual]), read_labels([table]), family)
        within = (found["low"] > -0.1) & (found["high"] < 0.1)
        assert found["agrees"].tolist() == within.tolist()
        agrees = found.set_index(["feature", "level"])["agrees"]
        assert agrees[BEVR].all()
        assert not agrees[ASD, "R2"]

    def test_a_level_without_features_has_no_area(
        self, features: pd.DataFrame, labels: Labels, family: Family
    ) -> None:
        clusters = labels["RNASeqCluster"].values
        without = features.copy()
        without.loc[features["patient"].isin(clusters.index[clusters == "R4"]), BEVR] = np.nan
        found = area_differences(without, labels, family).set_index(["feature", "level"])
        row = found.loc[BEVR, "R4"]
        assert row[["automatic", "manual", "difference", "low", "high", "p"]].isna().all()
        assert not row["agrees"]
        assert found.drop((BEVR, "R4"))["p"].notna().all()

    def test_a_label_that_is_not_there(
        self, features: pd.DataFrame, family: Family, replicated
    ) -> None:
        others = read_labels([replicated.folder / "clinical.csv"])
        with pytest.raises(InputError, match="found no 'RNASeqCluster'"):
            area_differences(features, others, family)
