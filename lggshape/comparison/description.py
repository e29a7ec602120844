"""What a run is: its settings, its size, and what its training took."""

from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import names_cell, read_json
from lggshape.segmentation import Ensemble, TrainingConfiguration, read_configuration
from lggshape.segmentation.run.folder import CONFIGURATION, HISTORY, NETWORK
from lggshape.tables import read_table

HISTORY_COLUMNS = ("run", "network", "epoch", "loss", "inner_dice", "seconds")


def describe(name: str, run: Path, ensemble: Ensemble, history: pd.DataFrame) -> dict[str, Any]:
    """Describe a run by its finished networks.

    Parameters
    ----------
    name : str
        Name of the run.
    run : Path
        Its folder.
    ensemble : Ensemble
        What was read of it.
    history : DataFrame
        As `read_history` returns it.

    Returns
    -------
    dict
        The first columns of the table of runs; means over the networks.
    """
    network, training = read_configuration(run / CONFIGURATION)
    records = [
        read_json(
            member.weights.with_name(NETWORK),
            ("parameters", "training_patients", "backend", "precision"),
        )
        for member in ensemble.members
    ]
    for count in ("parameters", "training_patients"):
        if not all(type(one[count]) is int and abs(one[count]) < 2**63 for one in records):
            msg = f"Expected the {count} of each network of {run} as a whole number, found none."
            raise InputError(msg)
    epochs = history.groupby("network")["seconds"]
    # The median: a run that was stopped for a while takes no longer.
    seconds = epochs.median() * epochs.size()
    return {
        "run": name,
        "task": network.task,
        "architecture": network.architecture,
        "encoder_weights": _start(training),
        "frozen_epochs": training.frozen_epochs,
        "sequences": names_cell(network.sequences),
        "neighbours": network.neighbours,
        "batch_normalisation": network.batch_normalisation,
        "stem": network.stem,
        "epochs": training.epochs,
        "crop": training.crop,
        "folds": names_cell([str(fold) for fold in sorted({m.fold for m in ensemble.members})]),
        "networks": len(records),
        "training_patients": sum(one["training_patients"] for one in records) / len(records),
        "parameters": records[0]["parameters"],
        "training_minutes": round(seconds.mean() / 60, 1),
        "backend": names_cell(sorted({str(one["backend"]) for one in records})),
        "precision": names_cell(sorted({str(one["precision"]) for one in records})),
    }


def read_history(name: str, ensemble: Ensemble) -> pd.DataFrame:
    """Read how the networks of a run were trained: a row per network and epoch.

    The bundled networks have no history.
    """
    tables = []
    for member in ensemble.members:
        path = member.weights.with_name(HISTORY)
        if path.is_file():
            table = read_table(path, required=["epoch", "loss", "seconds"])
            try:
                table = table.apply(pd.to_numeric)
                if table.empty or len(table.select_dtypes("number").columns) < table.shape[1]:
                    raise ValueError("a column without any")
                table = table.assign(run=name, network=member.name)
            except ValueError as error:
                msg = f"Expected {path} to hold numbers, found: {error}."
                raise InputError(msg) from error
            tables.append(table.reindex(columns=list(HISTORY_COLUMNS)))
    if not tables:
        return pd.DataFrame(columns=list(HISTORY_COLUMNS))
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return whole


def read_inner_splits(name: str, ensemble: Ensemble) -> dict[tuple[str, str], frozenset[str]]:
    """Read the cases of the inner splits of a run, by its name and that of the network."""
    return {
        (name, member.name): frozenset(
            read_json(member.weights.with_name(NETWORK), ("inner_dice",))["inner_dice"]
        )
        for member in ensemble.members
    }


def _start(training: TrainingConfiguration) -> str:
    """Name what the encoder started from; of another run its name and the network's."""
    if training.start_from:
        return Path(training.start_from).name
    source = training.encoder_weights
    return "/".join(Path(source).parts[-3:-1]) or source
