"""The names that masks give to their values: regions that nobody has to write down.

`dataset.json` of nnU-Net names the labels of a data set. Segmentations of 3D Slicer, segmentations
in DICOM and RT structure sets name their own segments. With `regions="names"` each name is a
region. All cases have the same regions; one that a case does not name is absent from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lggshape.errors import CaseError, InputError
from lggshape.names import what_is_unsafe
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.regions import FROM_FILES, MOST_VALUE, Regions, Values

_BACKGROUND, _IGNORE = frozenset({0}), "ignore"
_WHERE_NAMES_ARE = (
    "Names are read from dataset.json of nnU-Net, from segmentations of 3D Slicer (.seg.nrrd) and "
    "of DICOM, and from RT structure sets."
)
_SAY_FILE = "Write what the values mean to a file (--regions FILE.toml, regions= in Python)."


def with_own_regions(cases: Sequence[CaseSource]) -> list[CaseSource]:
    """Return cases with the regions that their files name, where these were asked for.

    Parameters
    ----------
    cases : sequence of CaseSource
        The cases, with their options.

    Returns
    -------
    list of CaseSource
        The same cases if they were not asked for. Else each has the regions that any of them
        names, in the order in which they come. A case with a mask that names nothing cannot be
        read.

    Raises
    ------
    InputError
        If no mask names its values, or a name cannot be that of a region.
    """
    if not any(case.options.regions == FROM_FILES for case in cases):
        return list(cases)
    named = {case.id: _named_values(case) for case in cases}
    values = [one for one in named.values() if not isinstance(one, str)]
    names = list(dict.fromkeys(name for one in values for name in one))
    if not names:
        reason = next((one for one in named.values() if isinstance(one, str)), "")
        msg = f"Expected masks that name their values, found none. {reason or _WHERE_NAMES_ARE}"
        raise InputError(f"{msg} {_SAY_FILE}")
    if unsafe := next(filter(None, map(what_is_unsafe, names)), ""):
        # Names of DICOM files are not quoted.
        msg = f"Expected the files to give regions plain names, found {unsafe} in one. {_SAY_FILE}"
        raise InputError(msg)
    return [_with(case, names, named[case.id]) for case in cases]


def whole_region_of(sources: Iterable[CaseSource]) -> str:
    """Return the region that holds all others in each mask that can be read; "" if none does."""
    found = {
        source.whole_region
        for source in sources
        if source.has_mask and not isinstance(source, UnreadableCase)
    }
    return found.pop() if len(found) == 1 else ""


def _named_values(case: CaseSource) -> Mapping[str, Values] | str:
    """Return the values of each name in the mask of a case, or why there are none."""
    try:
        found = case.value_names()
    except CaseError as error:
        return str(error)
    if found or not case.has_mask:
        return found
    return (
        f"Expected the mask of case {case.id} to name its values, found no names: {case.path}. "
        f"{_WHERE_NAMES_ARE}"
    )


def _with(case: CaseSource, names: Sequence[str], own: Mapping[str, Values] | str) -> CaseSource:
    values = {} if isinstance(own, str) else own
    coding = tuple((name, values.get(name, frozenset())) for name in names)
    regions = Regions("the names that the files tell", (coding,), complete=True)
    options = replace(case.options, regions=regions)
    if not isinstance(own, str):
        return replace(case, options=options)
    return UnreadableCase(
        case.id, case.patient, case.path, site=case.site, session=case.session,
        columns=case.columns, options=options, reason=own,
    )  # fmt: skip


def names_of_labels(labels: Any) -> dict[str, Values]:
    """Return which values of the masks of nnU-Net have which name.

    Parameters
    ----------
    labels : object
        `labels` of `dataset.json`: names with their value or values or, in its first version,
        values with their names.

    Returns
    -------
    dict of str to frozenset of int
        Without the background, and without the value of voxels to ignore: a mask that has it is
        refused, as they may be tumour or not. Empty if it is something else.

    Examples
    --------
    >>> names_of_labels({"background": 0, "whole": [1, 2], "core": 2})["whole"]
    frozenset({1, 2})
    >>> names_of_labels({"0": "background", "1": "edema"})
    {'edema': frozenset({1})}
    """
    if not isinstance(labels, Mapping):
        return {}
    found: dict[str, Values] = {}
    for key, said in labels.items():
        name, values = (said, key) if isinstance(said, str) else (key, said)
        numbers = [_number(one) for one in (values if isinstance(values, list) else [values])]
        if not numbers or None in numbers:
            return {}
        of_name = frozenset(number for number in numbers if number is not None)
        if of_name != _BACKGROUND and str(name) != _IGNORE:
            found[str(name)] = found.get(str(name), frozenset()) | (of_name - _BACKGROUND)
    return found


def _number(value: Any) -> int | None:
    """Return a value of a mask; None if it is none."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    is_whole = not isinstance(value, bool) and str(value).strip() == str(number)
    return number if is_whole and 0 <= number <= MOST_VALUE else None
