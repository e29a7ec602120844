"""Cox regression of 3 to 12 patients: lggshape against R's survival package.

R prints a p also where the likelihood has no maximum, and then warns. Printed is how many random
tables have a p here and in R, with and without a warning of R, and the largest relative
difference where both have one.

    python benchmarks/oracles/small_cox.py --tables 600
"""

import argparse
import io
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.statistics.survival import cox

R = """
suppressMessages(library(survival))
tables <- read.csv("%s")
for (table in split(tables, tables$table)) {
  said <- ""
  fit <- tryCatch(withCallingHandlers(coxph(Surv(time, event) ~ x, table),
    warning = function(w) { said <<- "warned"; invokeRestart("muffleWarning") }),
    error = function(e) NULL)
  found <- if (is.null(fit)) rep(NA, 3) else summary(fit)$coefficients[1, c(1, 3, 5)]
  cat(table$table[1], found, said, sep = ",", fill = TRUE)
}
"""
FOUND = ["coefficient", "standard_error", "p"]


class Table(NamedTuple):
    """Patients whose feature is normal, rounded or binary, and whose times may tie."""

    x: NDArray[np.float64]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]


def tables(count: int) -> Iterator[Table]:
    """Yield random tables."""
    rng = np.random.default_rng(1)
    while count:
        n = int(rng.integers(3, 13))
        x = rng.normal(size=n)
        x = [x, np.round(x), (x > 0).astype(float)][count % 3]
        time = rng.exponential(10, n)
        time = np.ceil(time / 5) * 5 if count % 2 else time
        event = rng.random(n) < rng.choice([0.2, 0.5, 0.9])
        if np.ptp(x):
            count -= 1
            yield Table(x, time, event)


def of_r(drawn: list[Table]) -> pd.DataFrame:
    """Return what R finds."""
    rows = [pd.DataFrame(one._asdict()).assign(table=k) for k, one in enumerate(drawn)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tables.csv")
        pd.concat(rows).astype({"event": int}).to_csv(path, index=False)
        done = subprocess.run(
            ["Rscript", "-e", R % path], capture_output=True, text=True, check=True
        )
    names = ["table", *FOUND, "said"]
    return pd.read_csv(io.StringIO(done.stdout), names=names, skipinitialspace=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=600)
    drawn = list(tables(parser.parse_args().tables))
    own = []
    for one in drawn:
        try:
            term = cox(one.time, one.event, one.x[:, None]).terms[0]
            own.append([term.coefficient, term.standard_error, term.p, ""])
        except InputError as error:
            own.append([np.nan, np.nan, np.nan, str(error).split(", found")[0]])
    ours, theirs = pd.DataFrame(own, columns=[*FOUND, "reason"]), of_r(drawn)
    both = ours["p"].notna() & theirs["p"].notna()
    warned = theirs["said"].notna()
    print(f"a p in both: {both.sum()} of {len(drawn)}, of these R warned: {(both & warned).sum()}")
    for name in FOUND:
        apart = (ours[name] - theirs[name]).abs() / theirs[name].abs().clip(lower=1e-9)
        print(f"  largest relative difference, {name}: {apart[both].max():.1e}")
    alone = ours["p"].isna() & theirs["p"].notna()
    print(f"a p in R alone: {alone.sum()}, of these R warned: {(alone & warned).sum()}")
    print(ours.loc[alone, "reason"].value_counts().to_string())
    print(f"a p here alone: {(ours['p'].notna() & theirs['p'].isna()).sum()}")


if __name__ == "__main__":
    main()
