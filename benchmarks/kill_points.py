"""What a kill leaves wherever a command changes a file, and whether it can then be done again.

    PYTHONPATH=tests python benchmarks/kill_points.py [--only WORD] [--most N] [--faults FAULT ...]
        [--list]

Every command runs on a small phantom cohort in a forked process, which kills itself before the n-th
change of a file, and when half of what it wrote before it has got to the disk (`torn`). With
`--faults full quota read-only` the disk refuses to be written from the n-th change on instead.
Printed is a row of a Markdown table for each command; `--list` prints a line for each point, too.
The exit status is 1 if anything half-written was left, the command was not stopped in order, or the
second call gave other results.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
import pytest

from helpers.faults import Fault, Killed, Outcome, run_forked
from helpers.test_settings import shrink_encoder, train_eagerly
from lggshape import parallel
from lggshape.phantoms import write_cohort
from lggshape.studies.buda2019.phantom_labels import write_phantoms
from lggshape_cli import app

WARM = (
    "lggshape.segmentation.training.cross_validation", "lggshape.segmentation.inference.segmenter",
    "lggshape.comparison", "lggshape.report", "lggshape.visualisation", "lggshape.studies.buda2019",
    "openpyxl", "nibabel", "tifffile", "skimage.measure", "scipy.stats", "statsmodels.api",
    "matplotlib.pyplot",
)  # fmt: skip
AGAIN, RESUME = ((), ("--overwrite",)), (("--resume",), (), ("--overwrite",))
TINY = (
    "--network unet --filters 2,4 --size 32 --neighbours 0 --folds 2 --epochs 2 --batch 8 --crop 1"
    " --inner 0.3 --jobs 1"
)
DETECTOR = (
    "--task detection --size 32 --neighbours 0 --folds 2 --epochs 1 --batch 8 --crop 1 --jobs 1"
    " --encoder-weights none"
)


class Command(NamedTuple):
    """A command to be killed.

    Attributes
    ----------
    line : str
        Its arguments; `IN` stands for the folder of the inputs.
    results : str
        As for `Killed`.
    again : sequence of tuple of str
        As for `Killed`.
    before : sequence of str
        Commands that fill the working folder.
    """

    line: str
    results: str
    again: Sequence[Sequence[str]] = AGAIN
    before: Sequence[str] = ()


_FEATURES = "features IN/cohort --out features.csv --jobs 1"
_ASSOCIATE = "associate IN/features.csv --labels IN/cohort/labels.csv --out results --jobs 1"
COMMANDS = {
    "features": Command(_FEATURES, "features.csv"),
    "features, earlier results": Command(
        f"{_FEATURES} --overwrite", "features.csv", ((),), (_FEATURES,)
    ),
    "associate": Command(_ASSOCIATE, "results"),
    "associate --report, earlier results": Command(
        f"{_ASSOCIATE} --report --overwrite", "results", ((),), (_ASSOCIATE,)
    ),
    "labels": Command("labels idh --from IN/supplement.xlsx --out idh.csv", "idh.csv"),
    "inspect --write": Command("inspect IN/cohort --write manifest.csv", "", ((),)),
    "merge, tables": Command("merge IN/1.csv IN/2.csv --out all.csv", "all.csv"),
    "merge, masks": Command("merge IN/masks1 IN/masks2 --out masks", "masks"),
    "show": Command("show IN/cohort --out figures --jobs 1", "figures"),
    "evaluate --report": Command(
        "evaluate IN/masks1 IN/cohort --out scores --report --jobs 1", "scores"
    ),
    "verify-run --ro-crate": Command(
        "verify-run features.csv --ro-crate", "features.csv", ((),), (_FEATURES,)
    ),
    "segment": Command("segment IN/cohort --networks IN/run --out masks", "masks", RESUME),
    "segment, slices and maps": Command(
        "segment IN/slices --networks IN/run --out masks --probabilities", "masks", RESUME
    ),
    "segment --overwrite": Command(
        "segment IN/cohort --networks IN/run --out masks --overwrite", "masks", ((),),
        ("segment IN/cohort --networks IN/run --out masks --fast",),
    ),
    "train": Command(f"train IN/cohort --out run {TINY} --fold 0", "run", RESUME),
    "detect": Command("detect IN/cohort --networks IN/detector --out slices", "slices"),
    "compare": Command(
        "compare IN/run IN/other --dataset IN/cohort --out results --jobs 1", "results", RESUME
    ),
    "replicate": Command(
        "replicate IN/study --labels IN/study/labels.csv --labels IN/study/clinical.csv --labels"
        " IN/study/idh_1p19q.csv --masks IN/study --step agreement --out results --jobs 1",
        "results", RESUME,
    ),
    "demo, of masks": Command("demo --out demo --patients 8 --layout packed", "demo"),
}  # fmt: skip


def call(inputs: Path, line: str, options: Sequence[str] = ()) -> None:
    words = [word.replace("IN/", f"{inputs}/") for word in line.split()]
    app([*words, *options])


def write_inputs(inputs: Path) -> None:
    """Write what the commands read; networks are trained in a process of its own."""
    write_cohort(inputs / "cohort", patients=8, seed=3, size=(6, 40, 36), layout="nifti")
    write_cohort(inputs / "slices", patients=2, seed=3, size=(4, 40, 36))
    write_phantoms(inputs / "study", patients=16, seed=3)
    rows = [
        ["Table S1", "", "", ""],
        ["Case", "IDH status", "1p/19q codeletion", "IDH/codel subtype"],
        ["P-1", "WT", "non-codel", "IDHwt"],
    ]
    pd.DataFrame(rows).to_excel(inputs / "supplement.xlsx", header=False, index=False)
    lines = [
        "features IN/cohort --out IN/features.csv",
        "features IN/cohort --out IN/1.csv --shard 1/2",
        "features IN/cohort --out IN/2.csv --shard 2/2",
        f"train IN/cohort --out IN/run {TINY}",
        f"train IN/cohort --out IN/other {TINY} --seed 1",
        f"train IN/cohort --out IN/detector {DETECTOR}",
        "segment IN/cohort --networks IN/run --out IN/masks",
        "segment IN/cohort --networks IN/run --out IN/masks1 --shard 1/2",
        "segment IN/cohort --networks IN/run --out IN/masks2 --shard 2/2",
    ]
    for line in lines:
        if run_forked(partial(call, inputs, line), inputs).status:
            sys.exit(f"{line}: {inputs.with_name('log.txt').read_text()}")


def chosen(killed: Killed, faults: Sequence[Fault], most: int) -> list[tuple[int, Fault]]:
    """Return where which fault is to happen, at most so many in all."""
    points = killed.points
    every: list[tuple[int, Fault]] = [
        (number, fault)
        for number in range(len(points) + 1)
        for fault in faults
        if fault != "torn" or (number and points[number - 1].startswith("open "))
    ]
    places = np.linspace(0, len(every) - 1, min(most, len(every))).round().astype(int)
    return [every[place] for place in np.unique(places)]


def is_well(one: Outcome, fault: Fault) -> bool:
    """Return whether nothing half-written was left, and the work could be done again."""
    in_order = fault in {"kill", "torn"} or one.status in {0, 1, 2}
    return in_order and not one.half and not one.other


def examine(
    name: str, command: Command, inputs: Path, work: Path, options: argparse.Namespace
) -> bool:
    """Let faults happen to a command and print what came of it; return whether all is well."""

    def before() -> None:
        for line in command.before:
            run_forked(partial(call, inputs, line), work)

    run: Callable[[Sequence[str]], None] = partial(call, inputs, command.line)
    killed = Killed(run, work, command.results, command.again, before)
    outcomes, wells = [], []
    for number, fault in chosen(killed, options.faults, options.most):
        one = killed.fail(number, fault)
        outcomes.append(one)
        wells.append(is_well(one, fault))
        if options.list or not wells[-1]:
            print(f"{name}, {fault}: {one}", flush=True)
    again = Counter(one.again for one in outcomes)
    ways = ", ".join(f"{way} ({count})" for way, count in again.most_common())
    half, other, left = (
        sum(bool(getattr(one, what)) for one in outcomes) for what in ("half", "other", "left")
    )
    cells = (name, len(killed.points), len(outcomes), half, ways, len(outcomes) - other, left)
    print(f"| {' | '.join(map(str, cells))} |", flush=True)
    return all(wells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a word of the commands to kill")
    parser.add_argument("--most", type=int, default=60, help="faults of a command, evenly spread")
    parser.add_argument("--faults", nargs="+", choices=get_args(Fault), default=["kill", "torn"])
    parser.add_argument("--list", action="store_true", help="print a line for each kill")
    options = parser.parse_args()
    parallel._usable_cores = lambda: 1
    for part in WARM:  # what is imported here is not imported by every process
        import_module(part)
    small = pytest.MonkeyPatch()
    shrink_encoder(small)
    train_eagerly(small)
    print("| command | points | faults | half-written | done again | same results | left hidden |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as place:
        inputs, work = Path(place, "in", "inputs"), Path(place, "out", "work")
        inputs.mkdir(parents=True)
        work.parent.mkdir()
        write_inputs(inputs)
        wells = [
            examine(name, one, inputs, work, options)
            for name, one in COMMANDS.items()
            if options.only in name
        ]
    sys.exit(not all(wells))


if __name__ == "__main__":
    main()
