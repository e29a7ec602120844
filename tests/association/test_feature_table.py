import io
import math
from pathlib import Path

import pandas as pd
import pytest

from lggshape.association import read_features
from lggshape.association.feature_table import find_feature
from lggshape.association.other_programs import with_own_names
from lggshape.errors import InputError
from lggshape.labels import read_labels
from lggshape.shape import FEATURES


def write(folder: Path, text: str) -> Path:
    path = folder / "features.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_are_read_and_words_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "case,patient,masks,a,b,word\nx_1,x,manual,1.5,,u\ny_1,y,manual,2,3,4\n")
    table = read_features(path)
    assert list(table.columns) == ["case", "patient", "masks", "reason", "a", "b", "word"]
    assert table["word"].tolist() == ["u", "4"]
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
        ("name,masks,a\nx,manual,1\n", "one column of patients, .* among: name, masks, a"),
        ("case,patient,masks,a\n", "found none"),
        ("case,patient,masks,a\nx,,manual,1\n", "to name its patient, found none in line 2"),
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
    with pytest.raises(InputError, match=r"clear numbers, found .* two notations"):
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


# --- tables of other programs

PYRADIOMICS = pd.DataFrame(
    {
        "ID": ["a", "b", "c"],
        "Image": ["a.nii", "b.nii", "c.nii"],
        "diagnostics_Versions_PyRadiomics": "v3.1.0",
        "diagnostics_Image-original_Mean": [312.3, 283.1, 250.0],
        "original_shape_Elongation": [0.7, 0.8, 0.9],
        "original_shape_MeshVolume": [41900.5, 1200.25, 5.5],
        "original_shape_VoxelVolume": [41919.0, 1210.0, 6.0],
        "original_shape_LeastAxisLength": [20.5, 10.25, 1.5],
        "original_shape2D_Sphericity": [0.5, 0.25, 0.75],
        "original_glcm_Id": [0.5, 0.25, 0.125],
    }
)

MIRP = pd.DataFrame(
    {
        "sample_name": ["a", "b", "c"],
        "image_modality": "mri",
        "image_voxel_size_x": [1.0, 1.0, 1.0],
        "image_mask_label": "mask_1",
        "image_noise_level": [None, None, None],
        "morph_volume": [41900.5, 1200.25, 5.5],
        "morph_vol_approx": [41919.0, 1210.0, 6.0],
        "morph_pca_elongation": [0.7, 0.8, 0.9],
        "morph_vol_dens_mvee": [0.3, 0.4, 0.5],
        "stat_mean": [1.5, 2.5, 3.5],
    }
)


@pytest.mark.parametrize(
    ("given", "own"),
    [
        (
            PYRADIOMICS,
            ["elongation", "mesh_volume", "volume", "original_shape_LeastAxisLength",
             "original_shape2D_Sphericity", "original_glcm_Id"],
        ),
        (MIRP, ["mesh_volume", "volume", "elongation", "morph_vol_dens_mvee", "stat_mean"]),
    ],
    ids=["pyradiomics", "MIRP"],
)  # fmt: skip
def test_tables_of_other_programs_are_read_as_they_are_analytic(
    tmp_path: Path, given: pd.DataFrame, own: list[str]
) -> None:
    given.to_csv(tmp_path / "features.csv", index=False)
    for source in (given, tmp_path / "features.csv"):
        table = read_features(source)
        numbers = table.select_dtypes("float")
        assert list(numbers) == own
        assert list(table)[: 4 + len(own)] == ["case", "patient", "masks", "reason", *own]
        assert table[["case", "patient", "masks"]].iloc[1].tolist() == ["b", "b", "given"]
        assert table["volume"].tolist() == [41919, 1210, 6]
        assert table["mesh_volume"].tolist() == [41900.5, 1200.25, 5.5]
        pd.testing.assert_frame_equal(read_features(table), table)


def test_every_feature_of_another_program_is_known_by_both_names_invariant() -> None:
    shared = [one for one in FEATURES.values() if one.pyradiomics]
    assert [one.name for one in shared if one.mirp is None] == []
    for one in shared:
        name = f"original_shape_{one.pyradiomics}"
        assert list(with_own_names(pd.DataFrame([[1.0]], columns=[name]))) == [one.name]
        assert find_feature(name, [one.name]) == one.name
        assert find_feature(str(one.mirp), [one.name]) == one.name


def test_a_feature_of_lggshape_keeps_its_name_beside_that_of_another_program_analytic() -> None:
    table = PYRADIOMICS.assign(elongation=[0.1, 0.2, 0.3])
    read = read_features(table)
    assert read["elongation"].tolist() == [0.1, 0.2, 0.3]
    assert read["original_shape_Elongation"].tolist() == [0.7, 0.8, 0.9]


def test_the_patients_of_a_foreign_table_may_have_to_be_named_analytic() -> None:
    table = PYRADIOMICS.assign(subject=["x", "y", "z"])
    with pytest.raises(InputError, match=r"could be it: ID, subject.*--patient-column"):
        read_features(table)
    assert read_features(table, patient_column="subject")["patient"].tolist() == ["x", "y", "z"]
    assert read_features(PYRADIOMICS, patient_column="subject")["patient"].iloc[0] == "a"


def test_two_masks_of_a_patient_in_a_foreign_table_are_refused_analytic() -> None:
    with pytest.raises(InputError, match=r"found 2 of patient a \(given: a, a\)"):
        read_features(pd.concat([PYRADIOMICS, PYRADIOMICS[:1]]))


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["0,5", "1,25", "n/a"], [0.5, 1.25, math.nan]),
        (["50%", "12.5%", ""], [0.5, 0.125, math.nan]),
    ],
)
def test_numbers_of_features_in_another_notation_analytic(
    cells: list[str], values: list[float]
) -> None:
    read = read_features(PYRADIOMICS.assign(original_shape_Sphericity=cells))
    assert read["sphericity"].tolist() == pytest.approx(values, nan_ok=True)


def test_a_real_table_of_pyradiomics_and_its_labels_are_read_as_downloaded(
    dataset: Path,
) -> None:
    folder = dataset.parents[1] / "external" / "ucsf_pdgm"
    table = read_features(folder / "radiomic_features_T1gad_bias.csv")
    assert len(table) == 501
    own = [name for name in table if name in FEATURES]
    assert own == [
        "elongation", "flatness", "maximum_3d_diameter", "mesh_volume", "sphericity",
        "surface_area", "volume",
    ]  # fmt: skip
    labels = read_labels(folder / "UCSF-PDGM-metadata_v2.csv")
    assert labels.patients.issuperset(table["patient"])
    codeletion = labels["1p/19q"].values.value_counts().to_dict()
    assert codeletion == {"intact": 395, "co-deletion": 9, "relative co-deletion": 6}
