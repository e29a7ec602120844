from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, associate
from lggshape.case import Case
from lggshape.labels import Labels, read_labels
from lggshape.readers import CaseSource
from lggshape.shape import Conventions, extract_features
from lggshape.studies.buda2019.analyses import failed_attempt
from lggshape.studies.buda2019.analyses.agreement import agreement_table
from lggshape.studies.buda2019.analyses.factors import (
    OURS,
    STUDIED,
    THEIRS,
    Masks,
    factor_table,
    measure_masks,
    one_at_a_time,
)
from lggshape.studies.buda2019.names import BEVR, MF
from lggshape.studies.buda2019.roles import Roles

CHOICES = ["ellipsoid", "component", "in_plane", "test"]
CLUSTER = "RNASeqCluster"


def as_it_is(case: Case) -> np.ndarray:
    return case.mask


def with_an_island(case: Case) -> np.ndarray:
    """Return the mask with a cube of its own in a corner of the head."""
    mask = case.mask.copy()
    mask[:3, :4, :4] = True
    return mask


@pytest.fixture(scope="module")
def measured(manual_sources: list[CaseSource], automatic_sources: list[CaseSource]) -> pd.DataFrame:
    """Measure manual masks as they are, and automatic ones with an island above the threshold."""
    kinds = [
        Masks("manual", manual_sources, as_it_is, as_it_is),
        Masks("automatic", automatic_sources, as_it_is, with_an_island),
    ]
    return pd.concat([measure_masks(kind, jobs=1) for kind in kinds])


@pytest.fixture(scope="module")
def table(measured: pd.DataFrame, labels: Labels, family: Family, roles: Roles) -> pd.DataFrame:
    manual = measured[measured["masks"] == "manual"]
    return factor_table(measured, manual, labels, family, roles)


def of(table: pd.DataFrame, masks: str, *choices: str) -> pd.Series:
    """Return the row of the choices, in the order of `CHOICES`."""
    chosen = (table[["masks", *CHOICES]] == [masks, *choices]).all(axis=1)
    return table[chosen].squeeze()


def test_each_choice_is_measured_by_its_own_definition_invariant(
    measured: pd.DataFrame, automatic_sources: list[CaseSource]
) -> None:
    source = automatic_sources[3]
    case = source.read(image=False)
    assert measured.groupby(["masks", "component"]).size().tolist() == [24] * 4
    for component, mask, conventions in (
        (OURS, case.mask, Conventions()),
        (THEIRS, with_an_island(case), Conventions(component="all")),
    ):
        row = measured[
            (measured["masks"] == "automatic")
            & (measured["component"] == component)
            & (measured["patient"] == source.patient)
        ].squeeze()
        own, other = (
            extract_features(mask, conventions=conventions).values,
            failed_attempt.measure(mask),
        )
        for name in STUDIED:
            assert row[f"{name}:ours"] == own[name]
            assert row[f"{name}:theirs"] == other[name]
    island = measured.query("masks == 'automatic'").set_index("patient")
    by_rule = island.groupby("component")[f"{BEVR}:ours"].median()
    assert by_rule[THEIRS] < by_rule[OURS] / 2


def test_all_choices_ours_is_the_primary_analysis_invariant(
    table: pd.DataFrame, features: pd.DataFrame, labels: Labels, family: Family
) -> None:
    study = associate(features, labels, family)
    p = study.associations.set_index(["masks", "feature", "label"])["p"]
    areas = study.discrimination.set_index(["masks", "feature", "label", "level"])
    for masks in ("manual", "automatic"):
        row = of(table, masks, *[OURS] * 4)
        area = areas.loc[(masks, BEVR, CLUSTER, "R2")]
        assert row["p_ellipsoid"] == p[masks, BEVR, CLUSTER]
        assert row["p_margin"] == p[masks, MF, CLUSTER]
        assert row["n"] == area["n"] == 23
        for name in ("auc", "auc_low", "auc_high"):
            assert row[name] == area[name]


def test_masks_are_compared_with_manual_ones_measured_alike_invariant(
    table: pd.DataFrame, measured: pd.DataFrame, features: pd.DataFrame
) -> None:
    row = of(table, "automatic", *[OURS] * 4)
    agreement = agreement_table(features, [BEVR]).set_index("measure")["estimate"]
    assert row["icc"] == pytest.approx(agreement["ICC(A,1)"])
    # pandas' correlation of the attempt's ellipsoid, over all that lies above the threshold.
    wide = measured[measured["component"] == THEIRS].pivot(
        index="patient", columns="masks", values=f"{BEVR}:theirs"
    )
    theirs = of(table, "automatic", THEIRS, THEIRS, OURS, OURS)
    assert theirs["pearson"] == pytest.approx(wide["automatic"].corr(wide["manual"]))
    # Nothing is to be learnt from manual masks against themselves.
    assert table.loc[table["masks"] == "manual", ["pearson", "icc"]].isna().all(axis=None)


def test_all_combinations_and_what_hangs_on_which(table: pd.DataFrame) -> None:
    assert len(table) == 2 * 2**4
    assert not table.duplicated(["masks", *CHOICES]).any()
    # The area and the ellipsoid's p know nothing of the plane, the margin's p of the ellipsoid.
    for fixed, column in (
        (["ellipsoid", "component"], "auc"),
        (["ellipsoid", "component", "test"], "p_ellipsoid"),
        (["component", "in_plane", "test"], "p_margin"),
    ):
        assert table.groupby(["masks", *fixed])[column].nunique().eq(1).all()
    assert table.loc[table["masks"] == "automatic", "auc"].nunique() == 4


def test_one_choice_is_changed_at_a_time(table: pd.DataFrame) -> None:
    kinds = {OURS: "automatic", THEIRS: "manual"}
    picked = one_at_a_time(table, kinds)
    assert picked["start"].tolist() == [OURS] * 6 + [THEIRS] * 6
    assert picked["changed"].tolist() == ["nothing", *CHOICES, "masks"] * 2
    for row in picked.to_dict("records"):
        start = row["start"]
        other = THEIRS if start == OURS else OURS
        expected = {name: other if name == row["changed"] else start for name in CHOICES}
        assert {name: row[name] for name in CHOICES} == expected
        assert row["masks"] == kinds[other if row["changed"] == "masks" else start]
        same = of(table, row["masks"], *expected.values())
        assert row["p_ellipsoid"] == same["p_ellipsoid"]


def test_each_realisation_has_rows_of_its_own_invariant(
    measured: pd.DataFrame, table: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    manual, automatic = (measured[measured["masks"] == name] for name in ("manual", "automatic"))
    thrice = pd.concat([manual, *(automatic.assign(realisation=number) for number in (1, 2, 3))])
    found = factor_table(thrice, manual, labels, family, roles)
    for number in (1, 2, 3):
        part = found[(found["masks"] == "manual") | (found["realisation"] == number)]
        pd.testing.assert_frame_equal(part.assign(realisation=1).reset_index(drop=True), table)
    picked = one_at_a_time(found, {OURS: "manual", THEIRS: "automatic"})
    counts = picked.groupby(["start", "changed"]).size().to_dict()
    drawn = {
        (start, changed) for start, changed in counts if (start == THEIRS) ^ (changed == "masks")
    }
    assert counts == {key: 3 if key in drawn else 1 for key in counts}


def test_of_their_test_the_smallest_p_of_the_clusters_is_taken_invariant(
    table: pd.DataFrame, features: pd.DataFrame, labels: Labels
) -> None:
    label, manual = labels[CLUSTER], features.query("masks == 'manual'")
    codes = pd.Categorical(label.values.reindex(manual["patient"]), label.levels).codes
    ps = failed_attempt.one_against_rest(manual[MF], codes, label.levels)
    assert len(set(ps.values())) > 1
    assert of(table, "manual", OURS, OURS, OURS, THEIRS)["p_margin"] == min(ps.values())


def test_both_tests_on_eight_patients_analytic(
    tmp_path: Path, family: Family, roles: Roles
) -> None:
    # The four of R2 have the smallest BEVR and the largest MF.
    patients = [f"p{i}" for i in range(8)]
    rows = "".join(f"{name},{'R2' if i < 4 else 'R1'}\n" for i, name in enumerate(patients))
    (tmp_path / "labels.csv").write_text(f"Patient,{CLUSTER}\n{rows}")
    rising = np.linspace(0.1, 0.8, 8)
    made = pd.DataFrame({"masks": "manual", "realisation": 1, "patient": patients}).merge(
        pd.DataFrame({"component": [OURS, THEIRS]}), how="cross"
    )
    position = made["patient"].map(dict(zip(patients, range(8), strict=True)))
    for rule in (OURS, THEIRS):
        made[f"{BEVR}:{rule}"], made[f"{MF}:{rule}"] = rising[position], rising[7 - position]
    labels = read_labels([tmp_path / "labels.csv"])
    table = factor_table(made, made, labels, family, roles)
    ours, theirs = table[table["test"] == OURS], table[table["test"] == THEIRS]
    # Quartiles: two each, so the tables with all of a quartile in one cluster: 6 of C(8, 4) = 70.
    np.testing.assert_allclose(ours[["p_ellipsoid", "p_margin"]], 6 / 70)
    # The median: the two tables with all of a half in one cluster.
    np.testing.assert_allclose(theirs[["p_ellipsoid", "p_margin"]], 2 / 70)
    assert (table["auc"] == 1).all()
    assert (table["n"] == 8).all()
