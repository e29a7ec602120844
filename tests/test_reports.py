"""What lies in reports/ agrees with itself."""

import json
import re
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lggshape.association import read_study_family
from lggshape.case import FLAIR
from lggshape.evaluation import evaluate
from lggshape.labels import read_labels
from lggshape.masks import dice
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import FINE_TUNING, SHIPPED
from lggshape.studies.buda2019.analyses.other_networks import effect_table
from lggshape.studies.buda2019.names import AUTOMATIC, BEVR, MANUAL
from lggshape.studies.buda2019.report.evidence import StudyEvidence
from lggshape.studies.buda2019.report.markdown import to_markdown
from lggshape.studies.buda2019.report.readme import fill, readme_parts

REPORTS = Path(__file__).resolve().parents[1] / "reports"
ROOT = REPORTS.parent


@pytest.fixture(scope="module")
def evidence() -> StudyEvidence:
    """Return the published tables of the replication."""
    found: StudyEvidence = runpy.run_path(str(REPORTS / "buda2019" / "rewrite.py"))["evidence"]()
    return found


def by_hand(text: str) -> str:
    """Return the parts of a document that are not made from tables."""
    return re.sub(r"<!-- (.+?) -->.*?<!-- end of \1 -->", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("document", ["README.md", "reports/buda2019/README.md"])
def test_sentences_and_tables_of_a_readme_are_those_that_the_tables_give(
    evidence: StudyEvidence, document: str
) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert "<!-- end of " in text
    assert fill(text, readme_parts(evidence)) == text


def test_no_result_of_the_replication_is_written_by_hand() -> None:
    results = (REPORTS / "buda2019" / "README.md").read_text(encoding="utf-8")
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    texts = {
        "results": by_hand(results).partition("## Commands and time")[0],
        "front": by_hand(front).partition("## A published study")[2].partition("\n## ")[0],
    }
    for name, text in texts.items():
        assert re.findall(r"\d*\.\d+|\d+ %", text) == [], name


def test_what_is_written_by_hand_still_holds(evidence: StudyEvidence) -> None:
    """Conclusions in words, each with what it rests on."""
    results = (REPORTS / "buda2019" / "README.md").read_text(encoding="utf-8").replace("\n", " ")

    def rows(name: str, **cells: Any) -> pd.DataFrame:
        return evidence.rows(name, **cells)

    pair = {"feature": BEVR, "label": "RNASeqCluster"}
    tests = rows("associations", **pair)
    first = evidence.rows("associations", earlier=True, masks=AUTOMATIC, **pair)
    given_idh = rows("adjusted", model="given IDH", label="RNASeqCluster")
    within = rows("within_mutants", masks=AUTOMATIC, feature=BEVR)
    areas = rows("area_differences")
    named = rows("area_differences", feature=BEVR, level="R2")
    prediction = rows("prediction", predictors="shape", validation="by patient")
    lows = prediction.groupby("outcome")["auc_low"].min()
    attempt = rows("failed_attempt")
    differences = rows("effect_differences", compared="automatic less manual", **pair)
    institutions = rows("site_differences", **pair)
    noisy = rows("noise_associations", **pair)
    without = rows("sites", patients="without DU", label="RNASeqCluster")
    scatter = rows("scatter", test="Fisher, quartiles", **pair)
    one_choice = rows("failed_attempt_one_at_a_time", start="ours").set_index("changed")
    alone, changed = one_choice.loc["nothing"], one_choice.loc[["test", "in_plane"]]
    changed_areas = one_choice.groupby("changed")["auc"].max()
    conclusions = {
        "is reproduced in the same patients": (tests["p_bonferroni"] <= 0.05).all(),
        "the paper's bound for its p-value is met on manual masks and on the automatic masks of "
        "the first run, but not on those of this run": (
            (tests.set_index("masks")["p"] < 0.0002).to_dict() == {MANUAL: True, AUTOMATIC: False}
            and (first["p"] < 0.0002).all()
        ),
        "Between automatic and manual masks, no difference in its effect is shown": (
            (differences["low"] < 0) & (differences["high"] > 0)
        ).all(),
        "changes greatly with small changes in the masks": (
            # A range over three sets is narrow by their number: 6 over the noise of each level.
            scatter.loc[scatter["sets"] > 3, "ratio"] > 10
        ).all(),
        "The estimate is larger in one institution than in the others": (
            institutions["epsilon_squared_site"] > institutions["epsilon_squared_rest"]
        ).all(),
        "For the RNASeq clusters, IDH alone does not account for the associations": (
            given_idh["effect_low"] > 0
        ).all(),
        "the intervals among patients with an IDH mutation are too wide to tell": (
            within.loc[within["label"] != "RNASeqCluster", "effect_high"] > 0.2
        ).all(),
        "For the AUC that the protocol names, yes": named["agrees"].all(),
        "For most of the other AUCs, the data do not decide": areas["agrees"].mean() < 0.5,
        "R1 and R2 in part. For R3 and R4, this is not shown": (lows[["R1", "R2"]] > 0.5).all()
        and (lows[["R3", "R4"]] < 0.5).all(),
        "no combination of choices fully explains the failure": attempt["auc"].min() > 0.455,
        "but this may be chance": (
            (institutions["difference_low"] < 0) & (institutions["difference_high"] > 0)
        ).all(),
        "most intervals of the difference contain 0, but not all": (
            0.5 < (rows("site_differences", label="RNASeqCluster")["difference_low"] < 0).mean() < 1
        ),
        "are smaller and most of their intervals reach 0": (
            0.5 < (without["epsilon_squared_low"] == 0).mean() < 1
        ),
        "With our other choices, the estimated AUC is lower with either": (
            changed_areas[["ellipsoid", "masks"]].max() < alone["auc"]
        ),
        "Its test and its 2D features do not raise the p-values here": (
            changed[["p_ellipsoid", "p_margin"]].max() <= alone[["p_ellipsoid", "p_margin"]]
        ).all(),
        "the estimates for BEVR × RNASeq are not lower with noise than without": (
            noisy["effect"].min() == noisy.set_index("analysis")["effect"]["0%"]
        ),
        "Masks become less accurate": rows("noise", noise=0.0)["dice_mean"].iloc[0]
        > rows("noise")["dice_mean"][1:].max(),
        "its automatic masks were poor": rows("evaluation", score="dice")["mean"].iloc[0] > 0.8,
    }
    for sentence, holds in conclusions.items():
        assert sentence in results, sentence
        assert holds, sentence
    assert set(tests["masks"]) == {AUTOMATIC, MANUAL}


def test_one_interval_of_each_epsilon_squared_is_published(evidence: StudyEvidence) -> None:
    key, ends = ["masks", "feature", "label"], ["effect", "effect_low", "effect_high"]
    adjusted = evidence.rows("adjusted", model="cluster alone").set_index(key)[ends]
    by_ranks = evidence.rows("sensitivity", analysis="none: Kruskal-Wallis").set_index(key)[ends]
    sites = evidence.rows("sites", patients="all").set_index(key)
    sites = sites.filter(regex="^epsilon").set_axis(ends, axis=1)
    assert len(adjusted) == len(sites) == len(by_ranks) == 20
    pd.testing.assert_frame_equal(adjusted, sites, check_like=True)
    pd.testing.assert_frame_equal(adjusted, by_ranks, check_like=True)


def test_tables_of_the_comparison_are_those_that_its_script_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runpy.run_path(str(REPORTS / "architectures" / "table.py"), run_name="__main__")
    readme = by_hand((REPORTS / "architectures" / "README.md").read_text(encoding="utf-8"))
    tables = re.findall(r"(?:^\|.*\n)+", readme, flags=re.MULTILINE)
    written = [table.strip() for table in tables if not table.startswith("| | |")]  # but of files
    assert sorted(written) == sorted(capsys.readouterr().out.strip().split("\n\n"))


def test_how_many_differences_remain_over_all_measures_is_as_written() -> None:
    readme = (REPORTS / "architectures" / "README.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", readme, flags=re.MULTILINE)
    text = " ".join(readme.split())
    for name, before, after in (
        ("comparison", "are {tests} tests", "{kept} of the {shown} differences"),
        ("comparison-random", "Of the {tests} tests", "{kept} of {shown} remain"),
    ):
        found = pd.read_csv(REPORTS / "architectures" / name / "differences.csv")["p"].notna().sum()
        less = "imagenet" if name == "comparison" else "random"
        rows = [
            row
            for table in tables if table.startswith("| comparison | measure")
            for row in table.splitlines() if f"less `{less}`" in row
        ]  # fmt: skip
        kept = sum(row.endswith("| yes |") for row in rows)
        numbers = {"tests": found, "kept": kept, "shown": len(rows)}
        assert before.format(**numbers) in text
        assert after.format(**numbers) in text


def test_what_a_choice_could_bring_is_no_less_than_what_was_chosen_invariant() -> None:
    limits = pd.read_csv(REPORTS / "segmentation" / "limits.csv").set_index("case")
    masks = pd.read_csv(REPORTS / "segmentation" / "masks" / "segmentation.csv").set_index("case")
    scores = pd.read_csv(REPORTS / "segmentation" / "evaluation" / "scores.csv").set_index("case")
    pd.testing.assert_series_equal(limits["dice"], scores["dice"], check_like=True)
    assert (limits["dice_best_component"] >= limits["dice"] - 1e-12).all()
    whole = limits[masks["components_removed"].reindex(limits.index) == 0]  # nothing was removed
    assert len(whole)
    pd.testing.assert_series_equal(whole["dice_all_components"], whole["dice"], check_names=False)


def test_manual_and_bundled_masks_give_the_results_of_the_replication_invariant(
    dataset: Path,
) -> None:
    tables = dataset.parents[1] / "tcga_lgg"
    science = runpy.run_path(str(REPORTS / "architectures" / "science.py"))
    labels = read_labels([dataset / "data.csv", tables / "idh_1p19q.csv", tables / "clinical.csv"])
    patients, family = science["patients"](), read_study_family("buda2019")
    patients = patients[patients["masks"].isin([MANUAL, science["BUNDLED"]])]
    found = effect_table(patients, labels, family, replicates=19)
    found = found.replace({"masks": {science["BUNDLED"]: AUTOMATIC}})
    key = ["masks", "feature", "label"]
    found = found.set_index(key)
    for name, columns in (
        ("associations", ["n", "p_quartiles", "v", "v_low", "v_high"]),
        ("sensitivity", ["n", "p_ranks", "epsilon_squared"]),
    ):
        table = pd.read_csv(REPORTS / "buda2019" / f"{name}.csv")
        if name == "sensitivity":
            table = table[table["test"] == "kruskal_wallis"]
        published = ["n", "p", "effect", "effect_low", "effect_high"][: len(columns)]
        expected = table.set_index(key)[published].set_axis(columns, axis=1)
        pd.testing.assert_frame_equal(found[columns], expected.loc[found.index])


def test_masks_of_a_run_are_measured_invariant(
    runs: dict[str, Path], cohort_of_runs: Path, tmp_path: Path
) -> None:
    masks = runpy.run_path(str(REPORTS / "architectures" / "science_masks.py"))
    assert masks["is_whole"](runs["long"])
    assert not masks["is_whole"](runs["short"])  # it has one of two folds
    assert not masks["is_whole"](tmp_path / "none")
    found = masks["patients_of"](runs["long"], cohort_of_runs, tmp_path / "masks")
    assert set(found["patient"]) == {source.patient for source in open_cases(cohort_of_runs)}
    assert set(found["masks"]) == {"long"}
    scores = evaluate(tmp_path / "masks", cohort_of_runs, jobs=1).scores.set_index("case")
    pd.testing.assert_series_equal(found.set_index("case")["dice"], scores["dice"])


def test_the_part_on_other_networks_says_what_its_tables_say_analytic() -> None:
    science = runpy.run_path(str(REPORTS / "architectures" / "science.py"))
    pairs = [(h.feature, h.label) for h in read_study_family("buda2019").hypotheses]
    key = pd.DataFrame(pairs, columns=["feature", "label"])
    ends = {"epsilon_squared": 0.2, "epsilon_squared_low": 0.1, "epsilon_squared_high": 0.3}
    interval = {"difference": -0.1, "low": -0.2, "high": [-0.05, *[0.1] * (len(key) - 1)]}
    mean = {"mean": 0.8, "mean_low": 0.7, "mean_high": 0.9}
    less = {"difference": -0.01, "difference_low": -0.02, "difference_high": 0.03}
    agreement = {"masks": "unet", "feature": BEVR, "estimate": 0.7, "low": 0.6, "high": 0.8}
    tables = {
        "effects": pd.concat(
            key.assign(masks=masks, n=92, p_quartiles=p, **ends)
            for masks, p in (("bundled", 0.5), ("unet", 1e-9))
        ),
        "differences": key.assign(masks="unet", **interval),
        "scores": pd.DataFrame([{"masks": "unet", "score": "dice"} | mean | less]),
        "agreement": pd.DataFrame([agreement]),
    }
    text = science["to_markdown"](science["part"](tables))
    sentence = "1 of the 10 intervals of a difference in epsilon squared leaves out 0."
    assert text.startswith(f"{sentence} If no network changed any effect, 0.5 would be")
    for row in (
        "`unet` | 0.800 (0.700 to 0.900) | −0.010 (−0.020 to +0.030) | 0.70 (0.60 to 0.80)",
        "BEVR × RNASeq | −0.10 (−0.20 to −0.05)",
        "BEVR × miRNA | −0.10 (−0.20 to +0.10)",
        "ASD × COC | 0.20 (0.10 to 0.30) | 0.20 (0.10 to 0.30)",
        "ASD × COC | 0.50 | < 0.000001",
        "bounds of the paper that are met | 0 of 6 | 6 of 6",
    ):
        assert f"| {row} |" in text


def test_the_model_card_says_what_the_tables_say_invariant() -> None:
    make = runpy.run_path(str(REPORTS / "segmentation" / "model_card.py"))
    card = json.loads((SHIPPED / "model_card.json").read_text(encoding="utf-8"))
    assert card["other_images"] == make["other_images"]()
    assert (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8") == make["card_text"](card)


def test_the_tables_of_robustness_follow_from_its_cases_invariant() -> None:
    folder = REPORTS / "robustness"
    make = runpy.run_path(str(folder / "make.py"))
    cases, summary = pd.read_csv(folder / "cases.csv"), pd.read_csv(folder / "summary.csv")
    pd.testing.assert_frame_equal(make["summarise"](cases), summary, check_dtype=False)
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert fill(text, make["parts"](summary, cases)) == text
    native = cases[cases["way"] == make["NATIVE"]].set_index("patient")["dice"]
    published = pd.read_csv(REPORTS / "segmentation" / "evaluation" / "scores.csv")
    published = published.set_index("patient")["dice"]
    # The masks that are published were made thoroughly, those of the native images as usual.
    pd.testing.assert_series_equal(native.sort_index(), published.sort_index(), atol=0.002)


def test_what_is_said_of_robustness_holds() -> None:
    folder = REPORTS / "robustness"
    summary = pd.read_csv(folder / "summary.csv").set_index("way")
    assert summary["difference"].drop("native").round(3).to_dict() == {
        "flair-alone": -0.018, "skull-removed": -0.028, "other-grid": -0.004,
    }  # fmt: skip
    assert summary["median_difference"].min() >= -0.0035
    loses = summary.loc[["flair-alone", "skull-removed"], "lose_0.05"]
    assert loses.between(11, 13).all()  # of 110
    cases = pd.read_csv(folder / "cases.csv")
    poor = cases[(cases["way"] != "native") & (cases["dice"] < 0.7)]
    assert (len(poor), (poor["check"] == "ok").sum()) == (23, 1)
    assert cases.set_index(["way", "patient"])["dice"]["skull-removed", "TCGA_CS_5395"] == 0
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {
        "native": "native", "flair-alone": "FLAIR alone", "skull-removed": "skull removed",
        "other-grid": "resampled and rotated",
    }  # fmt: skip
    for way, row in summary.iterrows():
        cells = f"{row['dice_mean']:.3f} | {row['dice_median']:.3f} | {row['below_0.7']:.0f}"
        assert f"| {names[str(way)]} | {cells} |" in front
    external = pd.read_csv(REPORTS / "quality-flag" / "external.csv")["dice"]
    first, second, third = external.map("{:.2f}".format)
    assert f"the Dice is {first}, {second} and {third}." in front


def test_changed_images_keep_what_they_should_invariant() -> None:
    make = runpy.run_path(str(REPORTS / "robustness" / "make.py"))
    case = make_phantom(np.random.default_rng(1), size=(6, 96, 96), name="phantom")
    alone, back = make["flair_alone"](case)
    assert alone.sequences == (FLAIR,)
    np.testing.assert_array_equal(alone.image[..., 0], case.image[..., 1])
    assert back(case.mask) is case.mask
    brain, _ = make["skull_removed"](case)
    kept = brain.image.any(axis=-1)
    np.testing.assert_array_equal(brain.image[kept], case.image[kept])
    assert 0 < kept.sum() < case.image.any(axis=-1).sum()
    # The mask as an image, to the other grid and back.
    as_image = replace(case, image=np.repeat(case.mask[..., None].astype(float), 3, axis=-1))
    other, back = make["other_grid"](as_image)
    assert other.image.shape[0] == 5 * case.image.shape[0]
    assert dice(back(other.image[..., 0] >= 0.5), case.mask) > 0.97


def test_the_part_on_other_networks_agrees_with_its_tables_invariant() -> None:
    folder = REPORTS / "architectures"
    science = runpy.run_path(str(folder / "science.py"))
    tables = science["read"]()
    text = (folder / "README.md").read_text(encoding="utf-8")
    part = {science["PART"]: to_markdown(science["part"](tables))}
    assert fill(text, part) == text
    patients = pd.read_csv(folder / "science-patients.csv")
    assert patients.groupby("masks")["patient"].nunique().to_dict() == {"resunet": 110, "unet": 110}
    # What is written by hand: no effect is shown to differ, all scores and agreements do.
    differences = tables["differences"]
    assert ((differences["low"] <= 0) & (differences["high"] >= 0)).all()
    reach = differences[["low", "high"]].abs().max(axis=1)
    assert reach.median() > 0.1
    assert reach.quantile(0.75) > 0.18
    scores = tables["scores"].set_index("masks").loc[["unet", "resunet"]]
    assert (scores["difference_high"] < 0).all()
    agreement = tables["agreement"].set_index(["masks", "feature"])["estimate"].unstack("masks")
    assert (agreement[["unet", "resunet"]].max(axis=1) < agreement["bundled"]).all()


def test_the_table_of_the_further_training_follows_from_its_scores_invariant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = REPORTS / "robustness"
    monkeypatch.syspath_prepend(folder)
    train = runpy.run_path(str(folder / "train.py"))
    scores, summary = (
        pd.read_csv(folder / f"{name}.csv") for name in ("training", "training_summary")
    )
    pd.testing.assert_frame_equal(train["summarise"](scores), summary)
    text = (folder / "training.md").read_text(encoding="utf-8")
    assert fill(text, {"training": train["part"](summary)}) == text


def test_the_curve_of_fine_tuning_follows_from_its_scores_invariant() -> None:
    folder = REPORTS / "fine-tuning"
    make = runpy.run_path(str(folder / "make.py"))
    scores = pd.read_csv(folder / "scores.csv").set_index("patient")
    rows = pd.read_csv(folder / "curve.csv")
    made = make["curve"](scores.set_axis(scores.columns.astype(int), axis=1))
    pd.testing.assert_frame_equal(made, rows, check_dtype=False)
    settings = pd.read_csv(folder / "settings.csv")
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert fill(text, make["parts"](settings, rows)) == text


def test_the_guide_to_fine_tuning_has_its_curve_invariant() -> None:
    rows = pd.read_csv(REPORTS / "fine-tuning" / "curve.csv")
    guide = (REPORTS.parent / "docs" / "training.md").read_text(encoding="utf-8")
    for row in rows.to_dict("records"):
        change = (
            "{difference:+.3f} ({low:+.3f} to {high:+.3f})".format(**row) if row["cases"] else "–"
        )
        assert f"| {row['cases']} | {row['dice_mean']:.3f} | {change} |" in guide


def test_fine_tuning_uses_the_settings_that_won_invariant() -> None:
    settings = pd.read_csv(REPORTS / "fine-tuning" / "settings.csv")
    best = settings.loc[settings["dice_mean"].iloc[1:].idxmax()]
    assert dict(FINE_TUNING) == best[list(FINE_TUNING)].to_dict()
