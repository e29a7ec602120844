"""Size, power and coverage of the tests of ordinal, continuous and survival labels.

Each set of patients has a feature that is normal, or rounded so that values tie, and a label that
depends on it or not. Tested is what `associate` tests with: the objects of `lggshape.association`.
Printed for every setting: the share of p < .05 (the size without an association, the power with
one) and the share of the intervals that hold the effect in the population. That effect is known, or
measured on a very large sample. Sets that cannot be tested, or have no interval, do not count and
are printed.

    python benchmarks/kinds_of_label.py --sets 1000
"""

import argparse
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from lggshape.association import TESTS, Hypothesis, TestedPair
from lggshape.statistics import rank_correlation, somers_d

SIZES = (12, 25, 110)
SHARES = {"3 levels": [0.3, 0.4, 0.3], "4 unequal levels": [0.1, 0.2, 0.2, 0.5]}
SLOPES = (0.0, 0.3, 1.0)
"""Shift of the feature per level in standard deviations, correlation, or log hazard ratio."""

CENSORED = 0.6
"""Share of the patients whose follow-up ends before the event."""

LARGE = 100_000
SEED = np.random.SeedSequence(0)


class Setting(NamedTuple):
    """A way to draw patients: the test, what is drawn, the association, ties."""

    test: str
    label: str
    slope: float
    tied: bool
    step: float = 0.5

    def draw(self, rng: np.random.Generator, n: int) -> TestedPair:
        """Return n patients."""
        events = None
        levels: tuple[str, ...] = ()
        if self.test == "jonckheere-terpstra":
            shares = SHARES[self.label]
            levels = tuple(map(str, range(len(shares))))
            label = rng.choice(len(shares), n, p=shares).astype(float)
            feature = rng.normal(self.slope * label)
        else:
            feature = rng.normal(size=n)
        if self.test == "spearman":
            slope = self.slope if self.slope < 1 else 0.8
            label = slope * feature + math.sqrt(1 - slope**2) * rng.normal(size=n)
            label = np.round(label) if self.tied else label
        if self.tied:
            feature = np.round(feature / self.step) * self.step
        if self.test == "cox":
            time = rng.exponential(np.exp(-self.slope * feature))
            end = rng.exponential((1 - CENSORED) / CENSORED, n)
            events, label = time <= end, np.minimum(time, end)
            label = np.ceil(label * 5) if self.tied else label
        return TestedPair(Hypothesis("x", "y"), "manual", levels, feature, label, events)

    def truth(self) -> float:
        """Return the effect in the population; of Cox it is that of one unit of the feature."""
        if self.test == "cox":
            return math.exp(self.slope)
        if not self.slope:
            return 0.0
        large = self.draw(np.random.default_rng(5), LARGE)
        effect = somers_d if self.test == "jonckheere-terpstra" else rank_correlation
        return effect(large.feature, large.label)[0]


def settings(slopes: Iterable[float], step: float) -> Iterator[Setting]:
    """Yield all settings of some associations."""
    labels = {"jonckheere-terpstra": list(SHARES), "spearman": ["normal"], "cox": ["exponential"]}
    for test, kinds in labels.items():
        for kind in kinds:
            for slope in slopes:
                for tied in (False, True):
                    yield Setting(test, kind, slope, tied, step)


def one_size(setting: Setting, n: int, sets: int, truth: float) -> str:
    """Return the cells of the table for one number of patients."""
    rng = np.random.default_rng([n, 7])
    below = held = tested = intervals = 0
    for _ in range(sets):
        pair = setting.draw(rng, n)
        result = TESTS[setting.test].run(pair, bins=4, seed=SEED)
        if math.isnan(result.p):
            continue
        tested += 1
        below += result.p < 0.05
        low, high = result.effect_low, result.effect_high
        if setting.test == "cox":
            # The interval is for the standard deviation of this sample.
            spread = float(pair.feature.std(ddof=1))
            low, high = low ** (1 / spread), high ** (1 / spread)
        if not math.isnan(low):
            intervals += 1
            held += low <= truth <= high
    lost = f" ({sets - tested} untested, {tested - intervals} without interval)"
    cells = f"{below / tested:.3f} | {held / intervals:.3f}"
    return cells + lost * (tested < sets or intervals < tested)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--tests", nargs="+", default=["jonckheere-terpstra", "spearman", "cox"])
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--slopes", nargs="+", type=float, default=SLOPES)
    parser.add_argument("--step", type=float, default=0.5, help="of a rounded feature")
    options = parser.parse_args()
    heads = " | ".join(f"n = {n}: p < .05 | covered" for n in options.sizes)
    print(f"| test | label | association | ties | effect | {heads} |", flush=True)
    print("| --- " * (5 + 2 * len(options.sizes)) + "|")
    for one in settings(options.slopes, options.step):
        if one.test not in options.tests:
            continue
        truth = one.truth()
        cells = " | ".join(one_size(one, n, options.sets, truth) for n in options.sizes)
        ties = "yes" if one.tied else "no"
        print(
            f"| {one.test} | {one.label} | {one.slope:g} | {ties} | {truth:.2f} | {cells} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
