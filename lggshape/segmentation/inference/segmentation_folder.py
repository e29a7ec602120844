"""Start or resume a folder of masks without touching other files."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lggshape.errors import InputError
from lggshape.files import file_hash, read_json, write_json
from lggshape.names import first_few
from lggshape.readers import CaseSource, case_files
from lggshape.readers.segmented import JOURNAL, SEGMENTATION, SETTINGS, SLICES
from lggshape.results import fresh_folder, recorded_in_place, recorded_outputs
from lggshape.results.records import UNFINISHED
from lggshape.segmentation.inference.corrected_masks import find_corrected, mask_files
from lggshape.segmentation.inference.segmentation_journal import (
    SegmentationJournal,
    SegmentedCase,
)
from lggshape.segmentation.run.folder import (
    CASES,
    CONFIGURATION,
    FOLDS,
    NETWORK,
    Ensemble,
)


class Begun(NamedTuple):
    """What an earlier run did; nothing, where there was none.

    Attributes
    ----------
    journal : SegmentationJournal
        What came of each case.
    corrected : dict of str to SegmentedCase
        What is now true of the cases whose mask was corrected since.
    """

    journal: SegmentationJournal
    corrected: dict[str, SegmentedCase]


def begin_folder(
    out: Path, sources: Sequence[CaseSource], settings: Mapping[str, Any], *, overwrite: bool
) -> Begun:
    """Make the folder of a new run."""
    if (out / JOURNAL).exists():
        SegmentationJournal.read(out).adopt_interrupted()
    if out.is_dir():
        _refuse(out, _foreign(out, sources, ()))
    fresh_folder(out, overwrite=overwrite)
    with recorded_in_place(out, SETTINGS):
        write_json(out / SETTINGS, settings)
    return Begun(SegmentationJournal(out), {})


def open_folder(out: Path, sources: Sequence[CaseSource], settings: Mapping[str, Any]) -> Begun:
    """Return what an earlier run did; its tables are removed until they are true again."""
    _check_settings(out / SETTINGS, settings)
    journal = SegmentationJournal.read(out)
    others = sorted(journal.results.keys() - {source.id for source in sources})
    if others:
        msg = (
            "Expected every case of the earlier run to be among those to segment, found no "
            f"{', '.join(others)}: {out}. Give all of them, or write to another folder."
        )
        raise InputError(msg)
    journal.adopt_interrupted()
    known = [name for result in journal.results.values() for name in result.files]
    foreign = _foreign(out, sources, known)
    corrected = find_corrected(out, sources, journal.results, foreign)
    kept = {name for result in corrected.values() for name in mask_files(result)}
    _refuse(out, [name for name in foreign if name not in kept])
    for name in (SEGMENTATION, SLICES):
        (out / name).unlink(missing_ok=True)
    for result in corrected.values():
        journal.add(result)
    return Begun(journal, corrected)


def _check_settings(path: Path, settings: Mapping[str, Any]) -> None:
    earlier = read_json(path, ())
    if earlier.get("noise") == 0:  # written by versions that had it as an option
        earlier = {name: value for name, value in earlier.items() if name not in {"noise", "seed"}}
    if "flips" in earlier:  # of versions in which all networks saw all slices
        flips = earlier.pop("flips")
        earlier["effort"] = "thorough" if flips else "thorough, without flips"
    names = sorted({*earlier, *settings})
    changed = [name for name in names if earlier.get(name) != settings.get(name)]
    if changed:
        msg = (
            f"Expected the settings of the earlier run, found other {', '.join(changed)}: {path}. "
            "Give the same options, or write to another folder."
        )
        raise InputError(msg)


def _foreign(out: Path, sources: Sequence[CaseSource], known: Iterable[str]) -> list[str]:
    """Return what lies in the place of masks and tables and is not as an earlier run wrote it.

    It may have been drawn or corrected by hand. Of files without a recorded hash, as older versions
    wrote them, those that are `known` are taken to be whole.
    """
    try:
        recorded = recorded_outputs(out)
    except InputError:  # of an older version
        recorded = {}
    unhashed = set(known) - recorded.keys()
    foreign = [
        name
        for source in sources
        for name in case_files(out, source.id)
        if name not in unhashed and not _is_recorded(out / name, recorded.get(name, frozenset()))
    ]
    names = [*(name for name in (SEGMENTATION, SLICES) if (out / name).exists() and recorded)]
    return foreign + [
        name for name in names if not _is_recorded(out / name, recorded.get(name, ()))
    ]


def _refuse(out: Path, foreign: Sequence[str]) -> None:
    """Raise for files that are not as an earlier run wrote them; nothing removes them."""
    if foreign:
        msg = (
            "Expected masks and tables as an earlier run wrote them, found others or changed ones: "
            f"{first_few(foreign, 3)} in {out}. Move them away, or write to another folder; masks "
            "that were corrected are kept by resume (--resume) if they have 0 and one other value, "
            "on the grid of the image."
        )
        raise InputError(msg)


def _is_recorded(path: Path, hashes: Iterable[str]) -> bool:
    hashes = set(hashes)
    return UNFINISHED in hashes or (bool(hashes) and file_hash(path) in hashes)


def remove_files(out: Path, names: Iterable[str]) -> None:
    """Remove files of a case, and the folder that held nothing else."""
    paths = [out / name for name in names]
    try:
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in paths} - {out}:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    except OSError as error:
        msg = f"Expected {out} to be a writable folder, found: {error}."
        raise InputError(msg) from error


def networks_identity(networks: Path, ensemble: Ensemble) -> str:
    """Return a hash of the networks, which does not depend on when they were trained."""
    members = [member.weights for member in ensemble.members]
    files = [
        *(networks / name for name in (CONFIGURATION, FOLDS, CASES)),
        *(weights.with_name(NETWORK) for weights in members),
        *members,
    ]
    total = hashlib.sha256()
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            msg = f"Expected {path} to be a file that can be read, found: {error.strerror}."
            raise InputError(msg) from error
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()
