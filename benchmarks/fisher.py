"""Time of the exact test on 4 x 5 tables of 110 patients.

Run it from the repository: ``python benchmarks/fisher.py``. The rows are quartiles; the columns
are clusters of random sizes or of equal sizes, without and with an association.
"""

import argparse
import time

import numpy as np

from lggshape.statistics import fisher_exact, quantile_bins


def quartile_table(rng: np.random.Generator, n: int, *, equal: bool, shift: float) -> np.ndarray:
    """Return a random quartile x cluster table."""
    shares = rng.dirichlet(np.full(5, 10.0))
    label = np.arange(n) % 5 if equal else rng.choice(5, size=n, p=shares)
    bins = quantile_bins(rng.normal(size=n) + shift * label).codes
    table = np.zeros((4, 5), dtype=int)
    np.add.at(table, (bins - 1, label), 1)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print("clusters  shift  median p    median s  max s")
    for equal in (False, True):
        for shift in (0.0, 0.2, 0.4, 0.8):
            seconds, p = [], []
            for _ in range(options.repeats):
                table = quartile_table(rng, 110, equal=equal, shift=shift)
                start = time.perf_counter()
                p.append(fisher_exact(table).p)
                seconds.append(time.perf_counter() - start)
            kind = "equal   " if equal else "random  "
            middle = np.median(seconds)
            print(f"{kind}  {shift:<5}  {np.median(p):<9.2g}   {middle:<8.2f}  {max(seconds):.2f}")


if __name__ == "__main__":
    main()
