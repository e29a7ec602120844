import json
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.errors import InputError
from lggshape.labels import read_labels
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.verification import COLUMNS, verify

SHAPE = (4, 12, 14)
RNG = np.random.default_rng(0)
TUMOUR = np.zeros(SHAPE, dtype=bool)
TUMOUR[1:3, 4:7, 5:8] = True


def write_case(folder, name, *, mask=TUMOUR, image=None):
    case = folder / name
    case.mkdir(parents=True)
    if image is None:
        image = RNG.integers(1, 256, (*SHAPE, 3), dtype=np.uint8)
    for number in range(1, SHAPE[0] + 1):
        values = image[number - 1]
        tifffile.imwrite(case / f"{name}_{number}.tif", values, photometric="rgb")
        if mask is not None:
            stored = mask[number - 1].astype(np.uint8) * 255
            tifffile.imwrite(case / f"{name}_{number}_mask.tif", stored)
    return image


def only_row(folder):
    (row,) = verify(folder, jobs=1).cases.to_dict("records")
    return row


def test_a_case_without_fault(tmp_path):
    write_case(tmp_path, "TCGA_CS_0001_20000101")
    assert only_row(tmp_path) == {
        "case": "TCGA_CS_0001_20000101",
        "patient": "TCGA_CS_0001",
        "status": "ok",
        "shape": "4 x 12 x 14",
        "type": "uint8",
        "missing_sequences": "none",
        "slices": 4,
        "tumour_slices": 2,
        "tumour_voxels": 18,
        "components_6": 1,
        "components_26": 1,
        "touches_edge": False,
        "messages": "",
    }


@pytest.mark.parametrize(
    ("channels", "missing"),
    [
        ([0], "pre-contrast"),
        ([2], "post-contrast"),
        ([0, 2], "pre-contrast; post-contrast"),
    ],
)
def test_a_sequence_that_equals_flair_is_missing(tmp_path, channels, missing):
    image = RNG.integers(1, 256, (*SHAPE, 3), dtype=np.uint8)
    image[..., channels] = image[..., 1:2]
    write_case(tmp_path, "A", image=image)
    row = only_row(tmp_path)
    assert row["missing_sequences"] == missing
    assert row["status"] == "warning"
    assert row["messages"].count("equals FLAIR everywhere") == len(channels)


def test_flair_alone_is_a_case_with_a_word_on_what_is_missing(tmp_path):
    case = tmp_path / "A"
    case.mkdir()
    for number, values in enumerate(RNG.integers(1, 256, SHAPE).astype(np.uint16), start=1):
        tifffile.imwrite(case / f"A_{number}.tif", values)
    row = only_row(tmp_path)
    assert (row["shape"], row["type"]) == ("4 x 12 x 14", "uint16")
    assert row["missing_sequences"] == "pre-contrast; post-contrast"
    assert row["messages"] == "pre-contrast is missing; post-contrast is missing; no mask"
    assert row["status"] == "warning"


def test_a_sequence_that_differs_in_one_voxel_is_there(tmp_path):
    image = RNG.integers(1, 256, (*SHAPE, 3), dtype=np.uint8)
    image[..., 0] = image[..., 1]
    image[3, 11, 13, 0] += 1
    write_case(tmp_path, "A", image=image)
    assert only_row(tmp_path)["status"] == "ok"


@pytest.mark.parametrize(
    ("voxels", "parts"),
    [
        ([(1, 5, 9)], (2, 2)),  # two voxels away
        ([(1, 3, 4)], (2, 1)),  # by an edge
        ([(3, 3, 4)], (2, 1)),  # by a corner
        ([(3, 3, 4), (1, 5, 10)], (3, 2)),
    ],
)
def test_parts_of_a_mask_analytic(tmp_path, voxels, parts):
    mask = TUMOUR.copy()
    for voxel in voxels:
        mask[voxel] = True
    write_case(tmp_path, "A", mask=mask)
    row = only_row(tmp_path)
    assert (row["components_6"], row["components_26"]) == parts
    assert row["status"] == "warning"
    assert f"{parts[0]} parts that share no face" in row["messages"]


def test_an_empty_mask_is_a_warning(tmp_path):
    write_case(tmp_path, "A", mask=np.zeros(SHAPE, dtype=bool))
    row = only_row(tmp_path)
    assert (row["tumour_voxels"], row["components_6"], row["touches_edge"]) == (0, 0, False)
    assert row["messages"] == "the mask is empty"


@pytest.mark.parametrize(
    "voxel", [(0, 5, 5), (3, 5, 5), (2, 0, 5), (2, 11, 5), (2, 5, 0), (2, 5, 13)]
)
def test_a_mask_at_any_edge_is_a_warning(tmp_path, voxel):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[voxel] = True
    write_case(tmp_path, "A", mask=mask)
    row = only_row(tmp_path)
    assert row["touches_edge"]
    assert row["messages"] == "the mask reaches the edge of the volume"


def test_images_alone(tmp_path):
    write_case(tmp_path, "A", mask=None)
    row = only_row(tmp_path)
    assert (row["status"], row["messages"]) == ("warning", "no mask")
    assert pd.isna(row["tumour_voxels"])


def test_masks_alone(tmp_path):
    write_case(tmp_path, "A")
    for file in (tmp_path / "A").glob("A_?.tif"):
        file.unlink()
    row = only_row(tmp_path)
    assert (row["status"], row["type"], row["shape"]) == ("ok", "bool", "4 x 12 x 14")
    assert pd.isna(row["missing_sequences"])  # there is no image that could tell


def test_a_bad_case_fails_alone(tmp_path):
    write_case(tmp_path, "A")
    write_case(tmp_path, "B")
    (tmp_path / "B" / "B_2_mask.tif").write_bytes(b"damaged")
    (tmp_path / "C").mkdir()
    steps = []
    found = verify(tmp_path, jobs=1, on_progress=steps.append)
    assert list(found.cases.columns) == list(COLUMNS)
    assert list(found.cases["status"]) == ["ok", "failed", "failed"]
    assert list(found.failures) == ["B", "C"]
    assert "B_2_mask.tif" in found.failures["B"]
    assert pd.isna(found.cases["slices"][1])
    assert [(step.doing, step.done, step.total) for step in steps] == [
        ("verifying", done, 3) for done in range(4)
    ]


def test_the_number_of_jobs_changes_nothing_invariant(tmp_path):
    folder = write_cohort(tmp_path / "cohort", patients=4, size=(6, 24, 24))
    one, two = (verify(folder, jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one.cases, two.cases)


def test_cases_may_come_as_sources(tmp_path):
    write_case(tmp_path, "A")
    write_case(tmp_path, "B")
    assert list(verify(open_cases(tmp_path)[1:], jobs=1).cases["case"]) == ["B"]


# --- across cases


def test_several_cases_of_a_patient(tmp_path):
    for name in ("TCGA_CS_0001_20000101", "TCGA_CS_0001_20010101", "TCGA_CS_0002_20000101"):
        write_case(tmp_path, name)
    assert verify(tmp_path, jobs=1).messages == (
        "patient TCGA_CS_0001 has 2 cases: TCGA_CS_0001_20000101, TCGA_CS_0001_20010101",
    )


def test_slices_that_two_patients_share(tmp_path):
    image = write_case(tmp_path, "A")
    other = RNG.integers(1, 256, (*SHAPE, 3), dtype=np.uint8)
    other[2:] = image[:2]
    write_case(tmp_path, "B", image=other)
    assert verify(tmp_path, jobs=1).messages == (
        "cases A and B are of different patients and share 2 slices",
    )


def test_slices_of_one_value_and_of_one_patient_may_recur(tmp_path):
    blank = np.zeros((*SHAPE, 3), dtype=np.uint8)
    blank[1, ..., 0] = RNG.integers(1, 256, SHAPE[1:])
    write_case(tmp_path, "TCGA_CS_0001_20000101", image=blank)
    write_case(tmp_path, "TCGA_CS_0001_20010101", image=blank)
    write_case(tmp_path, "TCGA_CS_0002_20000101", image=np.zeros((*SHAPE, 3), dtype=np.uint8))
    (message,) = verify(tmp_path, jobs=1).messages
    assert "2 cases" in message


def test_labels_are_counted_by_column(tmp_path):
    for name in ("A", "B", "C"):
        write_case(tmp_path / "data", name)
    (tmp_path / "one.csv").write_text("Patient,g,h\nA,1,\nB,2,x\nD,1,x\n")
    (tmp_path / "two.csv").write_text("k,patient\n1,A\n2,B\n3,C\n")
    found = verify(tmp_path / "data", labels=[tmp_path / "one.csv", tmp_path / "two.csv"], jobs=1)
    assert found.labels.to_dict("records") == [
        {"table": "one.csv", "column": "g", "labelled": 2, "unlabelled": "C"},
        {"table": "one.csv", "column": "h", "labelled": 1, "unlabelled": "A; C"},
        {"table": "two.csv", "column": "k", "labelled": 3, "unlabelled": ""},
    ]
    assert found.messages == ("1 patient of one.csv without a case: D",)


def test_near_misses_are_named_and_joined_where_asked_for_analytic(tmp_path):
    for name in ("P_1", "P_2"):
        write_case(tmp_path / "data", name)
    table = pd.DataFrame({"Patient": ["P-1", "P_2"], "g": [1, 2]})
    exact = verify(tmp_path / "data", labels=table, jobs=1)
    assert exact.labels["labelled"].tolist() == [1]
    assert "P_1 and P-1" in exact.messages[-1]
    assert "1 of 2 patients found in the label tables, not found: P_1" in exact.summary()
    loose = verify(tmp_path / "data", labels=table, match_ids="loose", jobs=1)
    assert loose.labels["labelled"].tolist() == [2]
    assert loose.messages == ("1 joined, though spelled differently: P_1 and P-1 (labels)",)


def test_cells_that_say_missing_are_no_labels(tmp_path):
    cells = ["", "NA", "n/a", "NaN", "none", "NULL", "[Not Available]", "0", "Nan-a"]
    rows = "".join(f"P{number},{cell}\n" for number, cell in enumerate(cells))
    (tmp_path / "one.csv").write_text(f"subject,g\n{rows}")
    for number in range(len(cells)):
        write_case(tmp_path / "data", f"P{number}")
    found = verify(
        tmp_path / "data", labels=[tmp_path / "one.csv"], patient_column="subject", jobs=1
    )
    assert found.labels.to_dict("records") == [
        {
            "table": "one.csv",
            "column": "g",
            "labelled": 2,
            "unlabelled": "P0; P1; P2; P3; P4; P5; P6",
        }
    ]


def test_what_was_done_to_label_tables_on_reading_is_a_message_analytic(tmp_path):
    for name in ("A", "B", "C"):
        write_case(tmp_path / "data", name)
    table = pd.DataFrame(
        {"ID": ["A", "B", "C"], "g": ["yes", "unknown", "YES"], "born": "1960-05-01"}
    )
    found = verify(tmp_path / "data", labels=table, jobs=1)
    assert found.messages[:2] == (
        'labels: counted as missing: "unknown" (1 in g)',
        "labels: merged, as they differ in upper and lower case or blanks alone, in g: "
        '"yes" (1) with "YES"',
    )
    assert found.messages[2].startswith("Expected born to be a label, found dates")
    assert found.labels["column"].tolist() == ["g"]


def test_a_label_table_that_cannot_be_read_stops_the_work(tmp_path):
    write_case(tmp_path / "data", "A")
    (tmp_path / "one.csv").write_text("name,g\nA,1\n")
    with pytest.raises(InputError, match=r"one\.csv"):
        verify(tmp_path / "data", labels=[tmp_path / "one.csv"], jobs=1)


def test_the_dictionary_is_plain_json(tmp_path):
    write_case(tmp_path / "data", "A")
    (tmp_path / "data" / "B").mkdir()
    (tmp_path / "one.csv").write_text("Patient,g\nA,1\n")
    found = verify(tmp_path / "data", labels=[tmp_path / "one.csv"], jobs=1)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["status"] == {"ok": 1, "failed": 1}
    assert content["labels"] == [
        {"table": "one.csv", "column": "g", "labelled": 1, "unlabelled": "B"}
    ]
    assert content["cases"][0]["touches_edge"] is False
    assert content["cases"][1]["slices"] is None


def test_the_summary_says_what_was_found(tmp_path):
    write_case(tmp_path / "data", "A")
    write_case(tmp_path / "data", "B", mask=None)
    shutil.copytree(tmp_path / "data" / "A", tmp_path / "data" / "C")
    (tmp_path / "one.csv").write_text("Patient,g\nA,1\nD,2\n")
    found = verify(tmp_path / "data", labels=[tmp_path / "one.csv"], jobs=1)
    assert found.summary().splitlines() == [
        "3 cases of 3 patients: 1 ok, 1 with warnings, 1 failed",
        "  B: no mask",
        "  1 patient of one.csv without a case: D",
        "  1 of 3 patients found in the label tables, not found: B, C",
        "  one.csv, g: 1 of 3 patients, without: B, C",
    ]


# --- the real data


@pytest.mark.real_data
def test_what_is_known_of_the_data_set(dataset):
    sources = open_cases(dataset)
    # The counts of the data's own description.
    assert len(sources) == 110
    assert len(list(dataset.rglob("*_mask.tif"))) == 3929
    # Every third patient, each with one case; counted when all 110 had the counts described.
    found = verify(sources[::3], labels=[dataset / "data.csv"])
    cases = found.cases
    assert found.failures == {}
    (message,) = found.messages
    assert message.startswith("73 patients of data.csv without a case")
    assert cases["slices"].sum() == 1350
    missing = cases["missing_sequences"]
    assert missing.str.contains("post-contrast").sum() == 7
    assert missing.str.contains("pre-contrast").sum() == 4
    assert (cases["components_6"] > 1).sum() == 12
    assert (cases["components_26"] > 1).sum() == 3
    labelled = found.labels.set_index("column")["labelled"]
    assert labelled["RNASeqCluster"] == 30


def test_cases_and_labels_in_memory_are_verified_like_files_invariant(tmp_path):
    write_case(tmp_path / "data", "A")
    (tmp_path / "one.csv").write_text("Patient,g\nA,1\nD,2\n")
    by_file = verify(str(tmp_path / "data"), labels=str(tmp_path / "one.csv"), jobs=1)
    cases = [source.read() for source in open_cases(tmp_path / "data")]
    table = pd.DataFrame({"Patient": ["A", "D"], "g": [1, 2]})
    in_memory = verify(cases, labels=table, jobs=1)
    pd.testing.assert_frame_equal(in_memory.cases, by_file.cases)
    assert in_memory.labels["labelled"].tolist() == by_file.labels["labelled"].tolist() == [1]
    assert in_memory.messages == ("1 patient of labels without a case: D",)


def test_tables_of_one_name_and_cases_of_one_name_are_refused(tmp_path):
    write_case(tmp_path / "data", "A")
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.csv").write_text("Patient,g\nA,1\n")
    one, other = sorted(tmp_path.glob("*/t.csv"))
    with pytest.raises(InputError, match="found two called t"):
        verify(tmp_path / "data", labels=[one, other], jobs=1)
    read = read_labels({"one": one, "other": other})
    found = verify(tmp_path / "data", labels=read, jobs=1)
    assert found.labels["table"].tolist() == ["one", "other"]
    assert found.labels["labelled"].tolist() == [1, 1]
    with pytest.raises(InputError, match="found A twice"):
        verify(open_cases(tmp_path / "data") * 2, jobs=1)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (np.nan, "NaN or infinity in 1 voxel of FLAIR"),
        (-np.inf, "NaN or infinity in 1 voxel of FLAIR"),
        (None, "to show something, found the value 0 everywhere"),
    ],
)
def test_an_image_that_is_not_finite_or_shows_nothing_has_failed(tmp_path, value, found):
    image = RNG.random((*SHAPE, 3)).astype(np.float32)
    image[1, 2, 3, 1] = value
    write_case(tmp_path, "A", image=np.zeros_like(image) if value is None else image)
    write_case(tmp_path, "B")
    result = verify(tmp_path, jobs=1)
    assert list(result.failures) == ["A"]
    assert found in result.failures["A"]


def test_a_mask_beside_the_head_is_a_warning_analytic(tmp_path):
    image = np.zeros((*SHAPE, 3), dtype=np.uint8)
    image[:, 1:11, 5:13] = RNG.integers(90, 110, (4, 10, 8, 3), dtype=np.uint8)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:3, 4:7, 1:3] = True
    write_case(tmp_path, "A", image=image, mask=mask)
    row = only_row(tmp_path)
    assert row["status"] == "warning"
    assert "the mask touches nothing of the head" in row["messages"]
