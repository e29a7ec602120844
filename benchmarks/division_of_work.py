"""Whether results depend on how the work is divided: one process, two, a cluster, shards.

    python benchmarks/division_of_work.py [--patients 24] [--shards 20]

Runs the commands on a cohort of phantoms in each way and compares all files of the results, but for
the records of the runs. The cluster is one of Dask with two workers, of which one is killed while
each command is at work. Then the scheduler is killed while `segment` is at work, which is resumed.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import PROGRAM

from lggshape.studies.buda2019.phantom_labels import write_phantoms

_RECORDS = (".run.json", "run.json", "run.log", ".log")


def start(*words: object, folder: Path | None = None) -> subprocess.Popen[bytes]:
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(list(map(str, words)), stdout=nowhere, stderr=nowhere, cwd=folder)


def run(folder: Path, *words: object) -> None:
    command = [PROGRAM, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr}")


def contents(place: Path) -> dict[str, bytes]:
    """Return the files of a result but for records, by their names within it."""
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return {
        "table" if path == place else path.relative_to(place).as_posix(): path.read_bytes()
        for path in files
        if not path.name.endswith(_RECORDS) and not path.name.startswith(".")
    }


TABLES = ["--labels", "../cohort/labels.csv", "--labels", "../cohort/clinical.csv"]
WORDS: dict[str, list[str]] = {
    "segment": ["segment", "../cohort", "--fast"],
    "features": ["features", "segment"],
    "evaluate": ["evaluate", "segment", "../cohort", "--report"],
    "show": ["show", "../cohort", "--all", "--predicted", "segment"],
    "associate": [
        "associate", "features.csv", *TABLES, "--adjust", "age_at_initial_pathologic", "--report",
        "--cases", "segment",
    ],
    "replicate": [
        "replicate", "../cohort", *TABLES, "--labels", "../cohort/idh_1p19q.csv",
        "--masks", "segment", "--step", "agreement",
    ],
}  # fmt: skip
"""Relative to the folder of each way: a report tells the paths of its inputs."""


def out_of(command: str) -> str:
    return "features.csv" if command == "features" else command


def in_shards(folder: Path, command: str, count: int) -> None:
    ending = Path(out_of(command)).suffix
    parts = [f"{command}{number}{ending}" for number in range(1, count + 1)]
    for number, part in enumerate(parts, start=1):
        run(folder, *WORDS[command], "--out", part, "--shard", f"{number}/{count}")
    run(folder, "merge", *parts, "--out", out_of(command))


@contextmanager
def cluster() -> Iterator[tuple[str, dict[str, subprocess.Popen[bytes]]]]:
    """Provide the address of a scheduler, and the processes of it and of its two workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = start(
        sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", port, "--no-dashboard"
    )
    processes = {"scheduler": scheduler, "worker": worker(address), "other worker": worker(address)}
    try:
        yield address, processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def worker(address: str) -> subprocess.Popen[bytes]:
    return start(
        sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", 1,
        "--no-nanny", "--no-dashboard", "--local-directory", tempfile.gettempdir(),
    )  # fmt: skip


def on_cluster(folder: Path, command: str, seconds: float, *, lose: str = "worker") -> None:
    """Run a command on a cluster, and kill one of the workers, or the scheduler, meanwhile."""
    with cluster() as (address, processes):
        words = [*WORDS[command], "--out", out_of(command), "--scheduler", address, "--quiet"]
        process = start(PROGRAM, *words, folder=folder)
        time.sleep(seconds)
        if process.poll() is not None:
            sys.exit(f"{command} ended before the {lose} was killed.")
        os.kill(processes[lose].pid, signal.SIGKILL)
        expected = 2 if lose == "scheduler" else 0
        if process.wait() != expected:
            sys.exit(f"{command} without its {lose} ended with {process.returncode}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=24)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--kill-after", type=float, default=4.0, help="seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        write_phantoms(Path(place, "cohort"), patients=options.patients, seed=1)
        first: dict[str, dict[str, bytes]] = {}
        print("| way | command | files | equal to one process |\n| --- | --- | --- | --- |")
        for way in (
            "one process", "two processes", "two workers, one killed", "shards, merged",
            "scheduler killed, resumed",
        ):  # fmt: skip
            folder = Path(place, way.replace(" ", "_"))
            folder.mkdir()
            for command in ["segment"] if "resumed" in way else WORDS:
                jobs = [] if command == "segment" else ["--jobs", 2 if "two" in way else 1]
                if "workers" in way:
                    on_cluster(folder, command, options.kill_after)
                elif "resumed" in way:
                    on_cluster(folder, command, options.kill_after, lose="scheduler")
                    run(folder, *WORDS[command], "--out", out_of(command), "--resume")
                elif "shards" in way and command in {"segment", "features"}:
                    in_shards(folder, command, options.shards)
                else:
                    run(folder, *WORDS[command], "--out", out_of(command), *jobs)
                made = contents(folder / out_of(command))
                first.setdefault(command, made)
                other = {name for name in {*made, *first[command]}
                         if made.get(name) != first[command].get(name)}  # fmt: skip
                said = "yes" if not other else f"no: {', '.join(sorted(other)[:3])}"
                print(f"| {way} | {command} | {len(made)} | {said} |", flush=True)


if __name__ == "__main__":
    main()
