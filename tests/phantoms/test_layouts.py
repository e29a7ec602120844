"""One cohort in every layout: the same cases, whatever the form of their files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.labels import read_labels
from lggshape.phantoms import cohort, write_cohort
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.readers import open_cases
from lggshape.shape import feature_table

SIZE = (6, 32, 40)
COUNT = 2
SPACING = (135 / 6, 225 / 32, 225 / 40)
UNORIENTED = {"slices", "packed", "multipage-tiff"}
"""Layouts that do not tell how the axes lie: they are read as they are stored."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    top = tmp_path_factory.mktemp("layouts")
    return {
        layout: write_cohort(top / layout, patients=COUNT, seed=4, size=SIZE, layout=layout)
        for layout in CASE_LAYOUTS
    }


def made():
    return list(cohort(patients=COUNT, seed=4, size=SIZE).cases)


def turned(values, layout):
    """Turn rows from front to back, columns from right to left, as the layout is read."""
    return values if layout in UNORIENTED else values[:, ::-1, ::-1]


@pytest.mark.parametrize("layout", CASE_LAYOUTS)
def test_a_layout_gives_the_cases_that_were_made_analytic(folders, layout, caplog):
    key = CASE_LAYOUTS[layout].patient
    sources = {source.patient: source for source in open_cases(folders[layout])}
    assert sources.keys() == {key(case.patient) for case in made()}
    for expected in made():
        source = sources[key(expected.patient)]
        case = source.read()
        np.testing.assert_array_equal(case.mask, turned(expected.mask, layout))
        spacing = None if layout == "slices" else pytest.approx(SPACING)
        assert case.geometry.spacing == spacing
        if layout != "packed":
            assert case.sequences == expected.sequences
            np.testing.assert_array_equal(case.image, turned(expected.image, layout))
    assert "Left out" not in caplog.text


@pytest.fixture(scope="module")
def features(folders) -> dict[str, pd.DataFrame]:
    # Slices do not tell the spacing: it is given.
    return {
        layout: feature_table(
            open_cases(folder, spacing=SPACING if layout == "slices" else None), jobs=1
        ).table.set_index("patient")
        for layout, folder in folders.items()
    }


@pytest.mark.parametrize("layout", CASE_LAYOUTS)
def test_a_layout_gives_the_same_features_invariant(features, layout):
    expected, found = features["slices"], features[layout]
    key = CASE_LAYOUTS[layout].patient
    assert sorted(found.index) == sorted(key(patient) for patient in expected.index)
    found = found.loc[[key(patient) for patient in expected.index]]
    for column in expected.select_dtypes("number").columns:
        np.testing.assert_allclose(
            found[column].to_numpy(), expected[column].to_numpy(), rtol=1e-9, err_msg=column
        )


@pytest.mark.parametrize("layout", CASE_LAYOUTS)
def test_the_tables_name_the_patients_of_the_layout_invariant(folders, layout):
    labels = read_labels(folders[layout] / "labels.csv")
    patients = {source.patient for source in open_cases(folders[layout])}
    assert set(labels["idh"].values.index) <= patients


def test_the_participants_of_bids_are_a_label_table_analytic(folders):
    labels = read_labels(folders["bids"] / "participants.tsv")
    assert {source.patient for source in open_cases(folders["bids"])} == set(
        labels.tables[0].patients
    )


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a layout among slices, nifti, .*found: analyze"):
        write_cohort(tmp_path / "new", layout="analyze")
    assert not (tmp_path / "new").exists()
