import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.browser import Browser, opened_browser
from lggshape.case import Case
from lggshape.evaluation import Evaluation, evaluate
from lggshape.files import write_table
from lggshape.labels import read_labels
from lggshape.report.evaluation_report import write_evaluation_report

NAMES = [f"P{number:02}" for number in range(14)]
LABELS = read_labels(pd.DataFrame({"patient": NAMES, "sex": ["female", "male"] * 7}))


def cohort() -> tuple[list[Case], list[Case]]:
    """Return masks that are moved further from patient to patient; the last one is empty."""
    predicted, reference = [], []
    for number, name in enumerate(NAMES):
        mask = np.zeros((4, 40, 40), dtype=bool)
        mask[1:3, 5 : 12 + number, 5:25] = True
        moved = np.roll(mask, number, axis=2)
        predicted.append(Case(name, name, mask=moved & (name != NAMES[-1])))
        reference.append(Case(name, name, mask=mask))
    return predicted, reference


def write(found: Evaluation, out: Path) -> Path:
    for name, table in found.tables().items():
        write_table(out / f"{name}.csv", table)
    checks = {NAMES[0]: {"expected_dice": "0.6", "check": "look", "check_reason": "faint"}}
    labels = {"sex": LABELS["sex"]}
    write_evaluation_report(
        found, out, labels=labels, checks=checks, title="Masks <of mine>", authors=["A. One"]
    )
    return out / "report.html"


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluate(*cohort(), labels=LABELS, by="sex", outlines=True, jobs=1)


@pytest.fixture(scope="module")
def report(found: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(found, tmp_path_factory.mktemp("evaluation"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


@pytest.mark.parametrize("name", ["summary", "groups", "detection"])
def test_the_numbers_are_those_of_the_tables_invariant(report: Path, name: str) -> None:
    text = report.read_text("utf-8")
    table = pd.read_csv(report.with_name(f"{name}.csv"))
    of_slices = ("estimate", "low", "high")
    columns = of_slices if name == "detection" else ("mean", "mean_low", "mean_high")
    for row in table[list(columns)].dropna().itertuples(index=False):
        estimate, low, high = (f"{value:.3f}" for value in row)
        assert f">{estimate} ({low} to {high})</td>" in text


def test_the_conclusion_has_n_and_intervals_invariant(report: Path) -> None:
    lead = re.search('<p class="lead">(.*?)</p>', report.read_text("utf-8"))
    assert lead is not None
    assert len(re.findall(r"\.(?: |$)", lead[1])) == 3
    summary = pd.read_csv(report.with_name("summary.csv")).set_index("score")
    dice = summary.loc["dice"]
    mean = f"{dice['mean']:.3f} ({dice['mean_low']:.3f} to {dice['mean_high']:.3f})"
    below = int(dice["below_0.5"])
    assert lead[1].startswith(
        f"In 14 patients, the mean Dice of predicted and reference masks is {mean}"
    )
    assert f"below 0.5 in {below} cases: P13 (0.000), " in lead[1]


def test_each_patient_has_a_point_a_panel_and_all_scores_invariant(report: Path) -> None:
    text = report.read_text("utf-8")
    scores = pd.read_csv(report.with_name("scores.csv")).set_index("patient")
    for name, dice in scores["dice"].items():
        # In the figure of the Dice, and twice in that of the volumes.
        titles = re.findall(rf'<a href="#patient-{name}"><title>(.*?)</title>', text)
        assert titles == [f"{name}: Dice {dice:.3g}"] * 3
        panel = text[text.index(f'<article class="patient" id="patient-{name}"') :]
        panel = panel[: panel.index("</article>")]
        assert f">Dice</th><td>{dice:.3g}</td>" in panel
        assert f">recall</th><td>{scores['recall'][name]:.3g}</td>" in panel
        assert ("predicted</span>" in panel) is (name != NAMES[-1])
        assert "<dt>sex</dt>" in panel
    assert "Masks &lt;of mine&gt;" in text
    assert "the predicted mask is empty" in text


def test_regions_have_a_part_each_and_failed_cases_their_reason(tmp_path: Path) -> None:
    core, whole = np.zeros((2, 3, 30, 30), dtype=bool)
    core[1, 5:9, 5:9] = whole[1, 5:15, 5:15] = True
    regions = {"core": core, "whole_tumour": whole}
    cases = [Case(name, "P", mask=whole, regions=regions) for name in ("a", "b")]
    smaller = {name: mask[:, :20] for name, mask in regions.items()}
    other = [Case("a", "P", mask=whole, regions=regions)]
    other.append(Case("b", "P", mask=whole[:, :20], regions=smaller))
    text = write(evaluate(cases, other, outlines=True, jobs=1), tmp_path).read_text("utf-8")
    assert text.count("<h3>Region core</h3>") == text.count("<h3>Region whole tumour</h3>") == 3
    assert "; 1 could not be compared." in text
    assert '<th scope="col" class="text kept">case</th>' in text
    assert {path.stem for path in (tmp_path / "figures").iterdir()} >= {
        "dice_core",
        "dice_whole_tumour",
    }


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_finds_no_fault(browser: Browser, report: Path, width: int) -> None:
    assert browser.faults(report, width) == []
