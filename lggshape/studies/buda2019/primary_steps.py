"""The steps of the primary analysis."""

from functools import partial

import pandas as pd

from lggshape.association import associate
from lggshape.evaluation import evaluate
from lggshape.readers import open_cases
from lggshape.shape import feature_table
from lggshape.studies.buda2019.analyses.outlines import outline_table
from lggshape.studies.buda2019.analyses.paper import claims_table, cohort_table, table_3
from lggshape.studies.buda2019.analyses.probabilities import keep_probability
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.replication import Replication, Tables
from lggshape.verification import verify


def verify_step(replication: Replication) -> Tables:
    """Verify the data set and its label tables."""
    found = verify(
        replication.dataset,
        labels=replication.labels,
        jobs=replication.jobs,
        on_progress=replication.on_progress,
    )
    return {"verification": found.cases, "label_counts": found.labels}


def segment_step(replication: Replication) -> Tables:
    """Segment every case, and keep its probability; nothing if there are masks."""
    if replication.networks is None:
        return {}
    from lggshape.segmentation import segment_cases

    sources = open_cases(replication.dataset)
    found = segment_cases(
        sources,
        replication.mask_folder,
        networks=replication.networks,
        effort="thorough",  # masks are drawn from the probabilities of all slices
        samples=True,
        resume=True,
        on_progress=replication.on_progress,
        on_result=partial(keep_probability, replication.probabilities),
    )
    return {"segmentation": found.table}


def evaluate_step(replication: Replication) -> Tables:
    """Compare automatic masks with manual ones."""
    roles, labels = replication.roles, replication.labels
    found = evaluate(
        replication.mask_folder,
        replication.dataset,
        labels=labels,
        by=(roles.gender, roles.age),
        jobs=replication.jobs,
        on_progress=replication.on_progress,
    )
    by_case = found.scores.set_index("case")["dice"]
    return {
        "scores": found.scores,
        "outlines": outline_table(replication.automatic, replication.sources, by_case),
        "evaluation": found.summaries,
        "evaluation_groups": found.groups,
        "detection": found.detection,
    }


def features_step(replication: Replication) -> Tables:
    """Measure automatic and manual masks."""
    automatic = open_cases(replication.mask_folder, masks_only=True)  # a failed one has a row, too
    parts = [
        feature_table(
            sources,
            masks=kind,
            jobs=replication.jobs,
            on_progress=replication.tell(f"measuring {kind} masks"),
        ).table
        for kind, sources in ((AUTOMATIC, automatic), (MANUAL, replication.sources))
    ]
    return {"features": pd.concat(parts, ignore_index=True)}


def associate_step(replication: Replication) -> Tables:
    """Test the hypotheses, and compare with what the paper reports."""
    features, labels = replication.features, replication.labels
    family, roles = replication.family, replication.roles
    found = associate(
        features, labels, family, seed=replication.seed, on_progress=replication.on_progress
    )
    return {
        "associations": found.associations,
        "discrimination": found.discrimination,
        "contingency": found.contingency,
        "patients": found.patients,
        "flow": found.flow,
        "left_out": found.left_out,
        "claims": claims_table(
            found.associations, found.contingency, found.discrimination, family, roles
        ),
        "table_3": table_3(features, found.discrimination, labels, family, roles),
        "cohort": cohort_table(features, labels, replication.sites, family, roles),
    }
