import io
from pathlib import Path

import pandas as pd
import pytest

from lggshape.association import read_features
from lggshape.errors import InputError


def write(folder: Path, text: str) -> Path:
    path = folder / "features.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_are_read_and_words_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "case,patient,masks,a,b,word\nx_1,x,manual,1.5,,u\ny_1,y,manual,2,3,4\n")
    table = read_features(path)
    assert list(table.columns) == ["case", "patient", "masks", "reason", "a", "b"]
    assert table["a"].tolist() == [1.5, 2.0]
    assert table["b"].isna().tolist() == [True, False]


TWICE = "case,patient,masks,a\nx_2,x,manual,2\nx_1,x,manual,1\ny_1,y,manual,3\nx_1,x,automatic,4\n"


def test_two_cases_of_a_patient_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found 2 of patient x \(manual: x_2, x_1\)"):
        read_features(write(tmp_path, TWICE))


def test_one_of_two_cases_can_be_taken(tmp_path: Path) -> None:
    path = write(tmp_path, TWICE)
    assert read_features(path, take="first")["a"].tolist() == [1.0, 3.0, 4.0]
    assert read_features(path, take="last")["a"].tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("case,patient,a\nx,x,1\n", r"column masks, found: case, patient, a"),
        ("case,patient,masks,a\n", "found none"),
        ("case,patient,masks,a\nx,,manual,1\n", "a patient, found none in line 2"),
        (
            "case,patient,masks,a\nx,x,manual,inf\n",
            "a to be a finite number, found 'inf' for case x",
        ),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_features(write(tmp_path, text))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_features(tmp_path / "none.csv")


@pytest.mark.parametrize("cell", ["NA", "nan", "", "[Not Available]"])
def test_words_for_missing_are_missing(tmp_path: Path, cell: str) -> None:
    text = f"case,patient,masks,margin_fluctuation\nx,x,manual,0.5\ny,y,manual,{cell}\n"
    table = read_features(write(tmp_path, text))
    assert table["margin_fluctuation"].isna().tolist() == [False, True]


def test_a_word_in_a_feature_of_lggshape_is_refused(tmp_path: Path) -> None:
    text = 'case,patient,masks,margin_fluctuation\nx,x,manual,0.5\ny,y,manual,"0,5"\n'
    with pytest.raises(InputError, match="finite number, found '0,5' for case y"):
        read_features(write(tmp_path, text))


def test_spacing_known_in_any_spelling(tmp_path: Path) -> None:
    rows = "x,x,manual,TRUE\ny,y,manual,false\nz,z,manual,\n"
    table = read_features(write(tmp_path, "case,patient,masks,spacing_known\n" + rows))
    assert table["spacing_known"].tolist() == [True, False, None]
    with pytest.raises(InputError, match="to be True or False, found 'yes'"):
        read_features(write(tmp_path, "case,patient,masks,spacing_known\nx,x,manual,yes\n"))


REGIONS = "case,patient,masks,region,a\nx,x,manual,whole,2\nx,x,manual,core,1\ny,y,manual,whole,4\n"


def tables(folder: Path, text: str) -> list[Path | pd.DataFrame]:
    """Return a table as a file and in memory."""
    return [write(folder, text), pd.read_csv(io.StringIO(text))]


def test_one_region_at_a_time_is_read_invariant(tmp_path: Path) -> None:
    for source in tables(tmp_path, REGIONS):
        table = read_features(source, region="whole")
        assert list(table.columns) == ["case", "patient", "masks", "region", "reason", "a"]
        assert table["a"].tolist() == [2.0, 4.0]
        assert table.index.tolist() == [0, 1]
        pd.testing.assert_frame_equal(read_features(table), table)  # one region needs no choice
        assert read_features(source, region="core")["a"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("region", "complaint"),
    [
        (None, r"one region in .*, found: whole, core\. Say which .* --region"),
        ("oedema", r"the region oedema in .*, found: whole, core\."),
    ],
)
def test_a_table_of_several_regions_needs_a_choice(
    tmp_path: Path, region: str | None, complaint: str
) -> None:
    for source in tables(tmp_path, REGIONS):
        with pytest.raises(InputError, match=complaint):
            read_features(source, region=region)


def test_a_region_has_to_be_there(tmp_path: Path) -> None:
    for source in tables(tmp_path, REGIONS.replace(",whole,", ",,")):
        with pytest.raises(InputError, match="a row without one"):
            read_features(source, region="core")
    for source in tables(tmp_path, TWICE):
        with pytest.raises(InputError, match=r"found no column region\. Leave --region out"):
            read_features(source, region="core", take="first")


def test_lesions_are_no_patients(tmp_path: Path) -> None:
    for source in tables(tmp_path, "case,patient,masks,lesion,a\nx,x,manual,1,2\nx,x,manual,2,1\n"):
        with pytest.raises(InputError, match=r"found lesions\. Measure the masks again without"):
            read_features(source)
