"""Coverage of intervals, as studies use them: Cramér's V, epsilon squared, AUC and ICC.

Run it from the repository: ``python benchmarks/intervals.py``. In each sample a feature is normal
within each of 3 to 5 clusters; the patients fall into clusters at random; the quartiles are cut
anew among the patients of the sample. The truth is that of the population: V of population
quartiles by clusters, and the share of the variance of population ranks between clusters. The
AUC is that of a small group against the other patients, both normal, a shift apart. The ICC is
that of two measurements of lognormal sizes, each with an error that grows with the size. Bootstrap
intervals are printed beside the closed ones, of fewer samples.
"""

import argparse
import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from lggshape.statistics import (
    auc,
    cramers_v,
    epsilon_squared,
    intraclass_correlation,
    quantile_bins,
)
from lggshape.statistics.agreement_draws import agreement_coefficients, intraclass_draws
from lggshape.statistics.rank_shares import rank_share

SHARES = {
    "3 equal": [1 / 3] * 3,
    "3 unequal": [0.52, 0.22, 0.26],
    "4 unequal": [0.27, 0.30, 0.13, 0.30],
    "5 equal": [0.2] * 5,
    "5 unequal": [0.04, 0.12, 0.31, 0.19, 0.34],
}
"""Shares of the clusters."""

GROUPS, OTHERS = (4, 7, 12, 28), (80, 100)
"""Sizes of the group and of the others, for the AUC."""

SHIFTS = (0, 1, 2)
"""Shifts of the group in standard deviations, for the AUC."""


REPLICATES = 999
"""Bootstrap samples of an interval."""


class Population(NamedTuple):
    """Clusters with normal features: shares, means and standard deviations."""

    shares: np.ndarray
    means: np.ndarray
    deviations: np.ndarray

    def truth(self) -> tuple[float, float]:
        """Return V of quartiles by clusters, and epsilon squared."""

        def below(value: float | np.ndarray) -> np.ndarray:
            return norm.cdf((np.asarray(value)[..., None] - self.means) / self.deviations)

        def cut(share: float) -> float:
            return float(brentq(lambda value: below(value) @ self.shares - share, -50, 50))

        inner = below(np.array([cut(0.25), cut(0.5), cut(0.75)]))
        cumulative = np.vstack([0 * self.means, inner, 0 * self.means + 1])
        joint = np.diff(cumulative, axis=0) * self.shares
        expected = np.outer(joint.sum(axis=1), self.shares)
        v = np.sqrt(((joint - expected) ** 2 / expected).sum() / (min(joint.shape) - 1))
        nodes = norm.ppf((np.arange(4000) + 0.5) / 4000)
        values = self.means[:, None] + self.deviations[:, None] * nodes
        ranks = (below(values) @ self.shares).mean(axis=1)
        return float(v), float(12 * self.shares @ (ranks - 0.5) ** 2)

    def sample(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the features and clusters of n patients."""
        cluster = rng.choice(len(self.shares), size=n, p=self.shares)
        return rng.normal(self.means[cluster], self.deviations[cluster]), cluster


def populations() -> dict[str, Population]:
    """Return populations without, with medium and with strong associations."""
    made = {}
    for name, shares in SHARES.items():
        k = len(shares)
        line, one, flat = np.linspace(-1, 1, k), np.eye(k)[0], np.ones(k)
        kinds = {
            "null": (0 * line, flat),
            "trend": (0.5 * line, flat),
            "one apart": (1.2 * one, flat),
            "strong trend": (1.5 * line, flat),
            "stronger": (2.5 * line, flat),
            "spread too": (line, np.linspace(0.3, 2, k)),
        }
        for kind, (means, deviations) in kinds.items():
            made[f"{name}, {kind}"] = Population(np.array(shares), means, deviations)
    return made


def coverage(
    population: Population, *, n: int, samples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the shares of samples whose intervals hold V and epsilon squared."""
    v, epsilon = population.truth()
    held = np.zeros(2)
    for _ in range(samples):
        values, cluster = population.sample(rng, n)
        table = np.zeros((4, len(population.shares)), dtype=int)
        np.add.at(table, (quantile_bins(values).codes - 1, cluster), 1)
        effect, share = cramers_v(table), epsilon_squared(values, cluster)
        held += [effect.low <= v <= effect.high, share.low <= epsilon <= share.high]
    return float(held[0] / samples), float(held[1] / samples)


def auc_coverage(
    group: int, others: int, *, shift: float, samples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the share of samples whose interval holds the AUC, and the intervals' mean width."""
    truth = norm.cdf(shift / math.sqrt(2))
    held, width = 0, 0.0
    for _ in range(samples):
        area = auc(rng.normal(shift, 1, group), rng.normal(0, 1, others))
        held += area.low <= truth <= area.high
        width += area.high - area.low
    return held / samples, width / samples


def bootstrap_coverage(
    population: Population, *, n: int, samples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the shares of samples whose closed and bootstrap interval hold epsilon squared."""
    truth = population.truth()[1]
    held = np.zeros(2)
    for number in range(samples):
        values, cluster = population.sample(rng, n)
        dummies = np.eye(len(population.shares))[cluster][:, 1:]
        found = (
            epsilon_squared(values, cluster),
            rank_share(values, dummies, replicates=REPLICATES, seed=number),
        )
        held += [share.low <= truth <= share.high for share in found]
    return float(held[0] / samples), float(held[1] / samples)


def agreement_coverage(
    spread: float, error: float, *, n: int, samples: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the ICC, and the shares of samples whose interval by F and by bootstrap holds it."""

    def measured(count: int) -> tuple[np.ndarray, np.ndarray]:
        size = rng.lognormal(0, spread, count)
        one, other = (size * rng.lognormal(0, error, count) for _ in range(2))
        return one, other

    truth = float(np.mean([intraclass_draws(*measured(1_000_000)) for _ in range(4)]))
    held = np.zeros(2)
    for number in range(samples):
        one, other = measured(n)
        found = (
            intraclass_correlation(np.column_stack([one, other])),
            agreement_coefficients(one, other, replicates=REPLICATES, seed=number).intraclass,
        )
        held += [share.low <= truth <= share.high for share in found]
    return truth, float(held[0] / samples), float(held[1] / samples)


def print_bootstraps(samples: int, seed: int) -> None:
    """Print the coverage of bootstrap intervals beside that of the closed ones."""
    print("population                  n    epsilon2  closed  bootstrap")
    for (name, population), n in itertools.product(populations().items(), (44, 92)):
        if not name.startswith("4 unequal"):
            continue
        rng = np.random.default_rng([seed, n])
        closed, bootstrap = bootstrap_coverage(population, n=n, samples=samples, rng=rng)
        truth = population.truth()[1]
        print(f"{name:<26}  {n:<3}  {truth:.3f}     {closed:.3f}   {bootstrap:.3f}", flush=True)
    print()
    print("SD of log size  of log error  n    ICC    by F   bootstrap")
    for spread, error in itertools.product((0.3, 1.0), (0.1, 0.3)):
        rng = np.random.default_rng([seed, 110])
        found = agreement_coverage(spread, error, n=110, samples=samples, rng=rng)
        figures = f"{found[0]:.3f}  {found[1]:.3f}  {found[2]:.3f}"
        print(f"{spread:<14}  {error:<12}  110  {figures}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("population                  n    V      covered  epsilon2  covered")
    worst = np.ones(2)
    for (name, population), n in itertools.product(populations().items(), (92, 110)):
        rng = np.random.default_rng([options.seed, n])
        v, epsilon = population.truth()
        held = coverage(population, n=n, samples=options.samples, rng=rng)
        worst = np.minimum(worst, held)
        figures = f"{v:.3f}  {held[0]:.3f}    {epsilon:.3f}     {held[1]:.3f}"
        print(f"{name:<26}  {n:<3}  {figures}", flush=True)
    print(f"least coverage: V {worst[0]:.3f}, epsilon squared {worst[1]:.3f}")
    print()
    print("group  others  shift  AUC    covered  width")
    least = 1.0
    for group, others, shift in itertools.product(GROUPS, OTHERS, SHIFTS):
        rng = np.random.default_rng([options.seed, group, others])
        held, width = auc_coverage(group, others, shift=shift, samples=options.samples, rng=rng)
        least = min(least, held)
        figures = f"{norm.cdf(shift / math.sqrt(2)):.3f}  {held:.3f}    {width:.3f}"
        print(f"{group:<5}  {others:<6}  {shift:<5}  {figures}", flush=True)
    print(f"least coverage: AUC {least:.3f}")
    print()
    print_bootstraps(max(1, options.samples // 4), options.seed)


if __name__ == "__main__":
    main()
