"""The steps of the replication: each reads what earlier ones wrote, and returns tables."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from lggshape.errors import InputError
from lggshape.studies.buda2019.comparison_step import comparison_step
from lggshape.studies.buda2019.mask_steps import (
    agreement_step,
    confounding_step,
    increments_step,
    prediction_step,
    robustness_step,
    sensitivity_step,
    sites_step,
)
from lggshape.studies.buda2019.network_steps import (
    failed_attempt_step,
    noise_step,
    uncertainty_step,
)
from lggshape.studies.buda2019.primary_steps import (
    associate_step,
    evaluate_step,
    features_step,
    segment_step,
    verify_step,
)
from lggshape.studies.buda2019.replication import Replication, Tables


class ReplicationStep(NamedTuple):
    """A step of the replication.

    Attributes
    ----------
    name : str
        Its name.
    run : callable
        Does it and returns its tables by name.
    needs : tuple of str
        The steps before it.
    by_networks : bool
        Whether it needs networks, and cannot be done with masks alone.
    """

    name: str
    run: Callable[[Replication], Tables]
    needs: tuple[str, ...] = ()
    by_networks: bool = False


STEPS: Sequence[ReplicationStep] = (
    ReplicationStep("verify", verify_step),
    ReplicationStep("segment", segment_step),
    ReplicationStep("evaluate", evaluate_step, ("segment",)),
    ReplicationStep("features", features_step, ("segment",)),
    ReplicationStep("associate", associate_step, ("features",)),
    ReplicationStep("agreement", agreement_step, ("evaluate", "features")),
    ReplicationStep("sensitivity", sensitivity_step, ("evaluate", "features")),
    ReplicationStep("confounding", confounding_step, ("features",)),
    ReplicationStep("sites", sites_step, ("features",)),
    ReplicationStep("robustness", robustness_step, ("features",)),
    ReplicationStep("prediction", prediction_step, ("features",)),
    ReplicationStep("increments", increments_step, ("features",)),
    ReplicationStep("noise", noise_step, ("features",), by_networks=True),
    ReplicationStep("uncertainty", uncertainty_step, ("features",), by_networks=True),
    ReplicationStep("comparison", comparison_step, ("evaluate", "associate")),
    ReplicationStep("failed-attempt", failed_attempt_step, ("features",), by_networks=True),
)
"""All steps, in the order in which they are done."""

PRIMARY = "primary"
"""In place of the name of a step: the primary analysis."""

PRIMARY_STEPS = ("verify", "segment", "evaluate", "features", "associate")
"""The primary analysis, which is always done."""


def chosen_steps(names: Sequence[str], *, networks: bool) -> list[ReplicationStep]:
    """Return the steps to do: those named, with the primary analysis and what they need.

    Parameters
    ----------
    names : sequence of str
        Names of steps, or `PRIMARY`; empty for all that can be done.
    networks : bool
        Whether there are networks.

    Returns
    -------
    list of ReplicationStep
        In the order in which they are done.

    Raises
    ------
    InputError
        If there is no such step, or it needs networks and there are none.

    Examples
    --------
    >>> [step.name for step in chosen_steps(["primary"], networks=False)]
    ['verify', 'segment', 'evaluate', 'features', 'associate']
    """
    known = {step.name: step for step in STEPS}
    named = [name for name in names if name != PRIMARY]
    for name in named:
        if name not in known:
            msg = f"Expected a step among {PRIMARY}, {', '.join(known)}, found {name!r}."
            raise InputError(msg)
        if known[name].by_networks and not networks:
            msg = f"Expected networks for the step {name}, found masks alone."
            raise InputError(msg)
    wanted = {*PRIMARY_STEPS, *(named if names else known)}
    wanted |= {need for name in wanted for need in known[name].needs}
    return [step for step in STEPS if step.name in wanted and (networks or not step.by_networks)]


def failed_cases(features: pd.DataFrame) -> dict[str, str]:
    """Return the cases of a feature table that could not be measured, with the reason."""
    failed = features[features["spacing_known"].isna()]
    names = (
        f"{case} ({masks})" for case, masks in zip(failed["case"], failed["masks"], strict=True)
    )
    return dict(zip(names, failed["reason"].astype(str), strict=True))
