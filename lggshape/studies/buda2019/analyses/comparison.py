"""How effects differ between kinds of mask in the same patients, and what p could have been."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import Family, Hypothesis, TestedPair
from lggshape.labels import Labels
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.statistics import cramers_v, fisher_power, paired_effects, power_of_v, shrunk_table
from lggshape.studies.buda2019.names import BINS

EffectName = Literal["epsilon_squared", "cramers_v"]
P_OF_EFFECT: Mapping[EffectName, str] = {
    "epsilon_squared": "p_ranks",
    "cramers_v": "p",
}
"""The p of the table of tests that belongs to each effect."""

Truth = Literal["table", "V"]
TABLES = 1000
"""How many tables are simulated."""


class MasksCompared(NamedTuple):
    """Two kinds of mask of the same patients.

    Attributes
    ----------
    name : str
        What is compared with what.
    first, second : DataFrame
        A feature table of each kind.
    """

    name: str
    first: pd.DataFrame
    second: pd.DataFrame


class _Pair(NamedTuple):
    compared: MasksCompared
    hypothesis: Hypothesis
    effect: EffectName
    seed: np.random.SeedSequence


def effect_differences(
    comparisons: Sequence[MasksCompared],
    labels: Labels,
    family: Family,
    *,
    draws: int = 9999,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> pd.DataFrame:
    """Compare the effects of every hypothesis between two kinds of mask.

    Parameters
    ----------
    comparisons : sequence of MasksCompared
        What is compared with what.
    labels : Labels
        The labels of the patients.
    family : Family
        The hypotheses.
    draws : int
        Number of resamples, and of random exchanges.
    seed : int
        Seed of both.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each hypothesis and effect.

    Returns
    -------
    DataFrame
        A row per comparison, hypothesis and effect: `compared`, `feature`, `label`, `effect_name`,
        `n` (patients with both features and the label), `first`, `second`, `difference`, `low`,
        `high`, `standard_error`, `jackknife_error`, `p_exchange`, as from `paired_effects`.
    """
    roots = np.random.SeedSequence(seed).spawn(len(family.hypotheses))
    work = [
        _Pair(compared, hypothesis, effect, root)
        for compared in comparisons
        for hypothesis, root in zip(family.hypotheses, roots, strict=True)
        for effect in get_args(EffectName)
    ]
    used = {h.label: labels[h.label] for h in family.hypotheses}
    advance = counter(on_progress, "comparing effects", len(work))
    rows = []
    for row in map_all(partial(_compare, labels=used, draws=draws), work, jobs=jobs):
        rows.append(row)
        advance()
    return pd.DataFrame(rows)


def _compare(pair: _Pair, *, labels: Mapping[str, Any], draws: int) -> dict[str, Any]:
    hypothesis, compared = pair.hypothesis, pair.compared
    values = [
        table.set_index("patient")[hypothesis.feature]
        for table in (compared.first, compared.second)
    ]
    both = pd.concat(values, axis=1, join="inner").dropna()
    levels = labels[hypothesis.label].values.reindex(both.index).dropna()
    known = both.loc[levels.index].to_numpy(np.float64)
    row = {
        "compared": compared.name, "feature": hypothesis.feature, "label": hypothesis.label,
        "effect_name": pair.effect, "n": len(levels),
    }  # fmt: skip
    if not len(levels):
        return row
    # A spawned sequence remembers what it has spawned: one of its own for every comparison.
    root = np.random.SeedSequence(pair.seed.entropy, spawn_key=pair.seed.spawn_key)
    found = paired_effects(
        known[:, 0], known[:, 1], levels.to_numpy(str), effect=pair.effect, bins=BINS, draws=draws,
        seed=root,
    )  # fmt: skip
    named = found._asdict()
    return row | {"p_exchange" if name == "p" else name: value for name, value in named.items()}


class _Claim(NamedTuple):
    """A claim about p, and the table that is taken for the truth."""

    row: dict[str, Any]
    table: NDArray[np.int64]
    truth: Truth
    seed: np.random.SeedSequence


def reaching_table(
    tables: Sequence[pd.DataFrame],
    labels: Labels,
    family: Family,
    *,
    draws: int = TABLES,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> pd.DataFrame:
    """Return how likely each reported bound of p is to be reached, if what was found is true.

    Parameters
    ----------
    tables : sequence of DataFrame
        A feature table of each kind of mask.
    labels, family, jobs, on_progress
        As for `effect_differences`.
    draws : int
        Number of simulated tables.
    seed : int
        Seed of the tables.

    Returns
    -------
    DataFrame
        A row per kind of mask, hypothesis with a bound, and truth: `masks`, `feature`, `label`,
        `n`, `reported` (the bound), `truth` ("table": the table of quartiles as found; "V": the
        same, shrunk towards independence until its V is the bias-corrected one), `v` (the V of the
        truth), `probability` with its `low` and `high` (by simulation; what the number of tables
        leaves open), `probability_chi_squared` (of that V, by the noncentral chi-squared
        distribution); and for the truth "V" `v_low`, `v_high` (interval of V) with
        `probability_v_low`, `probability_v_high` (by that distribution).
    """
    root = np.random.SeedSequence(seed)
    claims = list(_claims(tables, labels, family, root))
    advance = counter(on_progress, "simulating tables", len(claims))
    rows = []
    for row in map_all(partial(_reach, draws=draws), claims, jobs=jobs):
        rows.append(row)
        advance()
    return pd.DataFrame(rows)


def _claims(
    tables: Sequence[pd.DataFrame], labels: Labels, family: Family, root: np.random.SeedSequence
) -> Iterator[_Claim]:
    for table in tables:
        for hypothesis in family.hypotheses:
            if hypothesis.reported_below is None:
                continue
            pair = TestedPair.of(hypothesis, labels[hypothesis.label], table)
            if pair.untestable:
                continue
            counts, _ = pair.cross_table(pair.complete, BINS)
            about = {
                **pair.key(), "n": int(counts.sum()), "reported": hypothesis.reported_below,
            }  # fmt: skip
            for truth in get_args(Truth):
                yield _Claim(about, counts, truth, root.spawn(1)[0])


def _reach(claim: _Claim, *, draws: int) -> dict[str, Any]:
    counts = claim.table[claim.table.any(axis=1)][:, claim.table.any(axis=0)]
    n, bound = int(counts.sum()), claim.row["reported"]
    rows, columns = counts.shape
    plain, corrected = plain_v(counts), cramers_v(counts)
    true_v = corrected.estimate if claim.truth == "V" else plain
    factor = true_v / plain if plain else 0.0
    found = fisher_power(
        shrunk_table(counts, min(1.0, factor)), counts.sum(axis=1), bound, draws=draws,
        seed=claim.seed,
    )  # fmt: skip
    likely = partial(power_of_v, n, rows, columns, alpha=bound)
    row = claim.row | {
        "truth": claim.truth, "v": true_v, "probability": found.estimate, "low": found.low,
        "high": found.high, "probability_chi_squared": likely(true_v),
    }  # fmt: skip
    if claim.truth == "V":
        for end in ("low", "high"):
            v = getattr(corrected, end)
            row |= {
                f"v_{end}": v,
                f"probability_v_{end}": likely(v),
            }
    return row


def plain_v(counts: NDArray[np.int64]) -> float:
    """Return Cramér's V of a table as it is, not corrected for bias.

    Examples
    --------
    >>> plain_v(np.array([[3, 1], [1, 3]]))
    0.5
    """
    shares = counts / counts.sum()
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    phi_squared = float(np.sum((shares - expected) ** 2 / expected))
    return math.sqrt(phi_squared / (min(counts.shape) - 1))
