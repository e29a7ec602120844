"""The steps of the replication: each reads what earlier ones wrote, and gives tables."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from lggshape.association import associate
from lggshape.errors import InputError
from lggshape.evaluation import evaluate
from lggshape.masks import largest_component
from lggshape.readers import open_cases
from lggshape.shape import feature_table
from lggshape.studies.buda2019.agreement import agreement_table, area_differences
from lggshape.studies.buda2019.confounding import (
    adjusted_table,
    binary_models,
    survival_models,
    wild_types,
    within_mutants,
)
from lggshape.studies.buda2019.factors import (
    OURS,
    THEIRS,
    Masks,
    factor_table,
    measure_masks,
    one_at_a_time,
)
from lggshape.studies.buda2019.masks import above_threshold, changed, component_above, own_mask
from lggshape.studies.buda2019.names import ASD, AUTOMATIC, BEVR, MANUAL, MF, OFFSETS
from lggshape.studies.buda2019.noise import disturbed, noisy_masks
from lggshape.studies.buda2019.outlines import outline_table
from lggshape.studies.buda2019.paper import claims_table, cohort_table, table_3
from lggshape.studies.buda2019.prediction import PREDICTORS, predict
from lggshape.studies.buda2019.probabilities import keep_probability
from lggshape.studies.buda2019.robustness import robustness_table
from lggshape.studies.buda2019.sensitivity import (
    Analysis,
    medians_of_draws,
    run_analyses,
    span_table,
    with_other_patients,
    with_other_tests,
)
from lggshape.studies.buda2019.study import Study, Tables
from lggshape.studies.buda2019.uncertainty import (
    FIELDS,
    draw_features,
    draw_tests,
    feature_intervals,
    sample_features,
    spread_table,
    stability_table,
)
from lggshape.studies.buda2019.variants import changed_masks, other_conventions, other_thresholds
from lggshape.verification import verify

COMPARED = (ASD, OFFSETS, MF, BEVR, "volume")

NOISE = (0.0, 0.1, 0.2)
"""Standard deviations of the noise experiment."""

LEVEL_OF_THE_ATTEMPT = 0.71
"""Mean Dice of the failed attempt's masks."""


class Step(NamedTuple):
    """A step of the replication.

    Attributes
    ----------
    name : str
        Its name.
    run : callable
        Does it and gives its tables by name.
    needs : tuple of str
        The steps before it.
    by_networks : bool
        Whether it needs networks, and cannot be done with masks alone.
    """

    name: str
    run: Callable[[Study], Tables]
    needs: tuple[str, ...] = ()
    by_networks: bool = False


def _verify(study: Study) -> Tables:
    sources = open_cases(study.dataset)
    with study.progress("verifying", len(sources)) as advance:
        found = verify(
            sources,
            labels=list(study.label_paths),
            jobs=study.jobs,
            on_progress=lambda progress: advance() if progress.done else None,
        )
    return {"verification": found.cases, "label_counts": found.labels}


def _segment(study: Study) -> Tables:
    if study.networks is None:
        return {}
    from lggshape.segmentation import segment_cases

    sources = open_cases(study.dataset)
    with study.progress("segmenting", len(sources)) as advance:
        found = segment_cases(
            sources,
            study.mask_folder,
            networks=study.networks,
            samples=True,
            resume=True,
            on_case=advance,
            on_result=partial(keep_probability, study.probabilities),
        )
    return {"segmentation": found.table}


def _evaluate(study: Study) -> Tables:
    by = [name for name in (study.roles.gender, study.roles.age) if name in study.labels]
    with study.progress("evaluating", len(study.sources)) as advance:
        found = evaluate(
            study.mask_folder,
            study.dataset,
            labels=study.labels if by else None,
            by=by,
            jobs=study.jobs,
            on_progress=lambda progress: advance() if progress.done else None,
        )
    by_case = found.scores.set_index("case")["dice"]
    return {
        "scores": found.scores,
        "outlines": outline_table(study.automatic, study.sources, by_case),
        "evaluation": found.summary,
        "evaluation_groups": found.groups,
        "detection": found.detection,
    }


def _features(study: Study) -> Tables:
    parts = []
    automatic = open_cases(study.mask_folder, masks_only=True)  # a failed one has a row, too
    for kind, sources in ((AUTOMATIC, automatic), (MANUAL, study.sources)):
        with study.progress(f"measuring {kind} masks", len(sources)) as advance:
            measured = feature_table(
                sources,
                masks=kind,
                jobs=study.jobs,
                on_progress=lambda progress: advance() if progress.done else None,
            )
            parts.append(measured.table)
    return {"features": pd.concat(parts, ignore_index=True)}


def _associate(study: Study) -> Tables:
    features = study.features
    total = features["masks"].nunique() * len(study.family.hypotheses)
    # Of a feature table, reasons are text.
    table = features.assign(reason=features["reason"].fillna(""))
    with study.progress("testing", total) as advance:
        found = associate(
            table, study.labels, study.family, seed=study.seed,
            on_progress=lambda at: advance() if at.done else None,
        )  # fmt: skip
    return {
        "associations": found.associations,
        "discrimination": found.discrimination,
        "contingency": found.contingency,
        "patients": found.patients,
        "flow": found.flow,
        "left_out": found.left_out,
        "claims": claims_table(
            found.associations, found.contingency, found.discrimination, study.family, study.roles
        ),
        "table_3": table_3(features, found.discrimination, study.labels, study.family, study.roles),
        "cohort": cohort_table(features, study.labels, study.sites, study.family, study.roles),
    }


def _agreement(study: Study) -> Tables:
    return {
        "agreement": agreement_table(study.features, COMPARED, study.dice),
        "area_differences": area_differences(study.features, study.labels, study.family),
    }


def _sensitivity(study: Study) -> Tables:
    analyses: list[Analysis] = []
    kinds = {AUTOMATIC: study.automatic, MANUAL: study.sources}
    with study.progress("changing masks and conventions", len(kinds)) as advance:
        for kind, sources in kinds.items():
            table = study.features_of(kind)
            analyses += with_other_tests(table)
            analyses += with_other_patients(table, study.dice, study.sites)
            analyses += other_conventions(table, sources, jobs=study.jobs)
            analyses += changed_masks(kind, sources, seed=study.seed, jobs=study.jobs)
            if kind == AUTOMATIC and study.networks is not None:
                analyses += other_thresholds(kind, sources, study.probabilities, jobs=study.jobs)
            advance()
    with study.progress("testing them", len(analyses)) as advance:
        found = run_analyses(
            analyses, study.labels, study.family, seed=study.seed, jobs=study.jobs,
            on_analysis=advance,
        )  # fmt: skip
    found = medians_of_draws(found)
    return {
        "sensitivity": found.associations,
        "sensitivity_areas": found.areas,
        "sensitivity_spans": span_table(found.associations, study.family),
    }


def _confounding(study: Study) -> Tables:
    features, labels, roles, sites = study.features, study.labels, study.roles, study.sites
    total = features["masks"].nunique() * len(study.family.hypotheses)
    with study.progress("permuting", total) as advance:
        adjusted = adjusted_table(
            features, labels, study.family, roles, sites, seed=study.seed, jobs=study.jobs,
            on_hypothesis=advance,
        )  # fmt: skip
    return {
        "adjusted": adjusted,
        "within_mutants": within_mutants(
            features, labels, study.family, roles, seed=study.seed, jobs=study.jobs
        ),
        "wild_types": wild_types(features, labels, roles),
        "binary_models": binary_models(features, labels, roles, sites),
        "survival": survival_models(features, labels, roles, sites),
    }


def _robustness(study: Study) -> Tables:
    table = study.features_of(MANUAL)
    found = robustness_table(
        table, study.sources, (ASD, OFFSETS, MF, BEVR), seed=study.seed, jobs=study.jobs
    )
    return {"robustness": found}


def _noise(study: Study) -> Tables:
    levels, analyses, agreements = [], [], []
    manual = study.features_of(MANUAL)
    for noise in NOISE:
        masks = noisy_masks(study, noise).masks
        scores = evaluate(masks, study.dataset, jobs=study.jobs).scores
        name = f"automatic, noise {noise:.0%}"
        sources = open_cases(masks, masks_only=True)
        table = feature_table(sources, masks=name, jobs=study.jobs).table
        levels.append(
            {
                "noise": noise, "n": int(scores["dice"].notna().sum()),
                "dice_mean": scores["dice"].mean(), "dice_median": scores["dice"].median(),
                "below_half": int((scores["dice"] < 0.5).sum()),
                "empty": int((table["volume"].isna()).sum()),
            }
        )  # fmt: skip
        analyses.append(Analysis("noise", f"{noise:.0%}", table))
        both = pd.concat([table, manual])
        found = agreement_table(both, COMPARED, measured=name)
        found.insert(0, "noise", noise)
        agreements.append(found)
    tested = run_analyses(analyses, study.labels, study.family, seed=study.seed, jobs=study.jobs)
    return {
        "noise": pd.DataFrame(levels),
        "noise_associations": tested.associations,
        "noise_areas": tested.areas,
        "noise_agreement": pd.concat(agreements, ignore_index=True),
    }


def _uncertainty(study: Study) -> Tables:
    sources = study.automatic
    tests, intervals = [], []
    own = study.features_of(AUTOMATIC)
    options: dict[str, Any] = {"seed": study.seed, "jobs": study.jobs}
    for field in FIELDS:
        with study.progress(f"drawing masks: {field.name}", len(sources)) as advance:
            draws = draw_features(sources, study.probabilities, field, **options, on_case=advance)
        tests.append(draw_tests(draws, field.name, study.labels, study.family, **options))
        intervals.append(feature_intervals(draws, field.name, own))
    samples = sample_features(sources, study.probabilities, jobs=study.jobs)
    # A patient of the networks' data set has one network, another has all: the fewest count.
    shared = samples[samples["draw"] <= samples.groupby("patient")["draw"].max().min()]
    tests.append(draw_tests(shared, "networks and flips", study.labels, study.family, **options))
    intervals.append(feature_intervals(samples, "networks and flips", own))
    every = pd.concat(tests, ignore_index=True)
    spreads = pd.concat(intervals, ignore_index=True)
    return {
        "feature_intervals": spreads,
        "feature_spreads": spread_table(spreads),
        "draws": every,
        "stability": stability_table(every, study.family),
    }


def _failed_attempt(study: Study) -> Tables:
    found = disturbed(study, LEVEL_OF_THE_ATTEMPT)
    kinds = [
        Masks(MANUAL, study.sources, partial(changed, by=largest_component), own_mask),
        Masks(
            AUTOMATIC,
            study.automatic,
            own_mask,
            partial(above_threshold, folder=study.probabilities),
        ),
    ]
    for noise, noisy in found.masks.items():
        kinds.append(
            Masks(
                f"{AUTOMATIC}, noise {noise:.0%}",
                open_cases(noisy.masks, masks_only=True),
                partial(component_above, folder=noisy.probabilities, threshold=0.5),
                partial(above_threshold, folder=noisy.probabilities, threshold=0.5),
            )
        )
    measured = pd.concat([measure_masks(kind, jobs=study.jobs) for kind in kinds])
    manual = measured[measured["masks"] == MANUAL]
    table = factor_table(measured, manual, study.labels, study.family, study.roles)
    masks = {OURS: AUTOMATIC, THEIRS: kinds[-1].name}  # the last is low enough, or the nearest
    return {
        "failed_attempt": table,
        "failed_attempt_one_at_a_time": one_at_a_time(table, masks),
        "failed_attempt_masks": found.tried,
    }


def _prediction(study: Study) -> Tables:
    outcomes = len(study.labels[study.roles.subtype].levels) + 1
    total = study.features["masks"].nunique() * outcomes * len(PREDICTORS)
    with study.progress("predicting", total) as advance:
        found = predict(
            study.features, study.labels, study.roles, study.sites, seed=study.seed,
            jobs=study.jobs, on_model=advance,
        )  # fmt: skip
    return {"prediction": found.scores, "decision_curves": found.decision}


STEPS: Sequence[Step] = (
    Step("verify", _verify),
    Step("segment", _segment),
    Step("evaluate", _evaluate, ("segment",)),
    Step("features", _features, ("segment",)),
    Step("associate", _associate, ("features",)),
    Step("agreement", _agreement, ("evaluate", "features")),
    Step("sensitivity", _sensitivity, ("evaluate", "features")),
    Step("confounding", _confounding, ("features",)),
    Step("robustness", _robustness, ("features",)),
    Step("prediction", _prediction, ("features",)),
    Step("noise", _noise, ("features",), by_networks=True),
    Step("uncertainty", _uncertainty, ("features",), by_networks=True),
    Step("failed-attempt", _failed_attempt, ("features",), by_networks=True),
)
"""All steps, in the order in which they are done."""

PRIMARY_STEPS = ("verify", "segment", "evaluate", "features", "associate")
"""The primary analysis."""


def chosen_steps(names: Sequence[str], *, networks: bool) -> list[Step]:
    """Give the steps to do: those named, or all, with the primary analysis and what they need.

    Parameters
    ----------
    names : sequence of str
        Names of steps; empty for all that can be done.
    networks : bool
        Whether there are networks.

    Raises
    ------
    InputError
        If there is no such step, or it needs networks and there are none.
    """
    known = {step.name: step for step in STEPS}
    for name in names:
        if name not in known:
            msg = f"Expected a step among {', '.join(known)}, found {name!r}."
            raise InputError(msg)
        if known[name].by_networks and not networks:
            msg = f"Expected networks for the step {name}, found masks alone."
            raise InputError(msg)
    wanted = {*PRIMARY_STEPS, *(names or known)}
    wanted |= {need for name in wanted for need in known[name].needs}
    return [step for step in STEPS if step.name in wanted and (networks or not step.by_networks)]


def failures(features: pd.DataFrame) -> dict[str, str]:
    """Name the cases of a feature table that could not be measured, with the reason."""
    failed = features[features["spacing_known"].isna()]
    names = (
        f"{case} ({masks})" for case, masks in zip(failed["case"], failed["masks"], strict=True)
    )
    return dict(zip(names, failed["reason"].astype(str), strict=True))
