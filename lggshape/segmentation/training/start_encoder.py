"""The weights that an encoder starts from, and the patients behind them."""

from collections.abc import Collection, Sequence
from pathlib import Path

from lggshape.errors import InputError
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.efficientnet import PREFIX, load_imagenet
from lggshape.segmentation.run import folder as runs
from lggshape.segmentation.run.configuration import TrainingConfiguration
from lggshape.segmentation.run.fingerprints import KnownCase, patients_among


def start_encoder(model: "keras.Model", architecture: str, training: TrainingConfiguration) -> None:
    """Load the weights that the encoder of a network starts from, if any.

    Raises
    ------
    InputError
        If they are not there, or not those of such an encoder.
    """
    source = training.encoder_weights
    if source == "none":
        return
    if source == "imagenet":
        load_imagenet(model, architecture)
        return
    weights = runs.read_weights(Path(source))
    for variable in model.variables:
        if variable.path.startswith(PREFIX):
            given = weights.get(variable.path)
            if given is None or given.shape != tuple(variable.shape):
                found = "none" if given is None else f"one of shape {given.shape}"
                msg = (
                    f"Expected weights {variable.path} of shape {tuple(variable.shape)}, "
                    f"found {found}: {source}."
                )
                raise InputError(msg)
            variable.assign(given)


def cases_behind_encoder(training: TrainingConfiguration) -> list[KnownCase]:
    """Return the cases that the weights which the encoder starts from were trained on."""
    source = training.encoder_weights
    if source in ("none", "imagenet"):
        return []
    return runs.cases_behind(Path(source))


def refuse_seen(
    own: Sequence[KnownCase],
    behind: Sequence[KnownCase],
    apart: Collection[str],
    fold: int,
    weights: str,
) -> None:
    """Raise for an encoder that has seen a patient whom a fold holds out or sets aside."""
    seen = patients_among([case for case in own if case.patient in apart], behind)
    if seen:
        msg = (
            f"Expected an encoder that was not trained on a patient whom fold {fold} holds out or "
            f"sets aside, found {', '.join(sorted(seen))}: {weights}."
        )
        raise InputError(msg)
