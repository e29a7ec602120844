"""The steps beyond the primary analysis that need masks alone."""

from lggshape.progress import counter
from lggshape.studies.buda2019.analyses.agreement import (
    agreement_limits,
    agreement_table,
    area_differences,
)
from lggshape.studies.buda2019.analyses.confounding import (
    adjusted_table,
    binary_models,
    survival_models,
    wild_types,
    within_mutants,
)
from lggshape.studies.buda2019.analyses.increments import increments
from lggshape.studies.buda2019.analyses.missing_subtype import missing_subtype
from lggshape.studies.buda2019.analyses.prediction import predict
from lggshape.studies.buda2019.analyses.robustness import robustness_table
from lggshape.studies.buda2019.analyses.sensitivity import (
    Analysis,
    medians_of_draws,
    run_analyses,
    span_table,
    with_other_patients,
    with_other_tests,
)
from lggshape.studies.buda2019.analyses.sites import site_tables
from lggshape.studies.buda2019.analyses.two_tests import within_idh
from lggshape.studies.buda2019.analyses.variants import (
    changed_masks,
    other_conventions,
    other_thresholds,
)
from lggshape.studies.buda2019.names import ASD, AUTOMATIC, BEVR, COMPARED, MANUAL, MF, OFFSETS
from lggshape.studies.buda2019.replication import Replication, Tables


def agreement_step(replication: Replication) -> Tables:
    """Compare the features of automatic masks with those of manual ones."""
    features = replication.features
    return {
        "agreement": agreement_table(features, COMPARED, replication.dice, seed=replication.seed),
        "agreement_limits": agreement_limits(features, COMPARED, seed=replication.seed),
        "area_differences": area_differences(features, replication.labels, replication.family),
    }


def sensitivity_step(replication: Replication) -> Tables:
    """Test the hypotheses by every choice that could have been another one."""
    analyses: list[Analysis] = []
    kinds = {AUTOMATIC: replication.automatic, MANUAL: replication.sources}
    advance = counter(replication.on_progress, "changing masks and conventions", len(kinds))
    jobs, seed = replication.jobs, replication.seed
    for kind, sources in kinds.items():
        table = replication.features_of(kind)
        analyses += with_other_tests(table)
        analyses += with_other_patients(table, replication.dice, replication.sites)
        analyses += other_conventions(table, sources, jobs=jobs)
        analyses += changed_masks(kind, sources, seed=seed, jobs=jobs)
        if kind == AUTOMATIC and replication.networks is not None:
            analyses += other_thresholds(kind, sources, replication.probabilities, jobs=jobs)
        advance()
    found = medians_of_draws(
        run_analyses(
            analyses,
            replication.labels,
            replication.family,
            seed=seed,
            jobs=jobs,
            on_progress=replication.on_progress,
        )
    )
    return {
        "sensitivity": found.associations,
        "sensitivity_areas": found.areas,
        "sensitivity_spans": span_table(found.associations, replication.family),
    }


def confounding_step(replication: Replication) -> Tables:
    """Test whether IDH, size, age, grade or institution explain the associations."""
    features, labels = replication.features, replication.labels
    family, roles, sites = replication.family, replication.roles, replication.sites
    seed, jobs = replication.seed, replication.jobs
    return {
        "adjusted": adjusted_table(
            features,
            labels,
            family,
            roles,
            sites,
            seed=seed,
            jobs=jobs,
            on_progress=replication.on_progress,
        ),
        "within_mutants": within_mutants(features, labels, family, roles, seed=seed, jobs=jobs),
        "wild_types": wild_types(features, labels, roles),
        "binary_models": binary_models(features, labels, roles, sites),
        "survival": survival_models(features, labels, roles, sites),
    }


def sites_step(replication: Replication) -> Tables:
    """Test by ranks within institutions, within IDH subtypes, and who lacks the subtype label."""
    features, labels = replication.features, replication.labels
    family, roles, sites = replication.family, replication.roles, replication.sites
    seed, jobs = replication.seed, replication.jobs
    found = site_tables(
        features, labels, family, sites, seed=seed, jobs=jobs, on_progress=replication.on_progress
    )
    return {
        "sites": found.by_ranks,
        "site_differences": found.differences,
        "site_subsets": found.subsets,
        "within_idh": within_idh(features, labels, family, roles, seed=seed, jobs=jobs),
        "missing_subtype": missing_subtype(features, labels, roles, sites, seed=seed),
    }


def robustness_step(replication: Replication) -> Tables:
    """Measure manual masks again after they were changed."""
    found = robustness_table(
        replication.features_of(MANUAL),
        replication.sources,
        (ASD, OFFSETS, MF, BEVR),
        seed=replication.seed,
        jobs=replication.jobs,
    )
    return {"robustness": found}


def prediction_step(replication: Replication) -> Tables:
    """Predict each cluster by shape and by what else is known of a patient."""
    found = predict(
        replication.features,
        replication.labels,
        replication.roles,
        replication.sites,
        seed=replication.seed,
        jobs=replication.jobs,
        on_progress=replication.on_progress,
    )
    return {"prediction": found.scores, "decision_curves": found.decision}


def increments_step(replication: Replication) -> Tables:
    """Compare predictions with and without shape."""
    found = increments(
        replication.features,
        replication.labels,
        replication.roles,
        replication.sites,
        seed=replication.seed,
        jobs=replication.jobs,
        on_progress=replication.on_progress,
    )
    return {"increments": found}
