import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.comparison import compare_runs
from lggshape.comparison.drawing import draw
from lggshape.comparison.held_out import held_out_sources
from lggshape.errors import InputError
from lggshape.evaluation import evaluate
from lggshape.evaluation.detection import detection_table
from lggshape.figures import write_figures
from lggshape.readers import open_cases
from lggshape.segmentation import detect_cases, read_ensemble, segment_cases


@pytest.fixture(scope="module")
def cohort(cohort_of_runs):
    return cohort_of_runs


@pytest.fixture(scope="module")
def compared(cohort, runs, tmp_path_factory, small_encoder):
    """All runs compared. Not to be changed."""
    with small_encoder():
        return compare_runs(list(runs.values()), cohort, tmp_path_factory.mktemp("w"), jobs=1)


@pytest.fixture(scope="module")
def without_history(cohort, runs, tmp_path_factory):
    """Two runs, one of which has lost its history; the folder of their masks; their comparison."""
    folder = tmp_path_factory.mktemp("without_history")
    shutil.copytree(runs["few"], folder / "other")
    (folder / "other" / "fold0-member0" / "history.csv").unlink()
    chosen = [runs["few"], folder / "other"]
    return chosen, folder / "w", compare_runs(chosen, cohort, folder / "w", jobs=1)


@pytest.fixture(scope="module")
def figures(compared, tmp_path_factory):
    """The figures by name, and the folder that they are written to."""
    folder = tmp_path_factory.mktemp("figures")
    figures = dict(draw(compared))
    write_figures(figures, folder)
    return figures, folder


def test_a_row_a_run_with_what_it_is_and_what_it_took(runs, compared):
    table = compared.runs.set_index("run")
    assert list(table.index) == list(runs)
    assert table["task"].tolist() == ["segmentation"] * 2 + ["detection"] + ["segmentation"] * 2
    assert table["folds"].tolist() == ["0; 1", "0", "0", "0", "0"]
    assert table["networks"].tolist() == [2, 1, 1, 1, 1]
    assert table["epochs"].tolist() == [6, 2, 1, 1, 1]
    assert table["training_patients"].tolist() == [3, 3, 3, 2, 1]
    assert table["patients"].tolist() == [8, 4, 4, 4, 4]
    assert (table["seconds_per_case"] > 0).all()
    for name, run in runs.items():
        network = json.loads((run / "fold0-member0" / "network.json").read_text("utf-8"))
        assert table.loc[name, "parameters"] == network["parameters"]
        seconds = pd.read_csv(run / "fold0-member0" / "history.csv")["seconds"]
        seconds = seconds.median() * len(seconds)
        if table.loc[name, "networks"] == 1:
            assert table.loc[name, "training_minutes"] == round(seconds / 60, 1)


def test_scores_are_those_of_segment_and_evaluate_invariant(cohort, runs, compared, tmp_path):
    segment_cases(open_cases(cohort), tmp_path / "masks", networks=runs["long"])
    found = evaluate(tmp_path / "masks", cohort, jobs=1)
    row = compared.runs.set_index("run").loc["long"]
    dice = found.summaries.set_index("score").loc["dice"]
    assert row["dice"] == dice["mean"] > 0.5
    assert (row["dice_low"], row["dice_high"]) == (dice["mean_low"], dice["mean_high"])
    assert row["dice_below_0.5"] == dice["below_0.5"]
    area = found.detection.set_index("measure").loc["auc"]
    assert row["auc"] == area["estimate"]
    by_case = compared.cases.set_index("case")["long"]
    expected = found.scores.set_index("case")["dice"]
    pd.testing.assert_series_equal(by_case, expected, check_names=False)
    assert np.isnan(compared.runs.set_index("run").loc["detector", "dice"])


def test_scores_of_a_detector_are_those_of_detect_and_the_masks_invariant(
    cohort, runs, compared, small_encoder
):
    """Joined by hand, slice by slice."""
    sources = held_out_sources(open_cases(cohort), read_ensemble(runs["detector"]))
    with small_encoder():
        found = detect_cases(sources, runs["detector"], skip_seen=True).slices
    masks = {source.id: source.read(image=False).mask for source in sources}
    areas = [masks[row.case][row.slice - 1].sum() for row in found.itertuples()]
    joined = found.assign(reference_area=areas, score=found["score"].astype(float))
    expected = detection_table(joined.assign(predicted_area=0)).set_index("measure")["estimate"]
    row = compared.runs.set_index("run").loc["detector"]
    for name in ("auc", "sensitivity_at_95_specificity"):
        assert row[name] == expected[name]
    for one in compared.results["detector"].evidence:
        largest = masks[one.case].sum(axis=(1, 2)).argmax()
        assert one.slice == largest + 1
        np.testing.assert_array_equal(one.mask, masks[one.case][largest])


def test_a_bad_case_does_not_keep_the_others_from_being_compared(
    cohort, runs, tmp_path, small_encoder
):
    held_out = held_out_sources(open_cases(cohort), read_ensemble(runs["detector"]))
    own = tmp_path / "cases"
    shutil.copytree(cohort, own)
    bad = held_out[0].id
    next((own / bad).glob("*_1.tif")).write_bytes(b"damaged")
    chosen = [runs["few"], runs["detector"]]
    with small_encoder():
        found = compare_runs(chosen, own, tmp_path / "w", jobs=1)
    assert set(found.failures) == {f"{bad} (few)", f"{bad} (detector)"}
    assert found.runs["cases"].tolist() == [3, 3]
    assert found.runs["failed"].tolist() == [1, 1]
    assert len(list(draw(found))) > 3


def test_patients_are_those_of_the_manifest(cohort, runs, tmp_path):
    """Two of the cases that were held out are of one patient."""
    held_out = held_out_sources(open_cases(cohort), read_ensemble(runs["few"]))
    both = [source.id for source in held_out[:2]]
    names = pd.Series([source.id for source in open_cases(cohort)])
    manifest = tmp_path / "manifest.csv"
    patients = names.mask(names.isin(both), "p")
    pd.DataFrame({"case": names, "patient": patients}).to_csv(manifest, index=False)
    sources = open_cases(cohort, manifest=manifest)
    found = compare_runs([runs["few"], runs["one"]], sources, tmp_path / "w", jobs=1)
    assert found.runs["cases"].tolist() == [4, 4]
    assert found.runs["patients"].tolist() == [3, 3]
    dice = found.differences.set_index("measure").loc["dice"]
    assert (dice["patients"], dice["cases"]) == (3, 4)


def test_masks_of_several_values_are_compared_as_the_whole_tumour_invariant(cohort, runs, tmp_path):
    """The same masks, in which every other row of the tumour has another value."""
    coded = tmp_path / "cases"
    shutil.copytree(cohort, coded)
    for file in coded.rglob("*_mask.tif"):
        values = (tifffile.imread(file) > 0).astype(np.uint8)
        values[::2] *= 2
        tifffile.imwrite(file, values)
    chosen = [runs["few"], runs["one"]]
    expected = compare_runs(chosen, cohort, jobs=1)
    core = {"core": [1], "other": [2]}
    with pytest.raises(InputError, match=r"a region that holds all others.*found core, other"):
        compare_runs(chosen, open_cases(coded, regions=core), tmp_path / "w")
    assert not (tmp_path / "w").exists()
    sources = open_cases(coded, regions={"whole": [1, 2], **core})
    found = compare_runs(chosen, sources, jobs=1)
    pd.testing.assert_frame_equal(found.cases, expected.cases)
    pd.testing.assert_frame_equal(found.differences, expected.differences)


def test_networks_that_ship_have_no_history(without_history):
    """Here a run whose history is gone."""
    _, _, found = without_history
    assert np.isnan(found.runs.set_index("run").loc["other", "training_minutes"])
    assert set(found.history["run"]) == {"few"}


def test_runs_that_differ_in_patients_and_epochs_alone_are_a_curve(compared):
    assert compared.curves == {"long": ("long", "few", "one")}  # short has as many patients


def test_history_is_that_of_every_network(runs, compared):
    history = compared.history
    assert len(history[history["run"] == "long"]) == 2 * 6
    own = pd.read_csv(runs["long"] / "fold1-member0" / "history.csv")
    chosen = history[(history["run"] == "long") & (history["network"] == "fold1-member0")]
    np.testing.assert_array_equal(chosen["loss"], own["loss"])
    assert history.loc[history["run"] == "detector", "inner_dice"].isna().all()


def test_the_summary_names_every_run(runs, compared):
    lines = compared.summary().splitlines()
    assert [line.partition(":")[0] for line in lines] == list(runs)
    assert "against long" in lines[1]
    assert "against" not in lines[0]
    assert "Dice" not in lines[2]


def test_masks_of_an_earlier_call_are_kept(cohort, without_history):
    chosen, work, first = without_history
    written = {path: path.stat().st_mtime_ns for path in work.rglob("*_mask.tif")}
    assert written
    with pytest.raises(InputError, match="--overwrite"):
        compare_runs(chosen, cohort, work, jobs=1)
    again = compare_runs(chosen, cohort, work, jobs=1, resume=True)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    for name, table in first.tables().items():
        pd.testing.assert_frame_equal(again.tables()[name], table)


def test_what_cannot_be_compared_is_refused(cohort, runs, tmp_path):
    def compare(*names, **options):
        return compare_runs([runs[name] for name in names], cohort, tmp_path / "w", **options)

    with pytest.raises(InputError, match="two runs or more of different names, found: long"):
        compare("long")
    with pytest.raises(InputError, match="found: long, long"):
        compare("long", "long")
    with pytest.raises(InputError, match="reference to be one of long, short, found: best"):
        compare("long", "short", reference="best")
    with pytest.raises(InputError, match="tolerance to be a number from 0 upwards, found -1"):
        compare("long", "short", surface_tolerance=-1)
    with pytest.raises(InputError, match="seed to be a whole number of at least 0, found -1"):
        compare("long", "short", seed=-1)
    with pytest.raises(InputError, match="a folder for the masks"):
        compare_runs([runs["long"], runs["short"]], cohort, resume=True)
    bare = tmp_path / "bare"
    shutil.copytree(cohort, bare)
    for mask in bare.rglob("*_mask.tif"):
        mask.unlink()
    with pytest.raises(InputError, match="cases with reference masks, found none"):
        compare_runs([runs["long"], runs["short"]], bare, tmp_path / "w")
    with pytest.raises(InputError, match="folder of a training run"):
        compare_runs([runs["long"], cohort], cohort, tmp_path / "w")
    shutil.copytree(runs["few"], tmp_path / "other")
    settings = tmp_path / "other" / "configuration.json"
    text = settings.read_text("utf-8").replace('"segmentation"', '"reconstruction"')
    settings.write_text(text, "utf-8")
    with pytest.raises(InputError, match="segmentation or detection, found reconstruction: other"):
        compare_runs([runs["long"], tmp_path / "other"], cohort, tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("first", ["long", "detector"])
@pytest.mark.parametrize("kind", ["image", "mask"])
def test_no_case_that_can_be_used_is_refused_with_the_reason(
    cohort, runs, small_encoder, tmp_path, first, kind
):
    damaged = tmp_path / "damaged"
    shutil.copytree(cohort, damaged)
    for file in damaged.rglob("*.tif"):
        if file.stem.endswith("_mask") == (kind == "mask"):
            file.write_bytes(b"")
    found = r"found none that can be used\. \w+: .*\.tif"
    with small_encoder(), pytest.raises(InputError, match=found):
        compare_runs([runs[first], runs["short"]], damaged, tmp_path / "w", jobs=1)


def test_cases_that_all_networks_have_seen_by_name_are_not_read(cohort, runs, tmp_path):
    """Of the one fold that is trained: the others' files may be damaged."""
    folds = json.loads((runs["few"] / "folds.json").read_text("utf-8"))["patients"]
    own = tmp_path / "cases"
    shutil.copytree(cohort, own)
    sources = {source.id: source for source in open_cases(own)}
    for source in sources.values():
        if folds[source.patient] != 0:
            for path in source.path.glob("*.tif"):
                path.write_bytes(b"damaged")
    told = []
    found = compare_runs([runs["few"], runs["one"]], own, jobs=1, on_progress=told.append)
    assert {"few: segmenting", "one: evaluating"} <= {progress.doing for progress in told}
    assert repr(found) == f"Comparison(few, one: {len(found.cases)} cases, 0 failed)"
    assert found.failures == {}
    assert set(found.cases["patient"]) == {name for name, fold in folds.items() if fold == 0}


def test_there_are_the_figures_that_there_are_data_for(figures):
    drawn, _ = figures
    assert list(drawn) == [
        "dice", "detection", "differences", "paired", "training", "learning_curve", "worst",
        "evidence_detector",
    ]  # fmt: skip


def test_what_the_figures_show(compared, figures):
    drawn, folder = figures
    text = {name: (folder / f"{name}.svg").read_text("utf-8") for name in drawn}
    assert "long (n = 8)" in text["dice"]
    assert "detector (n = 4)" not in text["dice"]
    assert "detector (n = 4)" in text["detection"]
    assert "patients trained on" in text["learning_curve"]
    assert "mean Dice of 4 cases" in text["learning_curve"]
    held_out = compared.results["detector"].evidence
    assert 1 <= len(held_out) <= 4
    for one in held_out:
        assert one.case in text["evidence_detector"]
        assert f"slice {one.slice}" in text["evidence_detector"]


def test_training_is_shown_of_the_folds_that_all_runs_trained(figures):
    """Of the runs that were measured after several epochs; `few` and `one` were trained for one."""
    drawn, folder = figures
    text = (folder / "training.svg").read_text("utf-8")
    assert "fold0-member0" in text
    assert "fold1-member0" not in text
    names = [entry.get_text() for entry in drawn["training"].legends[0].get_texts()]
    assert names == ["long", "short"]


def test_figures_are_written_twice_each(figures):
    drawn, folder = figures
    count = len(drawn)
    assert len(list(folder.glob("*.svg"))) == len(list(folder.glob("*.png"))) == count


def test_what_has_no_value_has_no_figure(compared):
    """No slice without tumour, no score, nothing shared."""
    bare = replace(
        compared,
        runs=compared.runs.assign(auc=np.nan, dice=np.nan),
        differences=compared.differences[:0],
        cases=compared.cases.assign(short=np.nan),
        history=compared.history[:0],
        curves={},
        results={},
    )
    assert list(draw(bare)) == []
