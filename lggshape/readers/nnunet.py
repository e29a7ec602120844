"""nnU-Net and the Medical Segmentation Decathlon: images and labels in folders of their own.

A data set holds `imagesTr/`, `labelsTr/` and perhaps `imagesTs/`, `labelsTs/`. The image of a case
is a file per channel, `<case>_0000.nii.gz`, or one file with all channels, `<case>.nii.gz`. The
mask is `<case>.nii.gz`. What a channel shows, `dataset.json` tells: `channel_names` or, in its
first version, `modality`. Without it the images have no role; they are left out and listed. It also
names the values of the masks: `labels`.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lggshape.errors import InputError
from lggshape.files import read_json
from lggshape.readers.folder import Folder
from lggshape.readers.formats import split_ending
from lggshape.readers.layout import Layout
from lggshape.readers.naming import IMAGE, MASK, UNNAMED, named_after, role_in_pattern
from lggshape.readers.source import CaseSource
from lggshape.readers.value_names import names_of_labels
from lggshape.readers.volume_case import VolumeCase, volume_case

_DESCRIPTION = "dataset.json"
_IMAGES, _LABELS = re.compile("images(Tr|Ts|Va)"), re.compile("labels(Tr|Ts|Va)")
_CHANNEL = re.compile(r"(?P<case>.+)_(?P<channel>[0-9]{4})")
_MOST_BYTES = 2**24  # of dataset.json, which lists the files of a data set


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the cases of a data set, or of its folder `imagesTr` alone.

    Parameters
    ----------
    folder : Folder
        The folder.
    masks_only : bool
        Whether every case has to have a mask. Images for testing are then left out if they have
        none.

    Returns
    -------
    iterable of CaseSource
        In natural order of names.
    """
    is_part = _IMAGES.fullmatch(folder.name) is not None
    parts = {folder.name: folder} if is_part else folder.folders
    images = [inner for name, inner in parts.items() if _IMAGES.fullmatch(name)]
    labels = [inner for name, inner in parts.items() if _LABELS.fullmatch(name)]
    top = Folder(folder.path.parent) if is_part else folder
    if not (labels or (images and (not is_part or top.holds(_DESCRIPTION)))):
        return []
    described = _description(top)
    channels, named = _channels(described), names_of_labels(described.get("labels"))
    found: dict[str, list[tuple[str, Path]]] = {}
    for inner in images:
        for stem, path in _volumes(inner):
            split = _CHANNEL.fullmatch(stem)
            case = split["case"] if split else stem
            role = channels.get(int(split["channel"]), UNNAMED) if split else IMAGE
            found.setdefault(case, []).append((role, path))
    for inner in labels:
        for stem, path in _volumes(inner):
            found.setdefault(stem, []).append((MASK, path))
    # A label has the name of its case, without a word: `P7_seg` beside the images of P7 is no case.
    pictured = {name for name, files in found.items() if any(role != MASK for role, _ in files)}
    for name in found.keys() - pictured:
        if named_after(name, pictured):
            found[name] = [(UNNAMED, path) for _, path in found[name]]
    cases = [
        replace(_case(name, files, channels, masks_only=masks_only), labels=tuple(named.items()))
        for name, files in found.items()
    ]
    return [case for case in cases if case.has_mask or not (masks_only and _is_test(case))]


LAYOUT = Layout(
    "nnU-Net",
    "imagesTr/<case>_0000.nii.gz, labelsTr/<case>.nii.gz, dataset.json",
    find,
    whole=True,
)


def _case(
    name: str, files: list[tuple[str, Path]], channels: dict[int, str], *, masks_only: bool
) -> VolumeCase:
    volumes = tuple(channels[number] for number in sorted(channels))
    if UNNAMED in volumes or not volumes:
        files = [(UNNAMED if role == IMAGE else role, path) for role, path in files]
    case = volume_case(name, files[0][1], files, masks_only=masks_only)
    return replace(case, volumes=volumes) if any(role == IMAGE for role, _ in files) else case


def _is_test(case: VolumeCase) -> bool:
    return all(path.parent.name == "imagesTs" for _, path in case.files)


def _volumes(folder: Folder) -> list[tuple[str, Path]]:
    split = {name: split_ending(name) for name in folder.files}
    return [(stem, folder.path / name) for name, (stem, found) in split.items() if found]


def _description(folder: Folder) -> dict[str, Any]:
    """Read what the data set says of itself; nothing if it has no such file."""
    if not folder.holds(_DESCRIPTION):
        return {}
    path = folder.path / _DESCRIPTION
    try:
        is_plain = path.is_file() and path.stat().st_size <= _MOST_BYTES
        described: Any = read_json(path) if is_plain else None
    except OSError as error:
        msg = f"Expected {path} to be a JSON file, found: {error.strerror or error}."
        raise InputError(msg) from error
    return described if isinstance(described, dict) else {}


def _channels(described: dict[str, Any]) -> dict[int, str]:
    """Return the role of each channel, as far as the description of the data set tells it."""
    names = described.get("channel_names", described.get("modality"))
    if not isinstance(names, dict):
        return {}
    return {
        int(number): role_in_pattern(re.sub(r"\W+", "_", str(name)).strip("_")).role
        for number, name in names.items()
        if re.fullmatch("[0-9]{1,4}", str(number))
    }
