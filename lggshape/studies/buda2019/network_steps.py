"""The steps that need networks: noise, uncertainty, and why another attempt failed."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from lggshape.evaluation import evaluate
from lggshape.masks import largest_component
from lggshape.shape import feature_table
from lggshape.studies.buda2019.analyses.agreement import agreement_table
from lggshape.studies.buda2019.analyses.factors import (
    OURS,
    THEIRS,
    Masks,
    factor_table,
    measure_masks,
    one_at_a_time,
)
from lggshape.studies.buda2019.analyses.masks import (
    above_threshold,
    changed,
    component_above,
    own_mask,
)
from lggshape.studies.buda2019.analyses.noise import disturbed, noisy_masks
from lggshape.studies.buda2019.analyses.scatter import with_other_tests
from lggshape.studies.buda2019.analyses.sensitivity import Analysis, run_analyses
from lggshape.studies.buda2019.analyses.uncertainty import (
    BY_NETWORKS,
    FIELDS,
    draw_tests,
    feature_intervals,
    measure_draws,
    measure_samples,
    spread_table,
    stability_table,
)
from lggshape.studies.buda2019.names import AUTOMATIC, COMPARED, MANUAL
from lggshape.studies.buda2019.replication import Replication, Tables, masks_in

NOISE = (0.0, 0.1, 0.2)
"""Standard deviations of the noise experiment."""

LEVEL_OF_THE_ATTEMPT = 0.71
"""Mean Dice of the failed attempt's masks."""


def noise_step(replication: Replication) -> Tables:
    """Test the hypotheses on masks of networks that are shown noise."""
    levels, analyses, agreements = [], [], []
    manual = replication.features_of(MANUAL)
    labels, family, jobs = replication.labels, replication.family, replication.jobs
    for noise, realisation in _noises(replication.realisations):
        masks = noisy_masks(replication, noise, realisation).masks
        scores = evaluate(masks, replication.dataset, jobs=jobs).scores
        name = f"automatic, noise {noise:.0%}"
        table = feature_table(masks_in(masks), masks=name, jobs=jobs).table
        levels.append(
            {
                "noise": noise, "realisation": realisation,
                "n": int(scores["dice"].notna().sum()),
                "dice_mean": scores["dice"].mean(), "dice_median": scores["dice"].median(),
                "below_half": int((scores["dice"] < 0.5).sum()),
                "empty": int((table["volume"].isna()).sum()),
            }
        )  # fmt: skip
        drawn = f", realisation {realisation}" if noise else ""
        analyses.append(Analysis("noise", f"{noise:.0%}{drawn}", table))
        found = agreement_table(pd.concat([table, manual]), COMPARED, measured=name)
        found.insert(0, "realisation", realisation)
        found.insert(0, "noise", noise)
        agreements.append(found)
    tested = run_analyses(analyses, labels, family, seed=replication.seed, jobs=jobs)
    parts = [
        with_other_tests(part, analysis.table, labels, family)
        for analysis, (_, part) in zip(
            analyses, tested.associations.groupby("analysis", sort=False), strict=True
        )
    ]
    return {
        "noise": pd.DataFrame(levels),
        "noise_associations": pd.concat(parts, ignore_index=True),
        "noise_areas": tested.areas,
        "noise_agreement": pd.concat(agreements, ignore_index=True),
    }


def _noises(realisations: int) -> Iterator[tuple[float, int]]:
    """Yield each standard deviation with the number of the realisation."""
    for noise in NOISE:
        for realisation in range(1, realisations + 1 if noise else 2):
            yield noise, realisation


def uncertainty_step(replication: Replication) -> Tables:
    """Draw masks from the probabilities, and test the hypotheses on every draw."""
    sources, own = replication.automatic, replication.features_of(AUTOMATIC)
    labels, family = replication.labels, replication.family
    options: dict[str, Any] = {"seed": replication.seed, "jobs": replication.jobs}
    references = {source.id: source for source in replication.manual}
    tests, intervals = [], []
    for field in FIELDS:
        draws = measure_draws(
            sources,
            references,
            replication.probabilities,
            field,
            **options,
            on_progress=replication.tell(f"drawing masks: {field.name}"),
        )
        tests.append(draw_tests(draws, field.name, labels, family, **options))
        intervals.append(feature_intervals(draws, field.name, own))
    samples = measure_samples(sources, references, replication.probabilities, jobs=replication.jobs)
    # A patient of the networks' data set has one network, another has all: the fewest count.
    shared = samples[samples["draw"] <= samples.groupby("patient")["draw"].max().min()]
    tests.append(draw_tests(shared, BY_NETWORKS, labels, family, **options))
    intervals.append(feature_intervals(samples, BY_NETWORKS, own))
    every = pd.concat(tests, ignore_index=True)
    spreads = pd.concat(intervals, ignore_index=True)
    return {
        "feature_intervals": spreads,
        "feature_spreads": spread_table(spreads),
        "draws": every,
        "stability": stability_table(every, family),
    }


def failed_attempt_step(replication: Replication) -> Tables:
    """Exchange each choice of a failed attempt for ours."""
    found = disturbed(replication, LEVEL_OF_THE_ATTEMPT)
    kinds = [
        Masks(MANUAL, replication.manual, partial(changed, by=largest_component), own_mask),
        Masks(
            AUTOMATIC,
            replication.automatic,
            own_mask,
            partial(above_threshold, folder=replication.probabilities),
        ),
    ]
    kinds += [
        Masks(
            f"{AUTOMATIC}, noise {noise:.0%}",
            masks_in(noisy.masks),
            partial(component_above, folder=noisy.probabilities, threshold=0.5),
            partial(above_threshold, folder=noisy.probabilities, threshold=0.5),
            realisation,
        )
        for (noise, realisation), noisy in found.masks.items()
    ]
    measured = pd.concat([measure_masks(kind, jobs=replication.jobs) for kind in kinds])
    manual = measured[measured["masks"] == MANUAL]
    table = factor_table(
        measured, manual, replication.labels, replication.family, replication.roles
    )
    masks = {OURS: AUTOMATIC, THEIRS: kinds[-1].name}  # the last is low enough, or the nearest
    return {
        "failed_attempt": table,
        "failed_attempt_one_at_a_time": one_at_a_time(table, masks),
        "failed_attempt_masks": found.tried,
    }
