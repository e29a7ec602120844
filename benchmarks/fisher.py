"""Time of the exact test on 4 x 5 tables of 110 patients, beside R's `fisher.test`.

Run it from the repository: ``python benchmarks/fisher.py``. The rows are quartiles; the columns
are clusters of random sizes or of equal sizes, without and with an association. Where `Rscript` is
found, R tests each table too, with the least workspace (2 followed by five to eight zeros) that it
can do with: a larger one takes R longer, since it is filled with zeros. Tries that fail for want of
workspace are not counted, nor is the start of R. Times are of the processor; ours is the least of
three, since the first also loads the compiled loops.
"""

import argparse
import json
import shutil
import subprocess
import time

import numpy as np

from lggshape.statistics import fisher_exact, quantile_bins

R_SCRIPT = """
numbers <- as.integer(strsplit(commandArgs(trailingOnly = TRUE), " ")[[1]])
table <- matrix(numbers, nrow = 4, byrow = TRUE)
for (workspace in c(2e5, 2e6, 2e7, 2e8)) {
  start <- proc.time()
  p <- try(fisher.test(table, workspace = workspace)$p.value, silent = TRUE)
  if (is.numeric(p)) break
}
cat(sprintf("[%.17g, %.3f]", p, sum((proc.time() - start)[1:2])))
"""


def quartile_table(rng: np.random.Generator, n: int, *, equal: bool, shift: float) -> np.ndarray:
    """Return a random quartile x cluster table."""
    shares = rng.dirichlet(np.full(5, 10.0))
    label = np.arange(n) % 5 if equal else rng.choice(5, size=n, p=shares)
    bins = quantile_bins(rng.normal(size=n) + shift * label).codes
    table = np.zeros((4, 5), dtype=int)
    np.add.at(table, (bins - 1, label), 1)
    return table


def timed(table: np.ndarray) -> tuple[float, float]:
    """Return our p-value and the least time of three."""
    seconds = []
    for _ in range(3):
        start = time.thread_time()
        p = fisher_exact(table).p
        seconds.append(time.thread_time() - start)
    return p, min(seconds)


def timed_in_r(table: np.ndarray, limit: float) -> tuple[float, float] | None:
    """Return R's p-value and time; None if R has not ended within the limit."""
    numbers = " ".join(map(str, table.ravel().tolist()))
    command = ["Rscript", "--vanilla", "-e", R_SCRIPT, numbers]
    try:
        output = subprocess.run(command, check=True, capture_output=True, timeout=limit).stdout
    except subprocess.TimeoutExpired:
        return None
    p, seconds = json.loads(output)
    return p, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="tables of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=30, help="seconds that R has for a table")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    with_r = shutil.which("Rscript") is not None
    fisher_exact([[3, 1, 0], [1, 2, 4]])
    ratios, differences = [], []
    print("| clusters | shift | p | lggshape, s | R, s | ratio | difference of p |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for equal in (False, True):
        for shift in (0.0, 0.2, 0.4, 0.8):
            for _ in range(options.repeats):
                table = quartile_table(rng, 110, equal=equal, shift=shift)
                p, seconds = timed(table)
                kind = "equal" if equal else "random"
                line = f"| {kind} | {shift} | {p:.2g} | {seconds:.4f} | "
                found = timed_in_r(table, options.limit) if with_r else None
                if found:
                    ratios.append(found[1] / seconds)
                    differences.append(abs(p / found[0] - 1))
                    line += f"{found[1]:.3f} | {ratios[-1]:.1f} | {differences[-1]:.0e} |"
                elif with_r:
                    line += f"> {options.limit:g} | | |"
                else:
                    line += "| | |"
                print(line, flush=True)
    if ratios:
        print(
            f"least ratio {min(ratios):.1f}, at least 10 in {sum(r >= 10 for r in ratios)} of "
            f"{len(ratios)}; largest relative difference of p {max(differences):.0e}"
        )


if __name__ == "__main__":
    main()
