"""Files that are broken at random are read or refused: a short run of `benchmarks/fuzz.py`."""

from itertools import chain
from pathlib import Path

import pytest

from helpers.fuzzing.trial import INPUTS, run_trial

EACH = 5


@pytest.mark.parametrize("name", INPUTS)
def test_broken_inputs_are_read_or_refused_invariant(name: str) -> None:
    trials = [run_trial(name, seed) for seed in range(EACH)]
    assert {trial.seed: trial.said for trial in trials if trial.result == "escaped"} == {}
    # Not every change of a file is a fault of it, so further ones are tried until one is refused.
    more = (run_trial(name, seed) for seed in range(EACH, 10 * EACH))
    assert any(trial.result == "refused" for trial in chain(trials, more))


def test_the_page_of_faults_lists_every_class_invariant() -> None:
    page = (Path(__file__).parents[1] / "docs" / "faults.md").read_text(encoding="utf-8")
    assert [name for name in INPUTS if f"| {name} | " not in page] == []
