import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.phantoms import cohort, write_cohort
from lggshape.readers import open_cases
from lggshape.tables import read_table

SMALL = (10, 40, 40)


def test_a_cohort_depends_on_its_seed_alone():
    first, again = (cohort(patients=3, seed=5, size=SMALL) for _ in range(2))
    other = cohort(patients=3, seed=6, size=SMALL)
    for name, table in first.tables.items():
        assert table.equals(again.tables[name])
    assert not np.array_equal(first.irregularity, other.irregularity)
    for one, same, differs in zip(first.cases, again.cases, other.cases, strict=True):
        np.testing.assert_array_equal(one.image, same.image)
        assert not np.array_equal(one.image, differs.image)


def test_more_patients_do_not_change_the_first_ones():
    few, more = (cohort(patients=n, seed=5, size=SMALL) for n in (2, 4))
    for one, same in zip(few.cases, more.cases, strict=False):
        np.testing.assert_array_equal(one.image, same.image)


def test_association_changes_the_labels_and_not_the_heads():
    planted, null = (cohort(patients=40, seed=5, association=a, size=SMALL) for a in (True, False))
    np.testing.assert_array_equal(planted.irregularity, null.irregularity)
    np.testing.assert_array_equal(next(planted.cases).image, next(null.cases).image)
    assert not planted.tables["labels"].equals(null.tables["labels"])


def test_a_written_cohort_is_a_data_set(tmp_path):
    folder = write_cohort(tmp_path / "new" / "cohort", patients=11, seed=2, size=SMALL)
    assert folder == tmp_path / "new" / "cohort"
    made = cohort(patients=11, seed=2, size=SMALL)
    sources = {source.id: source for source in open_cases(folder)}
    assert list(made.tables["labels"]["patient"]) == sorted(sources, key=lambda name: name[-4:])
    for index, expected in enumerate(made.cases):
        case = sources[expected.id].read()
        np.testing.assert_array_equal(case.image, expected.image)
        np.testing.assert_array_equal(case.mask, expected.mask)
        assert case.patient == expected.patient
        lacks_post_contrast = np.array_equal(case.image[..., 2], case.image[..., 1])
        assert lacks_post_contrast == (index == 9)
    labels = read_table(folder / "labels.csv", required=("patient", "molecular_subtype", "sex"))
    clinical = read_table(folder / "clinical.csv", required=("patient", "grade", "died"))
    assert list(labels["patient"]) == list(clinical["patient"])
    assert list(labels["patient"]) == list(made.tables["labels"]["patient"])
    assert (folder / "hypotheses.toml").is_file()


def test_a_cohort_is_not_mixed_with_other_files(tmp_path):
    (tmp_path / "other.txt").touch()
    for folder in (tmp_path, tmp_path / "other.txt"):
        with pytest.raises(InputError, match="a new or empty folder"):
            write_cohort(folder, patients=1, size=SMALL)
    (tmp_path / "empty").mkdir()
    write_cohort(tmp_path / "empty", patients=1, size=SMALL)
