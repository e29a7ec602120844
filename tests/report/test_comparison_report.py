import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.browser import Browser, opened_browser
from lggshape.case import Case
from lggshape.comparison import Comparison
from lggshape.comparison.description import HISTORY_COLUMNS
from lggshape.comparison.held_out import HeldOut
from lggshape.comparison.tables import case_table, difference_table, epoch_table, result_columns
from lggshape.evaluation import evaluate
from lggshape.files import write_table
from lggshape.report.comparison_report import write_comparison_report

NAMES = [f"P{number:02}" for number in range(14)]


def held_out(step: int) -> HeldOut:
    """Return results of a run whose masks lie further beside the references from case to case."""
    predicted, reference = [], []
    for number, name in enumerate(NAMES):
        mask = np.zeros((4, 40, 40), dtype=bool)
        mask[1:3, 5 : 12 + number, 5:25] = True
        predicted.append(Case(name, name, mask=np.roll(mask, step * number // 2, axis=2)))
        reference.append(Case(name, name, mask=mask))
    found = evaluate(predicted, reference, outlines=True, jobs=1)
    return HeldOut(found.scores, found.slices, (), 1.0, {}, found.portraits)


def compared(*steps: int) -> Comparison:
    results = {f"run-{step}": held_out(step) for step in steps}
    first = next(iter(results))
    what = {
        "task": "segmentation", "architecture": "unet", "encoder_weights": "none",
        "training_patients": 10.0, "parameters": 12345, "training_minutes": 2.0,
    }  # fmt: skip
    rows = ({"run": run} | what | result_columns(one) for run, one in results.items())
    epochs = [(run, "a", epoch, 1 / epoch, 0.1 * epoch, 9.0) for run in results for epoch in (1, 2)]
    history = pd.DataFrame(epochs, columns=list(HISTORY_COLUMNS))
    inner = {(run, "a"): frozenset({"P99"}) for run in results}
    return Comparison(
        pd.DataFrame(rows),
        difference_table(results, first),
        case_table(results),
        history,
        epoch_table(history, first, inner),
        {},
        results,
    )


def write(found: Comparison, out: Path) -> Path:
    for name, table in found.tables().items():
        write_table(out / f"{name}.csv", table)
    write_comparison_report(found, out, title="Runs <of mine>", authors=["A. One"])
    return out / "report.html"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(compared(1, 2, 3), tmp_path_factory.mktemp("comparison"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


def test_the_numbers_are_those_of_the_tables_invariant(report: Path) -> None:
    text = report.read_text("utf-8")
    differences = pd.read_csv(report.with_name("differences.csv"))
    assert len(differences) == 8  # two runs in four measures
    for row in differences.itertuples():
        cell = f"{row.difference:.3f} ({row.low:.3f} to {row.high:.3f})</td>"
        assert f">{row.value:.3f}</td>" in text
        assert f">{cell}" in text
    for row in pd.read_csv(report.with_name("runs.csv")).itertuples():
        assert f">{row.dice:.3f} ({row.dice_low:.3f} to {row.dice_high:.3f})</td>" in text
    assert "Runs &lt;of mine&gt;" in text


def test_the_conclusion_names_the_runs_that_differ_invariant(report: Path) -> None:
    dice, slices = re.findall('<p class="lead">(.*?)</p>', report.read_text("utf-8"))
    assert dice.startswith("Dice: 2 of 2 runs differ from run-1")
    table = pd.read_csv(report.with_name("differences.csv")).set_index(["measure", "run"])
    row = table.loc[("dice", "run-3")]
    largest = f"run-3, {row['difference']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    assert f"The largest difference is that of {largest} in 14 patients" in dice
    # Masks that are moved within slices find the same slices.
    assert slices.startswith("AUC of slices with tumour: 0 of 2 runs differ")


def test_one_other_run_is_compared_in_a_sentence_invariant(tmp_path: Path) -> None:
    report = write(compared(1, 2), tmp_path)
    lead = re.search('<p class="lead">(.*?)</p>', report.read_text("utf-8"))
    assert lead is not None
    row = pd.read_csv(report.with_name("differences.csv")).set_index("measure").loc["dice"]
    assert lead[1].startswith(
        f"Dice is {row['value']:.3f} by run-2 and {row['reference_value']:.3f} by run-1 in the "
        f"14 patients whom both held out: a difference of {row['difference']:.3f} "
    )


def test_each_case_has_points_and_a_panel_with_all_outlines_invariant(report: Path) -> None:
    text = report.read_text("utf-8")
    for row in pd.read_csv(report.with_name("cases.csv")).to_dict("records"):
        name = row["patient"]
        runs = ", ".join(f"run-{step} {row[f'run-{step}']:.3f}" for step in (1, 2, 3))
        titles = re.findall(rf'<a href="#patient-{name}"><title>(.*?)</title>', text)
        assert titles == [f"{name}: {runs}"] * 2
        panel = text[text.index(f'<article class="patient" id="patient-{name}"') :]
        panel = panel[: panel.index("</article>")]
        keys = re.findall(r'<span class="key n\d">(.*?)</span>', panel)
        assert keys == ["reference", "run-1", "run-2", "run-3"]
        assert f">Dice, run-2</th><td>{row['run-2']:.3g}</td>" in panel


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_finds_no_fault(browser: Browser, report: Path, width: int) -> None:
    assert browser.faults(report, width) == []
