"""Coverage of the intervals of `paired_effects`, on sets whose true difference is known.

    python benchmarks/paired_effects.py --sets 400

Each of 92 patients in four groups has two measurements with a part in common. Printed for each
setting and effect: the true difference, the share of 95 % percentile intervals that contain it,
their mean width, and the share of p up to .05.
"""

import argparse
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lggshape.statistics import paired_effects
from lggshape.statistics.paired_effects import cramers_vs, epsilons_squared

Effect = Literal["epsilon_squared", "cramers_v"]

SIZES = np.array([25, 28, 12, 27])
SHIFTS = np.array([-1.0, 0.8, -0.2, 0.4])
SETTINGS = ((0.9, 0.9), (0.7, 0.9), (0.3, 0.7), (0.0, 0.0))
"""How far the groups lie apart by each measurement."""

SHARED = 0.6
"""Share of the variance within groups that the measurements have in common."""

MANY = 200_000
"""Patients that stand for all, to find the true difference."""


def draw(
    groups: NDArray[np.int64], apart: tuple[float, float], rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Draw both measurements of patients in these groups."""
    both, *own = (rng.standard_normal(len(groups)) for _ in range(3))
    return [
        factor * SHIFTS[groups] + np.sqrt(SHARED) * both + np.sqrt(1 - SHARED) * part
        for factor, part in zip(apart, own, strict=True)
    ]


def true_differences(apart: tuple[float, float]) -> dict[Effect, float]:
    """Return the difference of each effect among very many patients."""
    rng = np.random.default_rng(5)
    groups = rng.choice(4, size=MANY, p=SIZES / SIZES.sum())
    values, codes = np.stack(draw(groups, apart, rng)), np.stack([groups, groups])
    found: dict[Effect, NDArray[np.float64]] = {
        "epsilon_squared": epsilons_squared(values, codes),
        "cramers_v": cramers_vs(values, codes),
    }
    return {name: float(effects[0] - effects[1]) for name, effects in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--draws", type=int, default=499)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| apart | effect | true difference | coverage | width | p up to .05 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for apart in SETTINGS:
        true = true_differences(apart)
        rows: dict[Effect, list[tuple[bool, float, bool]]] = {name: [] for name in true}
        for seed in range(options.sets):
            groups = rng.choice(4, size=int(SIZES.sum()), p=SIZES / SIZES.sum())
            first, second = draw(groups, apart, rng)
            for effect, row in rows.items():
                found = paired_effects(
                    first, second, groups, effect=effect, draws=options.draws, seed=seed
                )
                held = found.low <= true[effect] <= found.high
                row.append((held, found.high - found.low, found.p <= 0.05))
        for effect, row in rows.items():
            shares = " | ".join(f"{value:.3f}" for value in np.mean(row, axis=0))
            print(f"| {apart} | {effect} | {true[effect]:.3f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
