"""Inputs that are broken at random, of every layout and format: what comes of each.

    PYTHONPATH=tests python benchmarks/fuzz.py [--count N] [--seed N] [--seconds S]
        [--jobs N] [--only WORD]

Each class has as much time as the others. An input is made from a valid one, read in a process that
is not this one, and judged: it has to be read or refused with a reason (an InputError or a
CaseError), without a warning, within 5 s and within 1 GiB of memory. Printed is a row of a Markdown
table for each class; the class and the seed of each input that escaped follow, with what it raised.
The exit status is 1 if one did. `--only WORD --seed N --count 1` makes one of them again.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.connection import Connection

from helpers.fuzzing.trial import INPUTS, MOST_SECONDS, Trial, run_trial, valid_files

BATCH = 50
"""Inputs of a class that are tried before it is another's turn."""


def work(name: str, seeds: range, pipe: Connection) -> None:
    """Try inputs one after the other; run in a process of its own."""
    valid_files(name)
    pipe.send(None)
    for seed in seeds:
        pipe.send(run_trial(name, seed))


def tried(name: str, seeds: range, until: float) -> Iterator[Trial]:
    """Yield what came of inputs; a process that hangs or dies has escaped, and another goes on."""
    context = multiprocessing.get_context("fork")
    while seeds and time.monotonic() < until:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(name, seeds, theirs), daemon=True)
        process.start()
        theirs.close()
        longest: float | None = None  # to make the valid input
        try:
            while seeds and time.monotonic() < until:
                if not ours.poll(longest):
                    raise EOFError(f"no end within {longest} s")
                trial = ours.recv()
                longest = 4.0 * MOST_SECONDS
                if trial is not None:
                    yield trial
                    seeds = seeds[1:]
        except EOFError as error:
            said = str(error) or f"the process died with {process.exitcode}"
            yield Trial(name, seeds[0], "escaped", longest or 0, 0, said)
            seeds = seeds[1:]
        finally:
            process.kill()
            process.join()


def dealt(names: list[str], count: int, seed: int, until: float) -> dict[str, list[Trial]]:
    """Try so many inputs of some classes, each class for as long as the others."""
    found: dict[str, list[Trial]] = {name: [] for name in names}
    spent = dict.fromkeys(names, 0.0)
    while count > 0 and time.monotonic() < until:
        name = min(spent, key=lambda one: spent[one])
        valid_files(name)
        start, first = time.monotonic(), seed + len(found[name])
        for trial in tried(name, range(first, first + min(count, BATCH)), until):
            said = trial.said if trial.result == "escaped" else ""
            found[name].append(trial._replace(said=said))
        spent[name] += time.monotonic() - start
        count -= BATCH
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="inputs of all classes together")
    parser.add_argument("--seed", type=int, default=0, help="the first seed of each class")
    parser.add_argument("--seconds", type=float, default=3600, help="after which no more are made")
    parser.add_argument("--only", default="", help="a word of the classes to try")
    parser.add_argument("--jobs", type=int, default=1, help="processes that try inputs")
    options = parser.parse_args()
    names = [name for name in INPUTS if options.only in name]
    parts = [part for n in range(options.jobs) if (part := names[n :: options.jobs])]
    until, each = time.monotonic() + options.seconds, -(-options.count // len(parts))
    deal = partial(dealt, count=each, seed=options.seed, until=until)
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("fork")) as pool:
        found = {name: trials for part in pool.map(deal, parts) for name, trials in part.items()}
    print("| class | inputs | read | refused | escaped | slowest, s | memory, MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        print(f"| {name} | {row(found[name])} |")
    every = [trial for name in names for trial in found[name]]
    print(f"| all | {row(every)} |")
    escaped = [trial for trial in every if trial.result == "escaped"]
    for trial in escaped:
        last = "\n".join(trial.said.splitlines()[-6:])
        print(f"\n{trial.name}, seed {trial.seed}: {last}")
    sys.exit(bool(escaped))


def row(trials: list[Trial]) -> str:
    """Return the cells of a row of the table."""
    results = [trial.result for trial in trials]
    counts = [len(trials), *(results.count(one) for one in ("read", "refused", "escaped"))]
    slowest = max((trial.seconds for trial in trials), default=0)
    peak = max((trial.peak for trial in trials), default=0)
    cells = [*(f"{one:,}" for one in counts), f"{slowest:.1f}", f"{peak / 2**20:.0f}"]
    return " | ".join(cells)


if __name__ == "__main__":
    main()
