"""The folder of a training run: what is in it, and how it is read back.

====================== ==========================================================================
`configuration.json`    the settings of network and training
`folds.json`            the fold of each patient
`cases.json`            the cases with their patients, sites and the fingerprints of their slices
`fold0-member0/`        a network: `network.json` (inner split, calibration, threshold, epoch),
                        `weights.npz`, `history.csv`, `training.svg` and `.png`
====================== ==========================================================================

`network.json` is written last: a member without it is not finished.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.files import StrPath, file_hash, read_json, write_json, written_whole
from lggshape.results.records import UNFINISHED, recorded_outputs
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run.calibration import Calibration
from lggshape.segmentation.run.configuration import read_configuration
from lggshape.segmentation.run.fingerprints import KnownCase, KnownCases

_LOGGER = logging.getLogger("lggshape")

SHIPPED = Path(__file__).parents[1] / "weights"
"""The bundled networks: a run like any other, with a model card."""

CONFIGURATION, FOLDS, CASES = "configuration.json", "folds.json", "cases.json"
NETWORK, WEIGHTS, HISTORY = "network.json", "weights.npz", "history.csv"

_LARGE = 4096
"""Numbers from which on a kernel is stored in 8 bits: smaller ones would save nothing."""

_STEPS = 127  # from 0 to the largest value of a channel
_STEP = ":step"
"""What follows the name of a kernel in 8 bits, for its steps."""


@dataclass(frozen=True)
class Member:
    """A trained network of a run.

    Attributes
    ----------
    fold, member : int
        The fold whose patients it has not seen, and its number within the fold.
    weights : Path
        The file of its weights.
    calibration : Calibration
        What turns its probabilities into calibrated ones.
    threshold : float
        The lowest calibrated probability that is inside the mask.
    """

    fold: int
    member: int
    weights: Path
    calibration: Calibration
    threshold: float

    @property
    def name(self) -> str:
        """Return the name of the network in tables."""
        return member_folder(self.fold, self.member)


@dataclass(frozen=True)
class Ensemble:
    """The networks of a run, and who must not be segmented by which.

    Attributes
    ----------
    configuration : NetworkConfiguration
        What the networks look like.
    members : tuple of Member
        The finished networks.
    folds : mapping of str to int
        The fold of each patient.
    known : KnownCases
        Recognises the patients that the networks were trained on.
    precision : str
        The precision that was asked for when they were trained, of which the calibration is.
    """

    configuration: NetworkConfiguration
    members: tuple[Member, ...]
    folds: Mapping[str, int]
    known: KnownCases
    precision: str = "auto"

    @property
    def folder(self) -> Path:
        """Return the folder of the run."""
        return self.members[0].weights.parent.parent

    def unseen_by(self, patients: Iterable[str]) -> tuple[Member, ...]:
        """Return the networks that were trained on none of some known patients."""
        # A patient without a fold is one that the encoder was trained on before: all networks have
        # seen them.
        folds = {self.folds.get(patient) for patient in patients}
        # A network has seen the patients of every fold but its own.
        return tuple(member for member in self.members if folds <= {member.fold})


def member_folder(fold: int, member: int) -> str:
    """Return the name of the folder of a network."""
    return f"fold{fold}-member{member}"


def read_ensemble(folder: StrPath) -> Ensemble:
    """Read the finished networks of a training run; the weights themselves are read when used.

    Raises
    ------
    InputError
        If the folder is not that of a run, or has no finished network.

    Examples
    --------
    >>> len(read_ensemble(SHIPPED).members)
    10
    """
    folder = Path(folder)
    if not (folder / CONFIGURATION).is_file():
        msg = f"Expected the folder of a training run, found no {CONFIGURATION}: {folder}."
        raise InputError(msg)
    configuration, training = read_configuration(folder / CONFIGURATION)
    folds = read_folds(folder / FOLDS)
    members = []
    for path in sorted(folder.glob(f"fold*-member*/{NETWORK}")):
        values = read_json(path, ("fold", "member", "calibration", "threshold"))
        try:
            calibration = Calibration(**values["calibration"])
            member = Member(
                fold=int(values["fold"]),
                member=int(values["member"]),
                weights=path.with_name(WEIGHTS),
                calibration=Calibration(float(calibration.slope), float(calibration.intercept)),
                threshold=float(values["threshold"]),
            )
            if not (0 <= member.threshold <= 1 and all(map(isfinite, member.calibration))):
                raise ValueError("a threshold or a calibration that is no number of its range")
        except (TypeError, ValueError) as error:
            msg = f"Expected {path} to describe a network, found: {error}."
            raise InputError(msg) from error
        if not member.weights.is_file():
            msg = f"Expected the weights of a network, found no file: {member.weights}."
            raise InputError(msg)
        members.append(member)
    if not members:
        msg = f"Expected {folder} to hold trained networks, found none that is finished."
        raise InputError(msg)
    members.sort(key=lambda member: (member.fold, member.member))
    known = KnownCases(read_cases(folder / CASES))
    return Ensemble(configuration, tuple(members), folds, known, training.precision)


def warn_if_changed(ensemble: Ensemble) -> None:
    """Log a warning if files of a run are not as `train` recorded them.

    If the folds were changed, for example, a patient could be segmented by networks that were
    trained on that patient, and nothing in the results would show it.
    """
    folder = ensemble.folder
    try:
        recorded = recorded_outputs(folder)
    except InputError:  # the bundled networks have no record
        return
    own = [
        one
        for member in ensemble.members
        for one in (member.weights.parent / NETWORK, member.weights)
    ]
    names = [path.relative_to(folder).as_posix() for path in own]
    changed = [
        name
        for name in (CONFIGURATION, FOLDS, CASES, *names)
        if UNFINISHED not in (hashes := recorded.get(name, {UNFINISHED}))
        and file_hash(folder / name) not in hashes
    ]
    if changed:
        _LOGGER.warning(
            "The networks of %s are not as they were trained: changed since are %s. Masks may be "
            "wrong, or made by networks that were trained on the patient. Unless this is meant, "
            "take the folder from a copy, or train again.",
            folder,
            ", ".join(changed),
        )


def cases_behind(weights: Path) -> list[KnownCase]:
    """Return the cases that the weights of a network were trained on.

    Parameters
    ----------
    weights : Path
        A file of weights. Where it does not lie in the folder of a run nothing is known of it.

    Raises
    ------
    InputError
        If the run that it lies in cannot be read.
    """
    run = weights.absolute().parent.parent
    if not (run / CASES).exists():
        return []
    network = read_json(weights.with_name(NETWORK), ("fold", "inner_dice"))
    if not isinstance(network["inner_dice"], dict):
        msg = f"Expected the inner split in {weights.with_name(NETWORK)}, found no names."
        raise InputError(msg)
    folds = read_folds(run / FOLDS)
    return [
        case
        for case in read_cases(run / CASES)
        if folds.get(case.patient) != network["fold"] and case.case not in network["inner_dice"]
    ]


def write_folds(path: Path, folds: Mapping[str, int]) -> None:
    """Write the fold of each patient."""
    write_json(path, {"folds": max(folds.values()) + 1, "patients": dict(folds)})


def read_folds(path: StrPath) -> dict[str, int]:
    """Read the fold of each patient.

    Raises
    ------
    InputError
        If the file is missing or holds anything else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "folds.json")
    ...     _ = path.write_text('{"folds": 2, "patients": {"p1": 0, "p2": 1}}')
    ...     read_folds(path)
    {'p1': 0, 'p2': 1}
    """
    values = read_json(path, ("folds", "patients"))
    count, patients = values["folds"], values["patients"]
    if type(count) is not int or not isinstance(patients, dict):
        found = f"{type(count).__name__} and {type(patients).__name__}"
        msg = f"Expected the number of folds, and patients with theirs, found {found}: {path}."
        raise InputError(msg)
    if not patients:
        msg = f"Expected the fold of at least one patient, found none: {path}."
        raise InputError(msg)
    for patient, fold in patients.items():
        if type(fold) is not int or not 0 <= fold < count:
            msg = f"Expected a fold from 0 to {count - 1} for {patient}, found {fold!r}: {path}."
            raise InputError(msg)
    return {str(patient): fold for patient, fold in patients.items()}


def write_cases(path: Path, cases: Sequence[KnownCase]) -> None:
    """Write what the cases of a run are known again by."""
    write_json(path, {"cases": [case._asdict() for case in cases]})


def read_cases(path: Path) -> list[KnownCase]:
    """Read what the cases of a run are known again by.

    Raises
    ------
    InputError
        If the file is missing or holds anything else.
    """
    try:
        cases = [KnownCase(**values) for values in read_json(path, ("cases",))["cases"]]
        for case in cases:
            if not all(isinstance(one, str) for one in (*case[:2], *case.fingerprints)):
                raise TypeError("a name or a fingerprint that is no text")
        return [case._replace(fingerprints=tuple(case.fingerprints)) for case in cases]
    except TypeError as error:
        msg = f"Expected {path} to list the cases of a run, found: {error}."
        raise InputError(msg) from error


def write_weights(path: Path, weights: Mapping[str, NDArray[np.generic]]) -> None:
    """Write the weights of a network by the paths of its variables, large kernels in 8 bits.

    A kernel of many numbers is rounded to 255 steps for each output channel, from minus to plus its
    largest value, as is usual for weights after training [1]_. Other kernels are of half precision.
    Single numbers per channel stay in single precision: they are few, and the variances of batch
    normalisation do not fit into the range of half precision.

    References
    ----------
    .. [1] Krishnamoorthi R. Quantizing deep convolutional networks for efficient inference.
       arXiv 1806.08342 (2018), section 3.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, values in weights.items():
        if values.ndim > 1 and values.size >= _LARGE and values.shape[-1] > 1:
            kernel = values.astype(np.float32)
            largest = np.abs(kernel).reshape(-1, kernel.shape[-1]).max(axis=0)
            steps = np.where(largest > 0, largest, 1) / _STEPS
            arrays[name] = np.rint(kernel / steps).astype(np.int8)
            arrays[name + _STEP] = steps.astype(np.float32)
        else:
            arrays[name] = values.astype(np.float16 if values.ndim > 1 else np.float32)
    write_arrays(path, arrays, compressed=True)


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the weights of a network by the paths of its variables.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    arrays = read_arrays(path)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            weights = {
                name: values.astype(np.float32) * arrays.get(name + _STEP, np.float32(1))
                for name, values in arrays.items()
                if not name.endswith(_STEP)
            }
        if not all(np.isfinite(values).all() for values in weights.values()):
            raise ValueError("a weight that is not finite")
    except (AttributeError, TypeError, ValueError) as error:  # a part may be no array
        msg = f"Expected {path} to hold the weights of a network, found: {error}."
        raise InputError(msg) from error
    return weights


def load_weights(network: Any, path: Path) -> None:
    """Read the weights of a Keras network from a file, by the paths of its variables.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not that of a network with just these variables.
    """
    weights, variables = read_weights(path), {one.path: one for one in network.variables}
    msg = f"Expected {path} to hold the weights of this network, found others."
    if weights.keys() != variables.keys():
        raise InputError(msg)
    try:
        for name, variable in variables.items():
            variable.assign(weights[name])
    except ValueError as error:  # of another shape
        raise InputError(msg) from error


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[np.generic]], *, compressed: bool = False
) -> None:
    """Write arrays by name, whole or not at all."""
    save = np.savez_compressed if compressed else np.savez
    with written_whole(path) as temporary, temporary.open("wb") as file:
        # For NumPy's types an array might be called like an option, `allow_pickle`; none is.
        save(file, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read arrays by name; nothing in the file is executed.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    try:
        if path.is_file() and not is_zipfile(path):  # NumPy would speak of pickles
            raise ValueError("a file that is no NumPy archive (.npz)")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    # Damaged archives make zipfile, zlib and NumPy raise nearly anything.
    except Exception as error:
        msg = f"Expected {path} to hold the weights of a network, found: {error}."
        raise InputError(msg) from error
