"""Size of the tests given covariates, and coverage of their intervals.

Each set of patients has a feature, a label of one kind, a lognormal volume and three sites. Without
an association, feature and label do not depend on each other; with confounding, both depend on the
logarithm of the volume and on the site. Values tie if they are rounded. Tested is what `associate`
tests with `adjust=["volume", "site"]`, and with `adjust=["volume"], within="site"`. Printed is the
share of p up to .05 of the test without covariates, given both, within sites and of the interaction
with the site, and the share of the intervals given both that hold the effect in the population.
Sets that cannot be tested, or have no interval, do not count and are printed. A second table, of
categories, has the shares of the intervals of odds ratios given both that hold the one in the
population.

    python benchmarks/adjustment.py --sets 1000
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from lggshape.association import Hypothesis, TestedPair
from lggshape.association.adjusted_models import ADJUSTED, INTERACTION, SAME_PATIENTS, adjusted_rows
from lggshape.association.covariates import Adjustment, Covariate
from lggshape.association.odds_ratios import odds_ratio_rows
from lggshape.labels import Kind, Label

SIZES = (25, 110)
KINDS = (Kind.NOMINAL, Kind.ORDINAL, Kind.CONTINUOUS, Kind.SURVIVAL)
CENSORED = 0.4
"""Share of the patients whose follow-up ends before the event."""

PERMUTATIONS = 199
LARGE = 40_000
WITHIN = "within site"

VOLUME, SITE = Covariate("volume", "volume"), Covariate("site", "site", codes=True)
Adjustments = dict[str, Adjustment]


def adjustments(*, interaction: bool) -> Adjustments:
    """Return what is adjusted for, by name."""
    site = SITE if interaction else None
    return {
        ADJUSTED: Adjustment((VOLUME, SITE), None, site, PERMUTATIONS),
        WITHIN: Adjustment((VOLUME,), SITE, None, PERMUTATIONS),
    }


class Setting(NamedTuple):
    """A way to draw patients: the kind of label, confounding, the association, ties."""

    kind: Kind
    confounding: float
    slope: float
    tied: bool
    censored: float = CENSORED

    def draw(self, rng: np.random.Generator, n: int) -> tuple[TestedPair, dict[str, pd.Series]]:
        """Return n patients, and their covariates."""
        volume, site = rng.normal(size=n), rng.integers(3, size=n)
        common = self.confounding * (volume + (site - 1))
        feature = common + rng.normal(size=n)
        events = None
        levels: tuple[str, ...] = ()
        risk = common + self.slope * feature
        if self.kind is Kind.SURVIVAL:
            time = rng.exponential(np.exp(-risk))
            end = rng.exponential((1 - self.censored) / self.censored, n)
            events, label = time <= end, np.minimum(time, end)
            label = np.ceil(label * 8) if self.tied else label
        else:
            label = risk + rng.normal(size=n)
            if self.kind.has_levels:
                levels = ("a", "b", "c")
                label = np.digitize(label, [-0.6, 0.6]).astype(float)
            elif self.tied:
                label = np.round(label)
        if self.tied:
            feature, volume = np.round(feature * 2) / 2, np.round(volume * 2) / 2
        pair = TestedPair(Hypothesis("x", "y"), "manual", levels, feature, label, events)
        known = {"volume": pd.Series(np.exp(volume)), "site": pd.Series(site.astype(str))}
        return pair, known

    def rows(
        self, pair: TestedPair, known: dict[str, pd.Series], adjustments: Adjustments
    ) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield the models of a set of patients by name."""
        label = Label("y", self.kind, pd.Series(dtype=float), pair.levels, ())
        for name, adjustment in adjustments.items():
            for row in adjusted_rows(pair, label, adjustment, known, 0):
                model = str(row["model"])
                yield (name if model == ADJUSTED else model), row

    def truth(self) -> float:
        """Return the effect in the population; of survival that of one unit of the feature."""
        if self.kind is Kind.SURVIVAL:
            return math.exp(self.slope)
        if not self.slope:
            return 0.0
        # One permutation is enough for an effect.
        pair, covariates = self.draw(np.random.default_rng(5), LARGE)
        given = Adjustment((VOLUME, SITE), None, None, 1)
        label = Label("y", self.kind, pd.Series(dtype=float), pair.levels, ())
        found = {row["model"]: row for row in adjusted_rows(pair, label, given, covariates, 0)}
        return float(found[ADJUSTED]["effect"])


def one_size(setting: Setting, n: int, sets: int, truth: float, adjustments: Adjustments) -> str:
    """Return the cells of the table for one number of patients."""
    rng = np.random.default_rng([n, 7])
    below: Counter[str] = Counter()
    tested: Counter[str] = Counter()
    held = intervals = 0
    for _ in range(sets):
        pair, known = setting.draw(rng, n)
        for name, row in setting.rows(pair, known, adjustments):
            if math.isnan(row.get("p", math.nan)):
                continue
            tested[name] += 1
            below[name] += row["p"] <= 0.05
            if name != ADJUSTED:
                continue
            low, high = row["effect_low"], row["effect_high"]
            if setting.kind is Kind.SURVIVAL:
                # The interval is for the standard deviation of this sample.
                spread = float(pair.feature.std(ddof=1))
                low, high = low ** (1 / spread), high ** (1 / spread)
            if not math.isnan(low):
                intervals += 1
                held += low <= truth <= high
    tested[SAME_PATIENTS] //= 2
    below[SAME_PATIENTS] //= 2
    cells = []
    for name in (SAME_PATIENTS, ADJUSTED, WITHIN, f"{INTERACTION}site"):
        lost = f" ({sets - tested[name]} untested)" if tested[name] < sets else ""
        cells.append(f"{below[name] / tested[name]:.3f}{lost}" if tested[name] else "untested")
    cells.append(f"{held / intervals:.3f}" if intervals else "none")
    return " | ".join(cells)


def odds_ratios(pair: TestedPair, known: dict[str, pd.Series]) -> dict[str, list[float]]:
    """Return the odds ratio of each level for one unit of the feature, with its interval."""
    given = Adjustment((VOLUME, SITE), None, None, 1)
    label = Label("y", Kind.NOMINAL, pd.Series(dtype=float), pair.levels, ())
    unit = 1 / float(pair.feature.std(ddof=1))
    return {
        row["level"]: [row[name] ** unit for name in ("odds_ratio", "low", "high")]
        for row in odds_ratio_rows(pair, label, given, known)
        if row["model"] == ADJUSTED and not row["reason"]
    }


def coverage_of_odds_ratios(setting: Setting, n: int, sets: int) -> str:
    """Return the cells of the second table for one number of patients."""
    truth = odds_ratios(*setting.draw(np.random.default_rng(5), LARGE))
    rng = np.random.default_rng([n, 7])
    held: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for _ in range(sets):
        for level, (_, low, high) in odds_ratios(*setting.draw(rng, n)).items():
            found[level] += 1
            held[level] += low <= truth[level][0] <= high
    return " | ".join(
        f"{ratio:.2f} | {held[level] / found[level]:.3f}" for level, (ratio, *_) in truth.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--kinds", nargs="+", default=[kind.value for kind in KINDS])
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--confounding", nargs="+", type=float, default=[0.0, 0.7])
    parser.add_argument("--slopes", nargs="+", type=float, default=[0.0, 0.5])
    parser.add_argument("--censored", type=float, default=CENSORED, help="without an association")
    parser.add_argument("--no-interaction", action="store_true", help="it is slow for survival")
    options = parser.parse_args()
    asked = adjustments(interaction=not options.no_interaction)
    heads = "unadjusted | given both | within site | interaction | covered"
    print(f"| label | confounded | association | ties | n | {heads} |\n" + "| --- " * 10 + "|")
    for kind in KINDS:
        if kind.value not in options.kinds:
            continue
        for slope in options.slopes:
            for confounding in options.confounding:
                for tied in (False, True):
                    one = Setting(kind, confounding, slope, tied, options.censored)
                    truth = one.truth()
                    for n in options.sizes:
                        cells = one_size(one, n, options.sets, truth, asked)
                        words = ["yes" if flag else "no" for flag in (confounding, tied)]
                        start = f"{kind.word} | {words[0]} | {slope:g} | {words[1]} | {n}"
                        print(f"| {start} | {cells} |", flush=True)
    if Kind.NOMINAL.value not in options.kinds:
        return
    heads = " | ".join(f"odds ratio of {level} | covered" for level in "abc")
    print(f"\n| confounded | association | ties | n | {heads} |\n" + "| --- " * 10 + "|")
    for slope in options.slopes:
        for confounding in options.confounding:
            for tied in (False, True):
                one = Setting(Kind.NOMINAL, confounding, slope, tied)
                words = ["yes" if flag else "no" for flag in (confounding, tied)]
                for n in options.sizes:
                    cells = coverage_of_odds_ratios(one, n, options.sets)
                    print(f"| {words[0]} | {slope:g} | {words[1]} | {n} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
