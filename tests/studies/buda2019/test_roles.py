from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.labels import Kind, Labels, read_labels
from lggshape.studies.buda2019.roles import Roles


def test_every_role_is_a_label_of_the_phantoms_invariant(roles: Roles, labels: Labels) -> None:
    # The phantoms have the names and codes of the public tables.
    roles.check(labels)
    for name, level in (
        (roles.subtype, roles.target),
        (roles.idh, roles.wild_type),
        (roles.gender, roles.male),
        (roles.grade, roles.higher_grade),
        *((endpoint.event, endpoint.happened) for endpoint in roles.survival),
    ):
        assert level in labels[name].levels
    assert labels[roles.age].kind is Kind.CONTINUOUS
    assert labels[roles.location].kind is Kind.NOMINAL
    assert {labels[endpoint.time].kind for endpoint in roles.survival} == {Kind.TIME}


def test_areas_of_table_3_published(roles: Roles, labels: Labels) -> None:
    # The columns R1 to R4 of the paper's Table 3.
    assert list(roles.reported_areas["age"].values()) == [0.29, 0.66, 0.72, 0.41]
    assert list(roles.reported_areas["gender"].values()) == [0.44, 0.50, 0.58, 0.52]
    patients = np.array([25, 28, 12, 27])
    for areas in roles.reported_areas.values():
        assert tuple(areas) == labels[roles.subtype].levels
        # Each pair of clusters counts once for and once against: so weighted, what lies above one
        # half adds up to 0, but for the rounding of each area by up to 0.005.
        weights = patients * (patients.sum() - patients)
        total = weights @ (np.array(list(areas.values())) - 0.5)
        assert abs(total) < 0.005 * weights.sum()


def test_absent_labels_are_named(roles: Roles, replicated) -> None:
    few = read_labels([replicated.folder / "labels.csv"])
    with pytest.raises(
        InputError,
        match="found no idh_1p19q_buda_table2, neoplasm_histologic_grade, tumor_location",
    ):
        roles.check(few)


def test_survival_is_not_needed(roles: Roles, replicated, tmp_path: Path) -> None:
    clinical = pd.read_csv(replicated.folder / "clinical.csv")
    shorter = tmp_path / "clinical.csv"
    bare = clinical.drop(columns=["OS", "OS.time", "PFI", "PFI.time"])
    bare = bare.replace({"neoplasm_histologic_grade": {"G2": "grade II", "G3": "grade III"}})
    bare.to_csv(shorter, index=False)
    others = [replicated.folder / f"{name}.csv" for name in ("labels", "idh_1p19q")]
    roles.check(read_labels([*others, shorter]))
    clinical[["Patient", "OS"]].to_csv(shorter, index=False)
    with pytest.raises(InputError, match="found no neoplasm_histologic_grade, tumor_location"):
        roles.check(read_labels([*others, shorter]))


def test_codes_that_are_not_known_are_refused(roles: Roles, replicated, tmp_path: Path) -> None:
    """A table is decoded only with all the columns of the codebook: else nobody has grade III, and
    nobody dies."""
    clinical = pd.read_csv(replicated.folder / "clinical.csv")
    paths = [replicated.folder / f"{name}.csv" for name in ("labels", "idh_1p19q")]
    paths.append(tmp_path / "clinical.csv")
    clinical.drop(columns="PFI.time").to_csv(paths[-1], index=False)
    with pytest.raises(InputError, match="grade to have the level 'grade III', found: G2, G3"):
        roles.check(read_labels(paths))
    words = {"neoplasm_histologic_grade": {"G2": "grade II", "G3": "grade III"}}
    clinical.drop(columns="PFI.time").replace(words).to_csv(paths[-1], index=False)
    with pytest.raises(InputError, match="OS to have the level 'event', found: 0, 1"):
        roles.check(read_labels(paths))
