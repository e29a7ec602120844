import pandas as pd
import pytest

from lggshape import evaluate, feature_table
from lggshape.errors import CaseError, InputError
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases


@pytest.fixture
def folder(tmp_path):
    """Masks of four cases, beside a table that knows other things of three of them."""
    masks = write_cohort(tmp_path / "masks", patients=4, seed=1, size=(4, 24, 24))
    first, second, third, _ = (source.id for source in open_cases(masks))
    table = pd.DataFrame(
        [
            (first, "P1", "ok", ""),
            (second, "P2", "failed", "no image"),
            (third, "P3", "skipped", "seen"),
            ("gone", "P4", "empty", "no tumour"),
        ],
        columns=["case", "patient", "status", "reason"],
    )
    table.to_csv(masks / "segmentation.csv", index=False)
    return masks


def test_the_table_counts(folder):
    names = [path.name for path in sorted(folder.iterdir()) if path.is_dir()]
    sources = {source.id: source for source in open_cases(folder, masks_only=True)}
    assert set(sources) == {names[0], names[1], names[3], "gone"}
    assert [sources[name].patient for name in (*names[:2], "gone")] == ["P1", "P2", "P4"]
    assert sources[names[3]].patient == names[3]  # not in the table
    assert sources[names[0]].read(image=False).mask.any()
    with pytest.raises(CaseError, match="segmentation failed: no image"):
        sources[names[1]].read()
    with pytest.raises(CaseError, match="Expected case gone to have a mask, found none"):
        sources["gone"].read()


def test_images_are_not_what_the_table_is_about(folder):
    assert len(open_cases(folder)) == 4


def test_a_table_that_is_another(folder):
    (folder / "segmentation.csv").write_text("case,volume\na,1\n")
    with pytest.raises(InputError, match=r"segmentation\.csv"):
        open_cases(folder, masks_only=True)


def test_a_run_in_which_all_failed_still_has_its_cases(tmp_path):
    row = {"case": "a", "patient": "a", "status": "failed", "reason": "no image"}
    pd.DataFrame([row]).to_csv(tmp_path / "segmentation.csv", index=False)
    (source,) = open_cases(tmp_path, masks_only=True)
    assert (source.id, source.has_mask) == ("a", False)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("../../x,P,ok,", r"a separator of folders \(/\) in line 2"),
        ("a\x1bb,P,failed,", "a character that cannot be printed in line 2"),
        ("a\0b,P,failed,", "to be a table as text in UTF-8"),
        ("a,P,done,", "the status 'done'"),
        ("a,P,failed,one\na,P,failed,two", "a second row of this case in line 3"),
    ],
)
def test_rows_that_cannot_be_are_refused_analytic(tmp_path, row, found):
    (tmp_path / "segmentation.csv").write_text(f"case,patient,status,reason\n{row}\n")
    with pytest.raises(InputError, match=found) as caught:
        open_cases(tmp_path, masks_only=True)
    assert str(tmp_path / "segmentation.csv") in str(caught.value)


def test_a_patient_called_like_the_case_is_the_one_that_its_name_tells_analytic(tmp_path):
    row = "TCGA_CS_4941_19960909,TCGA_CS_4941_19960909,failed,no image"
    (tmp_path / "segmentation.csv").write_text(f"case,patient,status,reason\n{row}\n")
    (source,) = open_cases(tmp_path, masks_only=True)
    assert (source.patient, source.site) == ("TCGA_CS_4941", "CS")


def test_further_columns_are_those_of_the_cases_analytic(folder):
    path = folder / "segmentation.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.assign(
        fold="",
        components_removed="",
        session="2",
        site=["Bonn", "Ulm", "", ""],
        scanner=["3 T", "", "", "1.5 T"],
    ).to_csv(path, index=False)
    sources = open_cases(folder, masks_only=True)
    measured = feature_table(sources, jobs=1).table.set_index("patient")
    further = measured.loc[["P1", "P2", "P4"], ["session", "site", "scanner"]]
    assert further.values.tolist() == [["2", "Bonn", "3 T"], ["2", "Ulm", ""], ["2", "", "1.5 T"]]
    scores = evaluate(folder, [source.read() for source in sources if source.has_mask], jobs=1)
    row = scores.scores.set_index("patient").loc["P1"]
    assert (row["session"], row["scanner"]) == ("2", "3 T")


def test_a_manifest_counts_more_than_the_table_analytic(folder):
    path = folder / "segmentation.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.assign(scanner="3 T").to_csv(path, index=False)
    names = [source.id for source in open_cases(folder, masks_only=True)]
    manifest = pd.DataFrame({"case": names, "patient": "P9", "grade": "II"})
    sources = open_cases(folder, masks_only=True, manifest=manifest)
    assert {source.columns for source in sources} == {(("grade", "II"),)}
