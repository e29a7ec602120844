"""How long the commands take, and how much memory, from start to end.

    python benchmarks/commands.py kaggle_3m --labels kaggle_3m/data.csv --labels idh_1p19q.csv

Every command is run several times as a process of its own; printed are the median and the largest
wall time, and the largest memory of the process with all its workers together.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("lggshape")


def memory_of_group(group: int) -> int:
    """Sum the resident memory of all processes of a group, in bytes (Linux)."""
    total = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == group:
                total += int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        except (OSError, ProcessLookupError):
            continue
    return total


def run(command: list[str], *, folder: Path | None = None) -> tuple[float, int]:
    """Run a command in a folder; return its seconds and its largest memory in bytes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        cwd=folder,
    )  # fmt: skip
    peak = 0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, memory_of_group(process.pid))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, complaint = process.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}: {complaint.decode()}")
    return seconds, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--labels", type=Path, action="append", required=True)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    labels = [text for path in arguments.labels for text in ("--labels", str(path))]
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "features.csv", Path(folder) / "out"
        base = [str(PROGRAM)]
        associate = [*base, "associate", str(table), *labels, "--out", str(out), "--overwrite"]
        commands = {
            "--help": [*base, "--help"],
            "features": [
                *base,
                "features",
                str(arguments.dataset),
                "--out",
                str(table),
                "--overwrite",
            ],
            "associate, buda2019, --report": [*associate, "--report", "--hypotheses", "buda2019"],
            "associate, all, --report": [*associate, "--report", "--hypotheses", "all"],
            "verify": [*base, "verify", str(arguments.dataset), *labels],
        }
        for name, command in commands.items():
            results = [run(command) for _ in range(arguments.runs)]
            seconds = [wall for wall, _ in results]
            print(
                f"{name:32} median {statistics.median(seconds):6.2f} s, largest "
                f"{max(seconds):6.2f} s, memory {max(peak for _, peak in results) / 2**20:5.0f} MiB"
            )


if __name__ == "__main__":
    main()
