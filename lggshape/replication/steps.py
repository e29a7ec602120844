"""The steps of the replication: each reads what earlier ones wrote, and gives tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import Family, Labels, associate
from lggshape.case import Case
from lggshape.errors import InputError
from lggshape.evaluation import evaluate, match_cases
from lggshape.evaluation.scores import dice
from lggshape.files import write_table
from lggshape.parallel import map_all
from lggshape.readers import CaseSource, open_cases
from lggshape.replication.agreement import agreement_table, area_differences
from lggshape.replication.confounding import (
    adjusted_table,
    binary_models,
    survival_models,
    within_mutants,
)
from lggshape.replication.factors import Masks, factor_table, measure_masks, one_at_a_time
from lggshape.replication.paper import claims_table, cohort_table, table_3
from lggshape.replication.prediction import PREDICTORS, predict
from lggshape.replication.probabilities import keep_probability, read_probability
from lggshape.replication.robustness import robustness_table
from lggshape.replication.roles import Roles
from lggshape.replication.sensitivity import (
    Analysis,
    of_the_patients,
    of_the_test,
    run_analyses,
)
from lggshape.replication.uncertainty import (
    FIELDS,
    draw_features,
    draw_tests,
    feature_intervals,
    sample_features,
    stability_table,
)
from lggshape.replication.variants import (
    ASD,
    BEVR,
    MF,
    OFFSETS,
    above_threshold,
    changed_masks,
    other_conventions,
    other_thresholds,
)
from lggshape.shape import feature_table, largest_component
from lggshape.verification import verify

Tables = Mapping[str, pd.DataFrame]
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""From a description and a number of pieces of work to what is called after each."""

AUTOMATIC, MANUAL = "automatic", "manual"
COMPARED = (ASD, OFFSETS, MF, BEVR, "volume")

NOISE = (0.0, 0.1, 0.2)
"""Standard deviations of the noise experiment."""

DISTURBANCES = (0.3, 0.5, 0.7, 1.0, 1.5)
LEVEL_OF_THE_ATTEMPT = 0.71
"""Noise that brings the masks down to the Dice of the failed attempt: the first that does."""


@dataclass(frozen=True)
class Study:
    """What a replication works on, and with.

    Attributes
    ----------
    dataset : Path
        Cases with images and manual masks.
    labels : Labels
        The labels of the patients.
    label_paths : tuple of Path
        Where they come from.
    family : Family
        The hypotheses.
    roles : Roles
        Which label is which.
    networks : Path or None
        Networks to segment with; None if there are masks.
    masks : Path or None
        Automatic masks that were made before.
    work : Path
        Folder for masks, and for the tables of the steps.
    seed : int
        Of all random numbers.
    jobs : int or None
        Number of processes; all cores by default.
    progress : callable
        Shows how far a step is.
    """

    dataset: Path
    labels: Labels
    label_paths: tuple[Path, ...]
    family: Family
    roles: Roles
    networks: Path | None
    masks: Path | None
    work: Path
    seed: int
    jobs: int | None
    progress: Progress

    @property
    def sources(self) -> list[CaseSource]:
        """The cases of the data set."""
        return open_cases(self.dataset, masks_only=True)

    @property
    def automatic(self) -> list[CaseSource]:
        """The automatic masks that there are."""
        return [s for s in open_cases(self.mask_folder, masks_only=True) if s.has_mask]

    @property
    def mask_folder(self) -> Path:
        """Where the automatic masks lie."""
        return self.masks or self.work / "masks"

    @property
    def probabilities(self) -> Path:
        """Where the probabilities of the automatic masks lie."""
        return self.work / "probabilities"

    @property
    def sites(self) -> "pd.Series[str]":
        """The institution of each patient, where it is known."""
        known = {source.patient: source.site for source in self.sources if source.site}
        return pd.Series(known, dtype=str)

    def read(self, name: str) -> pd.DataFrame:
        """Read a table that an earlier step wrote."""
        # Keys may look like numbers, and a column of reasons without any is text as well.
        text = dict.fromkeys(("case", "patient", "reason"), str)
        return pd.read_csv(self.table_path(name), dtype=text)

    def write(self, tables: Tables) -> None:
        """Write the tables of a step."""
        for name, table in tables.items():
            write_table(self.table_path(name), table)

    def table_path(self, name: str) -> Path:
        """Say where the table of a step lies."""
        return self.work / "tables" / f"{name}.csv"

    @property
    def features(self) -> pd.DataFrame:
        """The features of automatic and manual masks."""
        return self.read("features")

    @property
    def dice(self) -> "pd.Series[float]":
        """The Dice of each patient's automatic mask."""
        scores = self.read("scores")
        return scores.set_index("patient")["dice"]


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
        found = verify(sources, labels=list(study.label_paths), jobs=study.jobs, on_case=advance)
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
            resume=True,
            on_case=advance,
            on_result=partial(keep_probability, study.probabilities),
        )
    return {"segmentation": found.table}


def _evaluate(study: Study) -> Tables:
    matched = match_cases(study.mask_folder, study.dataset)
    with study.progress("evaluating", len(matched.pairs)) as advance:
        found = evaluate(matched, labels=study.labels, jobs=study.jobs, on_case=advance)
    return {
        "scores": found.scores,
        "evaluation": found.summary,
        "evaluation_groups": found.groups,
        "detection": found.detection,
    }


def _features(study: Study) -> Tables:
    parts = []
    automatic = open_cases(study.mask_folder, masks_only=True)  # a failed one has a row, too
    for kind, sources in ((AUTOMATIC, automatic), (MANUAL, study.sources)):
        with study.progress(f"measuring {kind} masks", len(sources)) as advance:
            parts.append(feature_table(sources, masks=kind, jobs=study.jobs, on_case=advance).table)
    return {"features": pd.concat(parts, ignore_index=True)}


def _associate(study: Study) -> Tables:
    features = study.features
    total = features["masks"].nunique() * len(study.family.hypotheses)
    # Of a feature table, reasons are text.
    table = features.assign(reason=features["reason"].fillna(""))
    with study.progress("testing", total) as advance:
        found = associate(table, study.labels, study.family, seed=study.seed, on_hypothesis=advance)
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
        "cohort": cohort_table(features, study.labels, study.sites),
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
            table = _of(study.features, kind)
            analyses += of_the_test(table)
            analyses += of_the_patients(table, study.dice, study.sites)
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
    return {"sensitivity": found.associations, "sensitivity_areas": found.areas}


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
        "binary_models": binary_models(features, labels, roles, sites),
        "survival": survival_models(features, labels, roles, sites),
    }


def _robustness(study: Study) -> Tables:
    table = _of(study.features, MANUAL)
    found = robustness_table(
        table, study.sources, (ASD, OFFSETS, MF, BEVR), seed=study.seed, jobs=study.jobs
    )
    return {"robustness": found}


def _noise(study: Study) -> Tables:
    levels, analyses, agreements = [], [], []
    manual = _of(study.features, MANUAL)
    for noise in NOISE:
        masks = _disturbed(study, noise)
        matched = match_cases(masks, study.dataset)
        scores = evaluate(matched, jobs=study.jobs).scores
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
    options: dict[str, Any] = {"seed": study.seed, "jobs": study.jobs}
    for field in FIELDS:
        with study.progress(f"drawing masks: {field.name}", len(sources)) as advance:
            draws = draw_features(sources, study.probabilities, field, **options, on_case=advance)
        tests.append(draw_tests(draws, field.name, study.labels, study.family, **options))
        found = feature_intervals(draws, _of(study.features, AUTOMATIC))
        found.insert(0, "draws_by", field.name)
        intervals.append(found)
    samples = sample_features(sources, study.probabilities, jobs=study.jobs)
    # A patient of the networks' data set has one network, another has all: the fewest count.
    shared = samples[samples["draw"] <= samples.groupby("patient")["draw"].max().min()]
    tests.append(draw_tests(shared, "networks and flips", study.labels, study.family, **options))
    every = pd.concat(tests, ignore_index=True)
    return {
        "feature_intervals": pd.concat(intervals, ignore_index=True),
        "draws": every,
        "stability": stability_table(every, study.family),
    }


def _failed_attempt(study: Study) -> Tables:
    kinds = [
        Masks(MANUAL, study.sources, _largest_component, _own_mask),
        Masks(
            AUTOMATIC,
            study.automatic,
            _own_mask,
            partial(above_threshold, folder=study.probabilities),
        ),
    ]
    reached = []
    for noise in DISTURBANCES:
        masks = _disturbed(study, noise)
        probabilities = _probabilities_of(study, noise)
        islands = partial(above_threshold, folder=probabilities, threshold=0.5)
        scores = pd.Series(list(_dice_of(islands, masks, study.sources, study.jobs)))
        reached.append(
            {
                "noise": noise, "dice_mean": scores.mean(), "dice_median": scores.median(),
                "below_tenth": int((scores < 0.1).sum()),
                "reached": bool(scores.mean() <= LEVEL_OF_THE_ATTEMPT),
            }
        )  # fmt: skip
        if scores.mean() <= LEVEL_OF_THE_ATTEMPT:
            break
    name = f"automatic, noise {noise:.0%}"
    one = partial(_component, folder=probabilities, threshold=0.5)
    kinds.append(Masks(name, open_cases(masks, masks_only=True), one, islands))
    measured = pd.concat([measure_masks(kind, jobs=study.jobs) for kind in kinds])
    manual = measured[measured["masks"] == MANUAL]
    table = factor_table(measured, manual, study.labels, study.family, study.roles)
    return {
        "failed_attempt": table,
        "failed_attempt_one_at_a_time": one_at_a_time(table),
        "failed_attempt_masks": pd.DataFrame(reached),
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


def _of(features: pd.DataFrame, kind: str) -> pd.DataFrame:
    return features[features["masks"] == kind].reset_index(drop=True)


def _disturbed(study: Study, noise: float) -> Path:
    """Segment with noise and without flips; give the folder of the masks."""
    from lggshape.segmentation import segment_cases

    out = study.work / f"noise-{noise:g}"
    sources = open_cases(study.dataset)
    assert study.networks is not None  # the step is done with networks alone
    with study.progress(f"segmenting with {noise:.0%} noise", len(sources)) as advance:
        segment_cases(
            sources,
            out,
            networks=study.networks,
            flips=False,
            noise=noise,
            seed=study.seed,
            resume=True,
            on_case=advance,
            on_result=partial(keep_probability, _probabilities_of(study, noise)),
        )
    return out


def _probabilities_of(study: Study, noise: float) -> Path:
    return study.work / f"noise-{noise:g}-probabilities"


def _dice_of(
    change: Callable[[Case], NDArray[np.bool_]],
    masks: Path,
    references: Sequence[CaseSource],
    jobs: int | None,
) -> Iterator[float]:
    known = {source.id: source for source in references}
    pairs = [(source, known[source.id]) for source in open_cases(masks, masks_only=True)]
    yield from map_all(partial(_one_dice, change=change), pairs, jobs=jobs)


def _one_dice(
    pair: tuple[CaseSource, CaseSource], *, change: Callable[[Case], NDArray[np.bool_]]
) -> float:
    predicted, reference = (source.read(image=False) for source in pair)
    assert reference.mask is not None
    return dice(change(predicted), reference.mask)


def _component(case: Case, *, folder: Path, threshold: float) -> NDArray[np.bool_]:
    return read_probability(folder, case.id).mask(threshold)


def _largest_component(case: Case) -> NDArray[np.bool_]:
    return largest_component(_own_mask(case))


def _own_mask(case: Case) -> NDArray[np.bool_]:
    assert case.mask is not None  # it is read to be measured
    return case.mask
