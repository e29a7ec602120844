from dataclasses import replace

import numpy as np

from lggshape.comparison.drawing import draw
from lggshape.figures import render, write_figures


def test_the_figures_that_there_are_data_for(compared):
    names = [name for name, _ in draw(compared)]
    assert names == [
        "dice", "detection", "differences", "training", "learning_curve", "worst",
        "evidence_detector",
    ]  # fmt: skip


def test_what_they_show(compared):
    figures = {name: render(figure).svg for name, figure in draw(compared)}
    assert "long (n = 8)" in figures["dice"]
    assert "detector (n = 4)" not in figures["dice"]
    assert "detector (n = 4)" in figures["detection"]
    assert "patients trained on" in figures["learning_curve"]
    assert "mean Dice of 4 cases" in figures["learning_curve"]
    held_out = compared.results["detector"].evidence
    assert 1 <= len(held_out) <= 4
    for one in held_out:
        assert f"{one.case}, slice {one.slice}" in figures["evidence_detector"]


def test_training_is_shown_of_the_folds_that_all_runs_trained(compared):
    """Of the runs that were measured after several epochs; `few` and `one` were trained for one."""
    history = compared.history
    only_first = (history["run"] != "short") | (history["network"] == "fold0-member0")
    figure = dict(draw(replace(compared, history=history[only_first])))["training"]
    text = render(figure).svg
    assert "fold0-member0" in text
    assert "fold1-member0" not in text
    names = [entry.get_text() for entry in figure.legends[0].get_texts()]
    assert names == ["long", "short"]


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


def test_they_are_written_twice_each(compared, tmp_path):
    write_figures(dict(draw(compared)), tmp_path)
    count = sum(1 for _ in draw(compared))
    assert len(list(tmp_path.glob("*.svg"))) == len(list(tmp_path.glob("*.png"))) == count
