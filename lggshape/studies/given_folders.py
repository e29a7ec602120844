"""What studies of outlines are made from: folders of masks, and label tables."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import StrPath
from lggshape.labels import Labels


def checked_folders(folders: Sequence[Path], masks: StrPath | None) -> list[Path]:
    """Return the folders of a study, that of the automatic masks last.

    Parameters
    ----------
    folders : sequence of Path
        The others.
    masks : str or Path, optional
        The automatic masks, which are needed.

    Raises
    ------
    InputError
        If there are no automatic masks, or a folder does not exist.
    """
    if masks is None:
        msg = "Expected automatic masks (masks=, or --masks), found no automatic masks."
        raise InputError(msg)
    places = [*folders, Path(masks)]
    for place in places:
        if not place.is_dir():
            msg = f"Expected a folder, found none: {place}."
            raise InputError(msg)
    return places


def recorded_inputs(
    folders: Sequence[Path], labels: Labels, protocol: StrPath | None
) -> list[Path]:
    """Return what a record lists as inputs: folders, files of labels, and the protocol."""
    files = [Path(t.source) for t in labels.tables if not isinstance(t.source, pd.DataFrame)]
    last = [] if protocol is None else [Path(protocol)]
    return [*(folder.resolve() for folder in folders), *files, *last]
