import pandas as pd
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.readers.columns import check_columns, with_columns


@pytest.fixture
def files(tmp_path, save_nifti):
    for name in ("one/anat.nii.gz", "one/drawn.nii.gz", "two/anat.nii.gz"):
        save_nifti(tmp_path / "data" / name)
    return tmp_path / "data"


TEXT = (
    "case,patient,site,session,flair,t1ce,mask,scanner\n"
    "a,P1,Bonn,1,one/anat.nii.gz,,one/drawn.nii.gz,3 T\n"
    "b,TCGA-FG-6692,,2,two/anat.nii.gz,,,\n"
)


@pytest.mark.parametrize("place", ["data", "."])
def test_a_manifest_with_files_is_the_source_of_cases_analytic(tmp_path, files, place):
    manifest = tmp_path / place / "manifest.csv"
    manifest.write_text(TEXT)
    one, two = open_cases(files, manifest=manifest)
    assert (one.id, one.patient, one.site, one.session) == ("a", "P1", "Bonn", "1")
    assert (two.id, two.patient, two.columns) == ("b", "TCGA_FG_6692", (("scanner", ""),))
    case = one.read()
    assert case.sequences == ("FLAIR",)
    assert case.mask.sum() == 3
    assert two.read().mask is None


def test_a_manifest_can_be_opened_by_itself(files):
    manifest = files / "manifest.csv"
    manifest.write_text(TEXT)
    assert [case.patient for case in open_cases(manifest)] == ["P1", "TCGA_FG_6692"]
    table = pd.read_csv(manifest)
    assert [case.id for case in open_cases(files, manifest=table)] == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("one/gone.nii.gz", "no such file"),
        ("one", "no image file of a known format"),
        ("notes.txt", "no image file of a known format"),
    ],
)
def test_a_file_that_cannot_be_used_is_the_fault_of_its_case(files, path, message):
    (files / "notes.txt").touch()
    manifest = files / "manifest.csv"
    manifest.write_text(TEXT.replace("two/anat.nii.gz", path))
    good, bad = open_cases(files, manifest=manifest)
    assert good.read().mask is not None
    assert bad.patient == "TCGA_FG_6692"
    with pytest.raises(CaseError, match=f"case b, found .*{message}"):
        bad.read()


def test_a_path_that_could_be_two_files_is_not_guessed(tmp_path, files, save_nifti):
    save_nifti(tmp_path / "one" / "anat.nii.gz")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(TEXT)
    bad, _ = open_cases(files, manifest=manifest)
    with pytest.raises(CaseError, match="several files"):
        bad.read()


def test_a_row_without_files_is_a_case_that_a_layout_finds(files, save_nifti):
    save_nifti(files / "c_flair.nii.gz")
    manifest = files / "manifest.csv"
    manifest.write_text(TEXT + "c,P3,,,,,,\nd,P4,,,,,,\n")
    cases = {case.id: case for case in open_cases(files, manifest=manifest)}
    assert list(cases) == ["a", "b", "c", "d"]
    assert cases["c"].read().sequences == ("FLAIR",)
    with pytest.raises(CaseError, match="to name files of case d, found none"):
        cases["d"].read()


def test_one_file_of_several_sequences_needs_their_order(files):
    manifest = files / "manifest.csv"
    manifest.write_text("case,patient,image\na,P1,one/anat.nii.gz\n")
    (case,) = open_cases(manifest)
    with pytest.raises(CaseError, match="--sequences"):
        case.read()
    (case,) = open_cases(manifest, sequences=["FLAIR"])
    assert case.read().sequences == ("FLAIR",)


def test_the_folder_has_to_be_there(tmp_path, files):
    (files / "manifest.csv").write_text(TEXT)
    with pytest.raises(InputError, match="found nothing"):
        open_cases(tmp_path / "gone", manifest=files / "manifest.csv")


def test_masks_of_a_run_have_patients_and_columns_of_the_manifest_of_their_images(files):
    manifest = files / "manifest.csv"
    manifest.write_text(TEXT)
    masks = files / "masks"
    masks.mkdir()
    (files / "one" / "drawn.nii.gz").rename(masks / "a_mask.nii.gz")
    (masks / "segmentation.csv").write_text("case,patient,status,reason\na,x,ok,\n")
    (case,) = open_cases(masks, manifest=manifest, masks_only=True)
    assert (case.patient, case.columns) == ("P1", (("scanner", "3 T"),))
    assert case.read().mask.sum() == 3


def test_further_columns_stay_with_the_rows_of_their_case_analytic(files):
    manifest = files / "manifest.csv"
    manifest.write_text(TEXT)
    cases = open_cases(manifest)
    table = pd.DataFrame({"case": ["b", "a", "a"], "region": ["x", "x", "y"]})
    found = with_columns(table, cases)
    assert found["scanner"].tolist() == ["", "3 T", "3 T"]
    assert found["session"].tolist() == ["2", "1", "1"]
    assert found["site"].tolist() == ["", "Bonn", "Bonn"]
    assert with_columns(table.assign(site="of the table"), cases)["site"].eq("of the table").all()
    assert table.columns.tolist() == ["case", "region"]
    with pytest.raises(InputError, match="found scanner"):
        check_columns(cases, ["case", "scanner"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,flair\nP,one/anat.nii.gz\n", "to have the column case"),
        ("case,patient\na,P\n", r"name files in the columns flair, .*--manifest"),
        ("case,patient,flair\n,P,one/anat.nii.gz\n", "a case in every row, found none in line 2"),
        ("case,patient,flair,Mask\na,P,one/anat.nii.gz,one/drawn.nii.gz\n", "Call it mask"),
        ("case,patient,flair,t1gd\na,P,one/anat.nii.gz,two/anat.nii.gz\n", "Call it t1ce"),
        ("case,patient,flair\na,P,one/anat.nii.gz\nb,Q,two/../one/anat.nii.gz\n", "one patient"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_where_it_stands_alone_analytic(files, text, message):
    manifest = files / "manifest.csv"
    manifest.write_text(text)
    with pytest.raises(InputError, match=message):
        open_cases(manifest)


def test_two_masks_of_one_image_may_be_cases_of_one_patient_analytic(files):
    manifest = files / "manifest.csv"
    text = "case,patient,flair,mask\na,P,one/anat.nii.gz,one/drawn.nii.gz\nb,P,one/anat.nii.gz,\n"
    manifest.write_text(text)
    assert [case.patient for case in open_cases(manifest)] == ["P", "P"]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_how_other_programs_write_tables_analytic(files, ending):
    manifest = files / f"manifest.{ending}"
    text = ",case,patient,site,session,flair\n0,a,7.0,NA,1.0,one\\anat.nii.gz\n,,,,,\n"
    manifest.write_text(text.replace(",", "," if ending == "csv" else "\t"))
    (case,) = open_cases(manifest)
    assert (case.patient, case.site, case.session, case.columns) == ("7", "", "1", ())
    assert case.read().sequences == ("FLAIR",)
