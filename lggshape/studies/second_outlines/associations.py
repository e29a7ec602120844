"""The hypotheses by each outline on the same patients, and the differences between outlines."""

from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import Family, TestedPair, associate
from lggshape.labels import Labels
from lggshape.progress import OnProgress, counter
from lggshape.statistics import detectable_epsilon_squared
from lggshape.statistics.agreement_draws import resamples, with_interval
from lggshape.studies.second_outlines.names import OUTLINES
from lggshape.studies.second_outlines.reliability import (
    Floats,
    explained_ranks,
    quartile_association,
)

BY_RANKS = "other test: kruskal wallis"
POWER = 0.8

EFFECTS: dict[str, Callable[[Floats, NDArray[np.bool_]], Floats]] = {
    "epsilon squared": explained_ranks,
    "Cramér's V": quartile_association,
}


class Associated(NamedTuple):
    """The hypotheses by each outline.

    Attributes
    ----------
    associations : DataFrame
        As of `associate`, a row per outline and hypothesis.
    by_ranks : DataFrame
        The same by ranks: `masks`, `feature`, `label`, `n`, `p`, `effect` with its interval, and
        `detectable`, the smallest epsilon squared that the test would have found.
    """

    associations: pd.DataFrame
    by_ranks: pd.DataFrame


def associations(
    features: pd.DataFrame, labels: Labels, family: Family, *, seed: int
) -> Associated:
    """Test the hypotheses by each outline; all patients have all outlines."""
    found = associate(features, labels, family, seed=seed)
    ranks = found.sensitivity
    ranks = ranks[ranks["analysis"] == BY_RANKS]
    alpha = family.alpha / len(family.hypotheses)
    smallest = {}
    for hypothesis in family.hypotheses:
        pair = TestedPair.of(hypothesis, labels[hypothesis.label], _of(features, OUTLINES[0]))
        sizes = pair.level_sizes
        smallest[hypothesis.feature, hypothesis.label] = (
            detectable_epsilon_squared(sizes, alpha=alpha, power=POWER)
            if len(sizes) > 1
            else np.nan
        )
    columns = ["masks", "feature", "label", "n", "p", "effect", "effect_low", "effect_high"]
    detectable = [smallest[key] for key in zip(ranks["feature"], ranks["label"], strict=True)]
    return Associated(
        found.associations,
        ranks[columns].assign(detectable=detectable).reset_index(drop=True),
    )


def difference_table(
    features: pd.DataFrame,
    labels: Labels,
    family: Family,
    *,
    number: int,
    seed: int,
    on_progress: OnProgress | None = None,
) -> pd.DataFrame:
    """Compare the effects by different outlines on the same bootstrap samples of patients.

    Returns
    -------
    DataFrame
        A row per hypothesis, effect and pair of outlines: `feature`, `label`, `n`, `effect` (its
        name), `first`, `second`, `of_first`, `of_second`, and the `difference` of first less second
        with `low` and `high`.
    """
    rows: list[dict[str, Any]] = []
    advance = counter(on_progress, "comparing associations", len(family.hypotheses))
    for hypothesis in family.hypotheses:
        label = labels[hypothesis.label]
        pairs = [TestedPair.of(hypothesis, label, _of(features, masks)) for masks in OUTLINES]
        kept = np.logical_and.reduce([pair.complete for pair in pairs])
        level = pairs[0].level[kept]
        members = np.stack([level == place for place in np.unique(level)])
        draws = resamples(int(kept.sum()), number=number, seed=seed)
        values = [pair.feature[kept] for pair in pairs]
        key = {"feature": hypothesis.feature, "label": hypothesis.label, "n": int(kept.sum())}
        for name, effect in EFFECTS.items():
            found = [float(effect(one, members)) for one in values]
            drawn = [effect(one[draws], members[:, draws]) for one in values]
            for first, second in combinations(range(len(OUTLINES)), 2):
                between = with_interval(found[first] - found[second], drawn[first] - drawn[second])
                rows.append(
                    key
                    | {
                        "effect": name, "first": OUTLINES[first], "second": OUTLINES[second],
                        "of_first": found[first], "of_second": found[second],
                        "difference": between.estimate, "low": between.low, "high": between.high,
                    }
                )  # fmt: skip
        advance()
    return pd.DataFrame(rows)


def _of(features: pd.DataFrame, masks: str) -> pd.DataFrame:
    """Return the rows of one outline, with the patients in order."""
    return features[features["masks"] == masks].sort_values("patient").reset_index(drop=True)
