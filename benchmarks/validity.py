"""Are the tests valid, and do the intervals cover? A check on phantom label sets.

For many seeded label sets without and with a planted association, the whole of `associate` is run
on one hypothesis (margin fluctuation x molecular_subtype), with as many patients as the public data
set has.
Printed: the share of p < 0.05 (an error without an association, the power with one), and the
share of intervals that cover the effect in the population, each with its 95 % interval
(Clopper-Pearson). The effect in the population is measured on one very large phantom cohort.

    python benchmarks/validity.py --sets 1000
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import binomtest

from lggshape.association import Family, Hypothesis, associate
from lggshape.labels import read_labels
from lggshape.phantoms import draw_patients, label_table
from lggshape.statistics import cramers_v, epsilon_squared, quantile_bins

FEATURE, LABEL = "margin_fluctuation", "molecular_subtype"
FAMILY = Family("validity", "Validity", (Hypothesis(FEATURE, LABEL),))
PATIENTS = 110
POPULATION = 400_000
NOISE = 0.25
"""Standard deviation of the feature about the irregularity: V is then that of the real data."""


def draw(rng: np.random.Generator, n: int, planted: bool) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the margin fluctuations of a cohort, up to a scale, and its label table."""
    irregularity = rng.random(n)
    # The measured feature follows the irregularity, but not exactly: the pixel grid, the one slice.
    measured = irregularity + rng.normal(scale=NOISE, size=n)
    patients = draw_patients(irregularity, rng=rng, association=planted)
    return measured, label_table(patients, rng=rng)


def one_set(stream: np.random.SeedSequence, planted: bool) -> dict[str, float]:
    rng = np.random.default_rng(stream)
    values, table = draw(rng, PATIENTS, planted)
    features = pd.DataFrame(
        {"case": table["patient"], "patient": table["patient"], "masks": "manual", "reason": ""}
    ).assign(**{FEATURE: values})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        table.to_csv(path, index=False)
        study = associate(features, read_labels([path]), FAMILY)
    exact = study.associations.iloc[0]
    ranks = study.sensitivity[study.sensitivity["test"] == "kruskal_wallis"].iloc[0]
    return {
        "fisher": exact["p"],
        "kruskal": ranks["p"],
        "v_low": exact["effect_low"],
        "v_high": exact["effect_high"],
        "e_low": ranks["effect_low"],
        "e_high": ranks["effect_high"],
    }


def population_effects(planted: bool) -> tuple[float, float]:
    if not planted:
        return 0.0, 0.0
    values, table = draw(np.random.default_rng(2019), POPULATION, planted)
    codes, _ = pd.factorize(table[LABEL], sort=True)
    known = codes >= 0
    values, groups = values[known], codes[known]
    counts = np.zeros((4, groups.max() + 1), dtype=np.int64)
    np.add.at(counts, (np.asarray(quantile_bins(values, 4).codes) - 1, groups), 1)
    return cramers_v(counts).estimate, epsilon_squared(values, groups).estimate


def share(name: str, hits: np.ndarray) -> None:
    interval = binomtest(int(hits.sum()), len(hits)).proportion_ci()
    print(f"  {name:42} {hits.mean():.3f} ({interval.low:.3f} to {interval.high:.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    for planted in (False, True):
        streams = np.random.SeedSequence(110 + planted).spawn(arguments.sets)
        rows = Parallel(n_jobs=arguments.jobs)(delayed(one_set)(s, planted) for s in streams)
        table = pd.DataFrame(rows)
        v, e = population_effects(planted)
        print(
            f"{arguments.sets} label sets of {PATIENTS} patients, association "
            f"{'planted' if planted else 'absent'}: V = {v:.3f}, epsilon squared = {e:.3f}"
        )
        share("Fisher's exact test, p < 0.05", (table["fisher"] < 0.05).to_numpy())
        share("Kruskal-Wallis, p < 0.05", (table["kruskal"] < 0.05).to_numpy())
        share("interval of V covers", table.eval(f"v_low <= {v} <= v_high").to_numpy())
        share(
            "interval of epsilon squared covers", table.eval(f"e_low <= {e} <= e_high").to_numpy()
        )


if __name__ == "__main__":
    main()
