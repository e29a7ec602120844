"""The state of a training after its last whole epoch, from which it can go on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.segmentation.run.folder import read_arrays, write_arrays
from lggshape.segmentation.training.learner import Learner, restore_state, state_of

CHECKPOINT = "checkpoint.npz"

_ROW, _BEST = "history_", "best"


class PastEpochs(NamedTuple):
    """What the epochs so far came to.

    Attributes
    ----------
    history : list of dict
        A row per epoch: `epoch`, `loss`, `seconds`, and `inner_dice` where it is measured.
    best : list of ndarray
        The weights of the best Dice on the inner split, if they are asked for.
    state : mapping of str to ndarray
        Everything that changes in training, as it was read.
    path : Path
        Where it was read, or will be written.
    """

    history: list[dict[str, Any]]
    best: list[NDArray[np.generic]]
    state: Mapping[str, NDArray[np.generic]]
    path: Path

    def is_better(self, inner_dice: float) -> bool:
        """Return whether a Dice on the inner split is above all before it."""
        return not any(earlier["inner_dice"] >= inner_dice for earlier in self.history)

    def restore(self, learner: Learner) -> None:
        """Bring a learner back to the state.

        Raises
        ------
        InputError
            If it is that of another network.
        """
        try:
            restore_state(learner, self.state)
        except (KeyError, ValueError) as error:
            msg = f"Expected {self.path} to be of this network, found another state."
            raise InputError(msg) from error


def read_checkpoint(folder: Path) -> PastEpochs:
    """Read the checkpoint in the folder of a network; without one there are no past epochs.

    Raises
    ------
    InputError
        If it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return PastEpochs([], [], {}, path)
    state = read_arrays(path)
    columns = [name.removeprefix(_ROW) for name in state if name.startswith(_ROW)]
    rows = zip(*(state[_ROW + name].tolist() for name in columns), strict=True)
    history = [dict(zip(columns, row, strict=True)) for row in rows]
    count = sum(name.startswith(_BEST) for name in state)
    best = [state[f"{_BEST}{number}"] for number in range(count)]
    return PastEpochs(history, best, state, path)


def write_checkpoint(learner: Learner, past: PastEpochs) -> None:
    """Write the state of a learner and the epochs so far, whole or not at all."""
    rows = {_ROW + name: np.array([row[name] for row in past.history]) for name in past.history[0]}
    best = {f"{_BEST}{number}": values for number, values in enumerate(past.best)}
    write_arrays(past.path, state_of(learner) | rows | best)
