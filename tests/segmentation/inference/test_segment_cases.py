import json
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tifffile

from helpers.case_files import contents, first, write_nifti, write_slices
from lggshape.case import SEQUENCES
from lggshape.errors import InputError
from lggshape.masks import dice
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import segment, segment_cases
from lggshape.segmentation.inference.mask_check import UNKNOWN
from lggshape.segmentation.inference.segmentation_journal import COLUMNS, SLICE_COLUMNS

AFFINE = np.diag([-4.5, 4.0, 5.0, 1.0])  # of about the field of view that networks know
MAPS = ("probability", "uncertainty", "entropy")


# --- what is written


def test_masks_tables_and_maps_of_slices(cohort, networks, tmp_path):
    out, calls, results = tmp_path / "out", [], {}
    sources = open_cases(cohort)[:3]
    table, slices, failures, skipped, files = vars(
        segment_cases(
            sources,
            out,
            networks=networks,
            maps=MAPS,
            on_progress=calls.append,
            on_result=results.__setitem__,
        )
    ).values()
    assert (failures, skipped, len(calls)) == ({}, (), 4)
    assert list(results) == [source.id for source in sources]
    assert [progress.done for progress in calls] == [0, 1, 2, 3]
    assert sorted(files) == sorted(contents(out))
    written = pd.read_csv(out / "segmentation.csv", keep_default_na=False, dtype=str)
    assert tuple(written.columns) == COLUMNS
    pd.testing.assert_frame_equal(written, table.astype(str))
    assert tuple(pd.read_csv(out / "slices.csv").columns) == SLICE_COLUMNS
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    for source, row in zip(sources, written.to_dict("records"), strict=True):
        result = segment(source.read(), networks)
        # The same by the function in Python, on the grid of the slices.
        mask = open_cases(out, masks_only=True)[sources.index(source)].read().mask
        np.testing.assert_array_equal(mask, result.mask)
        assert mask.shape == (10, 56, 48)
        assert row == {
            "case": source.id, "patient": source.patient, "fold": str(folds[source.patient]),
            "status": "ok", "reason": "", "networks": f"fold{folds[source.patient]}-member0",
            "volume": str(mask.sum()), "components_removed": str(result.removed),
            "missing_sequences": "none", "spacing_known": "False", "expected_dice": "",
            "expected_dice_low": "", "expected_dice_high": "", "check": "",
            "check_reason": UNKNOWN.reason, "notes": "",
        }  # fmt: skip
        of_case = slices[slices["case"] == source.id]
        assert of_case["slice"].tolist() == list(range(1, 11))
        assert of_case["area"].tolist() == mask.sum(axis=(1, 2)).tolist()
        np.testing.assert_allclose(of_case["score"], result.slice_scores, rtol=1e-5, atol=0)
        for kind in MAPS:
            stack = np.stack(
                [tifffile.imread(out / source.id / f"{source.id}_{n}_{kind}.tif")
                 for n in range(1, 11)]
            )  # fmt: skip
            assert stack.dtype == np.float32
            np.testing.assert_array_equal(stack, getattr(result, kind))


def test_nifti_keeps_grid_orientation_and_affine(cohort, networks, tmp_path):
    case = first(cohort).read()
    write_nifti(tmp_path / "in" / "Ann.nii.gz", case.image[:, ::-1, ::-1], AFFINE)
    out = tmp_path / "out"
    result = segment_cases(
        open_cases(tmp_path / "in", sequences=SEQUENCES),
        out,
        networks=networks,
        maps=["probability"],
    )
    assert sorted(result.files) == [
        "Ann_mask.nii.gz", "Ann_probability.nii.gz", "segmentation.csv", "segmentation.json",
        "segmentation.jsonl", "slices.csv",
    ]  # fmt: skip
    mask, probability = (nib.load(out / f"Ann_{kind}.nii.gz") for kind in ("mask", "probability"))
    for written in (mask, probability):
        np.testing.assert_array_equal(written.affine, AFFINE)
        assert written.shape == (48, 56, 10)
    assert mask.get_data_dtype() == np.uint8
    assert probability.get_data_dtype() == np.float32
    inside = np.asarray(mask.dataobj)
    assert set(np.unique(inside)) == {0, 1}
    row = result.table.iloc[0]
    assert row["spacing_known"]
    assert row["volume"] == pytest.approx(inside.sum() * 4.5 * 4 * 5)
    # The tumour is where it is in the slices, which lie the other way round.
    assert np.count_nonzero(inside.transpose(2, 1, 0)[:, ::-1, ::-1] & case.mask) > 0.5 * max(
        inside.sum(), case.mask.sum()
    )


def test_field_of_view_and_plane_invariant(networks, tmp_path):
    case = make_phantom(np.random.default_rng(99), size=(9, 56, 48))
    pixels = np.diag([225 / 48, 225 / 56, 5.0, 1.0])
    place = (slice(None), slice(20, 76), slice(40, 88))
    larger = np.pad(case.image, ((0, 0), (20, 36), (40, 8), (0, 0)), mode="edge")
    for name, image, affine in (
        ("near", case.image, pixels),
        ("far", larger, pixels),
        ("thick", case.image, np.diag([20.0, 4.0, 4.0, 1.0])),
    ):
        write_nifti(tmp_path / "in" / f"{name}.nii.gz", image, affine)
    sources = open_cases(tmp_path / "in", sequences=case.sequences)
    found = segment_cases(sources, tmp_path / "out", networks=networks)
    written = open_cases(tmp_path / "out", masks_only=True)
    masks = {one.id: one.read().mask for one in written if one.has_mask}
    # These networks have pixels of 7.5 mm, and the head lies between them in another way.
    assert dice(masks["far"][place], masks["near"]) > 0.8
    assert masks["far"].sum() == masks["far"][place].sum() > 0
    table = found.table.set_index("case")
    assert table["status"].to_dict() == {"far": "ok", "near": "ok", "thick": "failed"}
    assert table.loc["far", "notes"].endswith(
        "field of view of 450 x 450 mm cut to 240 mm around the head for the networks"
    )
    assert "found sagittal slices 20 mm apart" in table.loc["thick", "reason"]


# --- bad cases among good ones


def test_bad_cases_are_rows_with_a_reason(cohort, networks, tmp_path):
    case = first(cohort).read()
    folder = tmp_path / "in"
    shutil.copytree(first(cohort).path, folder / case.id)
    write_slices(folder, "black", np.zeros_like(case.image))
    write_slices(folder, "corrupt", case.image)
    (folder / "corrupt" / "corrupt_2.tif").write_bytes(b"II*\0 and no more")
    (folder / "hollow").mkdir()
    stranger = make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    write_slices(folder, "flair_alone", stranger.image[..., 1])
    result = segment_cases(open_cases(folder), tmp_path / "out", networks=networks)
    table = result.table.set_index("case")
    assert table["status"].to_dict() == {
        case.id: "ok", "black": "failed", "corrupt": "failed", "hollow": "failed",
        "flair_alone": table.loc["flair_alone", "status"],
    }  # fmt: skip
    assert table.loc["flair_alone", "status"] in {"ok", "empty"}
    assert table.loc["flair_alone", "missing_sequences"] == "pre-contrast; post-contrast"
    # No network knows it, so all are used; the others are seen by one.
    assert table.loc["flair_alone", "networks"] == "fold0-member0; fold1-member0"
    assert table.loc["flair_alone", "fold"] == ""
    for name, reason in {"black": "contrast", "corrupt": "corrupt_2.tif", "hollow": "none"}.items():
        assert reason in table.loc[name, "reason"]
        assert table.loc[name, "missing_sequences"] == ""  # nobody knows
        assert result.failures[name] == table.loc[name, "reason"]
        assert not (tmp_path / "out" / name).exists()
    # Whole numbers stay whole beside empty cells.
    written = pd.read_csv(tmp_path / "out" / "segmentation.csv", dtype=str, keep_default_na=False)
    assert written["fold"].isin(["", "0", "1"]).all()
    assert not written["volume"].str.contains(".", regex=False).any()
    assert set(result.slices["case"]) == {case.id, "flair_alone"}


def test_all_cases_bad(networks, tmp_path):
    (tmp_path / "in").mkdir()
    write_nifti(tmp_path / "in" / "void_flair.nii.gz", np.zeros((3, 8, 8), dtype=np.int16), AFFINE)
    sources = open_cases(tmp_path / "in")
    for resume in (False, True):
        result = segment_cases(sources, tmp_path / "out", networks=networks, resume=resume)
        assert list(result.failures) == ["void"]
        assert result.table["status"].tolist() == ["failed"]
        assert result.slices.empty


def test_nothing_found_is_empty(cohort, networks, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "lggshape.segmentation.inference.predictor.Predictor.predict",
        lambda self, codes, *, flips, slices: np.zeros(
            (len(flips), len(slices), *codes.shape[1:3]), np.float32
        ),
    )
    result = segment_cases([first(cohort)], tmp_path / "out", networks=networks)
    row = result.table.iloc[0]
    assert (row["status"], row["reason"]) == ("empty", "no voxel reached the threshold")
    assert (row["volume"], result.failures) == (0, {})
    assert not open_cases(tmp_path / "out", masks_only=True)[0].read().mask.any()


def test_damaged_weights_end_the_run_and_are_no_fault_of_a_case(cohort, networks, tmp_path):
    damaged = tmp_path / "networks"
    shutil.copytree(networks, damaged)
    for fold in range(2):
        (damaged / f"fold{fold}-member0" / "weights.npz").write_bytes(b"PK and no more")
    with pytest.raises(InputError, match=r"to hold the weights of a network, found: .*no NumPy"):
        segment_cases(open_cases(cohort), tmp_path / "out", networks=damaged)


def test_disk_that_is_full_ends_the_run(cohort, networks, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(InputError, match=r"writable f\w+, found: No space left on device"):
        segment_cases(open_cases(cohort), tmp_path / "out", networks=networks)


# --- who was trained on what


@pytest.fixture
def copies(cohort, tmp_path):
    """Folder of copies of the first case that do not bear its name."""
    source = first(cohort)
    image = source.read().image
    folder = tmp_path / "copies"
    write_slices(folder, "renamed", image)
    write_slices(folder, "TCGA_XX_0001_20000101", image)
    write_nifti(folder / "whole_numbers_flair.nii.gz", image[..., 1].astype(np.int16), AFFINE)
    scaled = image[..., 1].astype(np.float32) * 3.7 - 41
    write_nifti(folder / "scaled_flair.nii.gz", scaled, AFFINE)
    write_nifti(
        folder / "flipped_flair.nii.gz", scaled[:, ::-1, ::-1], np.diag([3.0, 2.5, -4.0, 1.0])
    )
    return folder


def test_training_cases_and_copies_are_segmented_by_the_other_network(
    cohort, copies, networks, tmp_path
):
    source = first(cohort)
    fold = json.loads((networks / "folds.json").read_text())["patients"][source.patient]
    result = segment_cases([source, *open_cases(copies)], tmp_path / "out", networks=networks)
    assert len(result.table) == 6
    assert result.failures == {}
    assert set(result.table["networks"]) == {f"fold{fold}-member0"}
    assert set(result.table["fold"]) == {fold}


def test_no_network_for_slices_of_patients_of_different_folds(cohort, networks, tmp_path):
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    sources = {folds[source.patient]: source for source in open_cases(cohort)}
    halves = [sources[fold].read().image for fold in range(2)]
    write_slices(tmp_path / "in", "mixed", np.concatenate([halves[0][:5], halves[1][5:]]))
    shutil.copytree(sources[0].path, tmp_path / "in" / sources[0].id)
    mixed = open_cases(tmp_path / "in")
    result = segment_cases(mixed, tmp_path / "out", networks=networks)
    assert list(result.failures) == ["mixed"]
    assert "a network that was not trained on the patient of case mixed" in result.failures["mixed"]
    assert all(sources[fold].patient in result.failures["mixed"] for fold in range(2))
    left_out = segment_cases(mixed, tmp_path / "again", networks=networks, skip_seen=True)
    assert (left_out.failures, left_out.skipped) == ({}, ("mixed",))
    row = left_out.table.set_index("case").loc["mixed"]
    assert (row["status"], row["reason"]) == ("skipped", result.failures["mixed"])
    assert not (tmp_path / "again" / "mixed").exists()


def test_a_run_that_was_changed_by_hand_is_told(cohort, networks, tmp_path, caplog):
    run = shutil.copytree(networks, tmp_path / "run")
    sources = open_cases(cohort)[:1]
    segment_cases(sources, tmp_path / "before", networks=run)
    assert "are not as they were trained" not in caplog.text
    folds = json.loads((run / "folds.json").read_text())
    folds["patients"] = {name: 1 - fold for name, fold in folds["patients"].items()}
    (run / "folds.json").write_text(json.dumps(folds))
    segment_cases(sources, tmp_path / "after", networks=run)
    assert f"The networks of {run} are not as they were trained" in caplog.text
    assert "changed since are folds.json. " in caplog.text
