"""Hold `lggshape.statistics.fisher_exact` against R's `fisher.test` on random tables.

Run it from the repository: ``python benchmarks/oracles/fisher.py [--tables FILE.json]``. It needs
`Rscript`. The file holds more tables: ``[{"name": "...", "table": [[...], ...]}, ...]``.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from lggshape.statistics import fisher_exact


def random_tables(count: int, seed: int) -> list[dict[str, object]]:
    """Return tables up to 4 x 5 with up to 110 patients, and small ones up to 5 x 6."""
    rng = np.random.default_rng(seed)
    tables: list[dict[str, object]] = []
    while len(tables) < count + count // 4:
        small = len(tables) >= count
        rows, columns = rng.integers(2, (6, 7) if small else (5, 6))
        n = rng.integers(10, 36 if small else 111)
        # Associated more and less strongly; R takes minutes for the strongest 4 x 5 tables.
        label = rng.choice(columns, size=n, p=rng.dirichlet(np.full(columns, 4.0)))
        value = rng.normal(size=n) + rng.choice([0, 0.1, 0.3]) * label
        cuts = np.quantile(value, np.arange(1, rows) / rows)
        table = np.zeros((rows, columns), dtype=int)
        np.add.at(table, (np.searchsorted(cuts, value), label), 1)
        if (table.sum(axis=0) > 0).sum() > 1:
            tables.append({"name": f"random {len(tables)}", "table": table.tolist()})
    return tables


def r_values(tables: list[list[list[int]]]) -> list[float]:
    """Return R's p-values."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.txt"
        lines = [" ".join(map(str, [len(t), len(t[0]), *np.ravel(t).tolist()])) for t in tables]
        path.write_text("\n".join(lines) + "\n")
        script = Path(__file__).with_suffix(".R")
        command = ["Rscript", "--vanilla", str(script), str(path)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(line) for line in output.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, help="more tables, as JSON")
    parser.add_argument("--count", type=int, default=200, help="number of tables up to 4 x 5")
    parser.add_argument("--seed", type=int, default=20190601)
    options = parser.parse_args()
    entries = random_tables(options.count, options.seed)
    if options.tables:
        entries += json.loads(options.tables.read_text())
    tables = [np.asarray(entry["table"]).tolist() for entry in entries]
    start = time.perf_counter()
    expected = r_values(tables)
    print(f"R: {time.perf_counter() - start:.1f} s for {len(tables)} tables")
    start = time.perf_counter()
    results = [fisher_exact(table) for table in tables]
    print(f"lggshape: {time.perf_counter() - start:.1f} s")
    assert all(result.method == "fisher_exact" for result in results)
    differences = np.abs([r.p / p - 1 for r, p in zip(results, expected, strict=True)])
    for i in np.argsort(-differences)[:5]:
        name, p = entries[i]["name"], expected[i]
        print(f"{name}: p = {p:.15g}, relative difference {differences[i]:.2g}")
    print(f"smallest p: {min(expected):.3g}; largest relative difference: {differences.max():.3g}")


if __name__ == "__main__":
    main()
