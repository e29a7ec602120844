"""Every hypothesis of a family, tested on the patients of a feature table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lggshape.association.adjustment import adjusted_results
from lggshape.association.cohort import cohort_table
from lggshape.association.covariates import Adjustment
from lggshape.association.exclusions import exclude
from lggshape.association.families import FamilyChoice, chosen_family
from lggshape.association.feature_table import (
    FeatureSource,
    check_units,
    irregularity,
    read_features,
)
from lggshape.association.hypotheses import Family, Hypothesis, LeftOut
from lggshape.association.kinds_of_test import Result, Test
from lggshape.association.patient_flow import patient_flow
from lggshape.association.processes import map_if_long
from lggshape.association.registry import check_test
from lggshape.association.small_cohorts import SMALL_COHORT, small_cohort
from lggshape.association.study import Study
from lggshape.association.tested_pair import TestedPair
from lggshape.association.tests import check_applies, deciding_test, tests_for
from lggshape.checks import check_whole_number
from lggshape.extras import require
from lggshape.labels import (
    Kind,
    Label,
    Labels,
    LabelSource,
    MatchIds,
    as_labels,
    define_labels,
    match_patients,
)
from lggshape.progress import OnProgress, counter
from lggshape.shape import FEATURES
from lggshape.statistics import adjust
from lggshape.tables import TableSource

_MOST_BINS = 100
"""Percentiles: more bins than this are a mistake."""

_LARGEST_SEED = 2**128 - 1

_KEY = ["masks", "feature", "label"]
_EFFECT = ["effect_name", "effect", "effect_low", "effect_high"]
_RESULT = [*_KEY, "analysis", "test", "n", "events", "statistic", "p", *_EFFECT, "p_standard_error"]
_ADJUSTED = [
    *_KEY, "test", "n", "events", "statistic", "p", "p_bonferroni", "p_holm", "p_bh", *_EFFECT,
    "family", "p_standard_error", *SMALL_COHORT,
]  # fmt: skip
_COUNTS = {"events": "Int64"}
_AREA = [*_KEY, "level", "n", "n_level", "auc", "auc_low", "auc_high"]
_CELL = [*_KEY, "bin", "low", "high", "level", "count"]

_BY_PAIR = ("associations", "sensitivity", "discrimination", "contingency", "patients")
"""The tables that every hypothesis adds rows to."""

_Rows = dict[str, list[dict[str, Any]]]


class _Task(NamedTuple):
    """A hypothesis to test on one kind of mask, and the seed of its random numbers."""

    hypothesis: Hypothesis
    masks: str
    stream: np.random.SeedSequence


class _Found(NamedTuple):
    """What is found about a hypothesis: rows of all tables, and why it is untestable if it is."""

    rows: _Rows
    left_out: list[LeftOut]


def associate(
    features: FeatureSource,
    labels: Labels | LabelSource,
    family: FamilyChoice = None,
    *,
    bins: int = 4,
    test: str | None = None,
    adjust: Sequence[str] = (),
    within: str | None = None,
    permutations: int = 9_999,
    match_ids: MatchIds = "exact",
    exclusions: TableSource | None = None,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Study:
    """Test a family of hypotheses.

    The kind of a label decides the test. Nominal: Fisher's exact test (Freeman and Halton) of the
    quantile bins of the feature, cut among the patients that have both the feature and the label.
    Ordinal: Jonckheere-Terpstra. Continuous: Spearman's rank correlation. Survival: Cox regression.
    Kinds of mask are tested apart, each as a family of its own.

    Parameters
    ----------
    features : path, DataFrame or FeatureTable
        Feature table, as `lggshape features` or `feature_table` makes it.
    labels : Labels, or what `read_labels` takes
        The labels of the patients.
    family : Family, str, path or None
        The hypotheses, as for `choose_family`: by default those of the study whose features and
        labels are all there, else the features that the literature names with every label.
    bins : int
        Number of quantile bins, 2 to 100.
    test : {"jonckheere-terpstra", "fisher", "kruskal-wallis", "spearman", "cox"}, optional
        The test that decides for the kinds of label that it takes, in place of the default. The
        other tests that take the kind of a label are reported as sensitivity analyses.
    adjust : sequence of str
        Covariates: labels, or columns of the feature table. Each hypothesis is then also tested
        given these: by ranks and permutation (Freedman and Lane), or in a Cox model of survival.
    within : str, optional
        A label or column, such as the site, within whose values patients are compared: by
        permutation within these strata, or a stratified Cox model.
    permutations : int
        Number of permutations of a test given covariates.
    match_ids : {"exact", "loose"}
        Whether the patients' keys in the features and in the labels have to be equal, or may differ
        in case, blanks, leading zeros, and `-` for `_`. `Study.match` lists which were joined.
    exclusions : path or DataFrame, optional
        A table with the column `patient` or `case`, and `reason`: who is left out, and why.
    seed : int
        For permutations, and for the Monte Carlo p in place of an exact one that would take too
        long.
    jobs : int, optional
        Number of processes for a family that takes longer than two seconds, by default the cores
        that this process may use. The results do not depend on it.
    on_progress : callable, optional
        Told how far the work has come.

    Returns
    -------
    Study
        All results.

    Raises
    ------
    InputError
        If a table or the family cannot be used, no patient has both features and labels, a feature
        is in millimetres for some patients and in voxels for others, an option is out of range,
        `test` takes no label of the hypotheses, or a covariate is not there.

    Examples
    --------
    >>> patients = [f"p{i}" for i in range(20)]
    >>> features = pd.DataFrame({"case": patients, "patient": patients, "masks": "manual"})
    >>> features["margin_fluctuation"] = [i / 20 for i in range(20)]
    >>> grades = pd.DataFrame({"patient": patients, "grade": ["II"] * 10 + ["III"] * 10})
    >>> study = associate(features, grades)
    >>> study
    Study('literature', fisher, 4 bins, masks: manual; 1 of 1 hold after correction)
    >>> f"{study.associations['p'].iloc[0]:.1e}"
    '3.2e-05'
    """
    _check_options(bins, test, seed, jobs)
    everyone = read_features(features)
    table, excluded = (everyone, []) if exclusions is None else exclude(everyone, exclusions)
    # Those who are left out are no strangers to the tables of labels.
    match = match_patients(everyone["patient"], as_labels(labels), match_ids=match_ids)
    match = match.within(table["patient"])
    known = match.labels
    chosen = chosen_family(family, table, known)
    check_units(table, [h.feature for h in chosen.hypotheses])
    defined = define_labels(chosen.definitions, known)
    used = {h.label: defined[h.label] for h in chosen.hypotheses}
    check_applies(test, [label.kind for label in used.values()])
    if any(label.kind is Kind.SURVIVAL for label in used.values()):
        require("statsmodels", "to test survival")
    adjustment = Adjustment.of(adjust, within, table, defined, permutations=permutations)
    find = partial(_find, labels=used, family=chosen, bins=bins, test=test)
    rows, untestable = _find_all(find, chosen, table, int(seed), jobs, on_progress)
    left_out = [*excluded, *chosen.left_out, *untestable]
    return Study(
        family=chosen,
        bins=int(bins),
        test=test,
        data=table,
        labels=used,
        associations=_adjusted(pd.DataFrame(rows["associations"]), chosen),
        # Without a hypothesis that has such rows there is no row, but still a header.
        sensitivity=pd.DataFrame(rows["sensitivity"], columns=_RESULT).astype(_COUNTS),
        discrimination=pd.DataFrame(rows["discrimination"], columns=_AREA),
        contingency=pd.DataFrame(rows["contingency"], columns=_CELL),
        patients=pd.DataFrame(rows["patients"]),
        cohort=cohort_table(table, known, used),
        flow=pd.DataFrame(patient_flow(table, match, chosen, used, excluded)),
        left_out=pd.DataFrame(left_out, columns=list(LeftOut._fields)),
        match=replace(match, labels=defined),
        given=None
        if adjustment is None
        else adjusted_results(
            adjustment, table, chosen.hypotheses, used,
            bins=bins, test=test, seed=int(seed), jobs=jobs, on_progress=on_progress,
        ),
    )  # fmt: skip


def _check_options(bins: int, test: str | None, seed: int, jobs: int | None) -> None:
    check_whole_number(bins, "bins", least=2, most=_MOST_BINS)
    check_whole_number(seed, "seed", least=0, most=_LARGEST_SEED)
    if jobs is not None:
        check_whole_number(jobs, "the number of jobs", least=1)
    if test is not None:
        check_test("test", test)


def _find_all(
    find: Callable[..., _Found],
    family: Family,
    table: pd.DataFrame,
    seed: int,
    jobs: int | None,
    on_progress: OnProgress | None,
) -> _Found:
    """Test all hypotheses on all kinds of mask."""
    streams = np.random.SeedSequence(seed).spawn(len(family.hypotheses))
    groups = {str(masks): group for masks, group in table.groupby("masks", sort=False)}
    tasks = [
        _Task(hypothesis, masks, stream)
        for masks in groups
        for hypothesis, stream in zip(family.hypotheses, streams, strict=True)
    ]
    every = _Found({name: [] for name in _BY_PAIR}, [])
    advance = counter(on_progress, "testing", len(tasks))
    for found in map_if_long(partial(find, groups=groups), tasks, jobs=jobs):
        for name, added in found.rows.items():
            every.rows[name].extend(added)
        every.left_out.extend(found.left_out)
        advance()
    return every


def _find(
    task: _Task,
    *,
    groups: Mapping[str, pd.DataFrame],
    labels: Mapping[str, Label],
    family: Family,
    bins: int,
    test: str | None,
) -> _Found:
    """Test a hypothesis in all ways."""
    hypothesis, masks, stream = task
    label, group = labels[hypothesis.label], groups[masks]
    pair = TestedPair.of(hypothesis, label, group)
    direction = irregularity(hypothesis.feature)
    deciding = deciding_test(test, label.kind)
    primary = deciding.run(pair, bins=bins, seed=stream)
    analyses = _analyses(pair, label, group, bins, deciding, stream)
    rows = {
        "associations": [
            _row(pair, deciding, primary) | small_cohort(pair, deciding, family, bins)
        ],
        "sensitivity": [
            {"analysis": analysis} | _row(pair, by, result)
            for analysis, (by, result) in analyses.items()
        ],
        "discrimination": list(pair.discrimination(direction)),
        "contingency": list(pair.contingency(bins)),
        "patients": [pair.patients(direction, bins)],
    }
    if not primary.reason:
        return _Found(rows, [])
    name = f"{hypothesis.feature} x {hypothesis.label}, {pair.masks}"
    return _Found(rows, [LeftOut("hypothesis", name, primary.reason)])


def _row(pair: TestedPair, by: Test, result: Result) -> dict[str, Any]:
    """Return the row of a result; one without an effect, such as a check, names none."""
    name = "" if np.isnan(result.effect) else by.effect
    return pair.key() | result._asdict() | {"effect_name": name}


def _analyses(
    pair: TestedPair,
    label: Label,
    group: pd.DataFrame,
    bins: int,
    deciding: Test,
    stream: np.random.SeedSequence,
) -> dict[str, tuple[Test, Result]]:
    """Test a hypothesis in all other ways: other tests, their variations, the feature's variant."""
    tests = tests_for(label.kind)
    found: dict[str, tuple[Test, Result]] = {}
    for other in tests:
        if other is not deciding:
            result = other.run(pair, bins=bins, seed=stream)
            found[f"other test: {result.test.replace('_', ' ')}"] = other, result
    for one in tests:
        varied = one.variations(pair, bins=bins, seed=stream)
        found |= {name: (one, result) for name, result in varied.items()}
    feature = FEATURES.get(pair.hypothesis.feature)
    if feature is not None and feature.variant is not None and feature.variant in group:
        variant = replace(pair.hypothesis, feature=feature.variant)
        same = TestedPair.of(variant, label, group)
        result = deciding.run(same, bins=bins, seed=stream)
        found[feature.variant.replace("_", " ")] = deciding, result
    return found


def _adjusted(associations: pd.DataFrame, family: Family) -> pd.DataFrame:
    """Correct p over all hypotheses of the family, tested or not, for each kind of mask."""
    corrected = []
    for _, group in associations.groupby("masks", sort=False):
        p = adjust(group["p"].to_numpy(), family=len(family.hypotheses))
        corrected.append(
            group.assign(p_bonferroni=p.bonferroni, p_holm=p.holm, p_bh=p.bh, family=family.name)
        )
    return pd.concat(corrected)[_ADJUSTED].astype(_COUNTS)
