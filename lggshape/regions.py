"""Regions of a tumour: which values of a mask make each of them.

A mask of several values has a meaning only with its coding. The bundled codings are those of the
BraTS challenges:

========= ============================== ======================== ==============================
name      values                         whole tumour             core; enhancing tumour
========= ============================== ======================== ==============================
brats     1, 2, 4 (2015 to 2022)         1, 2, 4                  1, 4; 4
brats     1, 2, 3 (since 2023)           1, 2, 3                  1, 3; 3
brats2013 1, 2, 3, 4 (2012, 2013)        1, 2, 3, 4               1, 3, 4; 4
========= ============================== ======================== ==============================

Which of the two codings of `brats` a mask has follows from its values: 4 is in the one alone, 3 in
the other. A mask of 1 and 2 has no enhancing tumour in either, and 1 and 2 mean the same in both.
A mask with 3 and 4 has neither and is refused. A mask of 2012 or 2013 may lack the value 4, and
then looks like one since 2023: that is why those years have a name of their own.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

from lggshape.errors import InputError
from lggshape.files import read_toml
from lggshape.names import what_is_unsafe

Values = frozenset[int]

Coding = tuple[tuple[str, Values], ...]
"""The regions of one coding in order, each with its values."""

MOST_VALUE = 2**16 - 1
"""The highest value of a mask that can be that of a region."""


@dataclass(frozen=True)
class Regions:
    """The regions of a tumour, by the values of a mask.

    Attributes
    ----------
    name : str
        What to call them in messages and records.
    codings : tuple of tuple of (str, frozenset of int)
        What the values can mean: in each coding the same regions in the same order, with the values
        of each.
    complete : bool
        Whether the codings name every value that a mask may have. If not, values that are in no
        region lie outside the tumour.

    Examples
    --------
    >>> brats = read_regions("brats")
    >>> brats.names
    ('whole_tumour', 'tumour_core', 'enhancing_tumour')
    >>> {name: sorted(values) for name, values in brats.coding_of({1, 2, 3}).items()}
    {'whole_tumour': [1, 2, 3], 'tumour_core': [1, 3], 'enhancing_tumour': [3]}
    """

    name: str
    codings: tuple[Coding, ...]
    complete: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the regions, in order."""
        return tuple(name for name, _ in self.codings[0])

    @property
    def whole(self) -> str:
        """The region that holds all others, as the whole tumour does; "" if there is none."""
        for place, name in enumerate(self.names):
            if all(coding[place][1] == _every_value(coding) for coding in self.codings):
                return name
        return ""

    def coding_of(self, found: Iterable[int]) -> dict[str, Values]:
        """Return the values of each region in a mask.

        Parameters
        ----------
        found : iterable of int
            The values that the mask has, without 0.

        Returns
        -------
        dict of str to frozenset of int
            For each region, the values that it has in the coding of the mask. If the mask fits
            several codings, those that it can have in one of them and that do not contradict the
            others.

        Raises
        ------
        InputError
            If the mask fits no coding, or several that differ for the values that it has.
        """
        values = frozenset(found)
        fitting = [
            coding for coding in self.codings if not self.complete or values <= _every_value(coding)
        ]
        meanings = {tuple(region & values for _, region in coding) for coding in fitting}
        if len(meanings) != 1:
            known = " or ".join(_listed(_every_value(coding)) for coding in self.codings)
            msg = f"Expected the values of {self.name} ({known}), found {_listed(values)}."
            raise InputError(msg)
        return dict(fitting[0])


def _every_value(coding: Coding) -> Values:
    return frozenset[int]().union(*(values for _, values in coding))


def _listed(values: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(values)))


def _brats(necrosis: Values, oedema: Values, enhancing: Values) -> Coding:
    core = necrosis | enhancing
    return (
        ("whole_tumour", core | oedema),
        ("tumour_core", core),
        ("enhancing_tumour", enhancing),
    )


def _of(*values: int) -> Values:
    return frozenset(values)


BUNDLED = {
    "brats": Regions(
        "brats",
        (_brats(_of(1), _of(2), _of(4)), _brats(_of(1), _of(2), _of(3))),
        complete=True,
    ),
    "brats2013": Regions("brats2013", (_brats(_of(1, 3), _of(2), _of(4)),), complete=True),
}
"""The regions that have a name."""

FROM_FILES = Regions("names", ((),), complete=True)
"""Those that the files name, which are not known before the files are."""

RegionSource = Regions | str | os.PathLike[str] | Mapping[str, Any]
"""What `read_regions` takes."""


def read_regions(source: RegionSource) -> Regions:
    """Read which values of a mask make which region.

    Parameters
    ----------
    source : str, path or mapping
        The name of bundled regions (`brats`, `brats2013`), `names` for those that the files of
        masks name, a TOML file with a line such as `core = [1, 4]` for each region, or a mapping of
        names to values.

    Returns
    -------
    Regions
        In the order of the file or mapping. `Regions` are returned as they are.

    Raises
    ------
    InputError
        If the name is unknown, the file cannot be read, there is no region, a name cannot be that
        of a file, or the values of a region are not whole numbers from 1 to 65,535, each once.

    Examples
    --------
    >>> read_regions({"core": [1, 4], "oedema": [2]}).names
    ('core', 'oedema')
    """
    if isinstance(source, Regions):
        return source
    if isinstance(source, Mapping):
        return Regions("the regions", (_coding(source, "regions"),))
    text = os.fspath(source) if isinstance(source, str | os.PathLike) else repr(source)
    if text in BUNDLED:
        return BUNDLED[text]
    if text == FROM_FILES.name:
        return FROM_FILES
    if not text.lower().endswith(".toml"):
        names = ", ".join((*BUNDLED, FROM_FILES.name))
        msg = f"Expected regions to be {names} or a TOML file (name.toml), found: {text}."
        raise InputError(msg)
    return Regions(Path(text).name, (_coding(read_toml(text), text),))


def regions_of_values(values: Iterable[int]) -> Regions:
    """Return one region of some values, named after them.

    Raises
    ------
    InputError
        If there is no value, or one is not a whole number from 1 to 65,535, or there twice.

    Examples
    --------
    >>> regions_of_values([1, 4]).names
    ('1+4',)
    """
    chosen = _values("the mask", list(values), "mask_values")
    name = "+".join(map(str, sorted(chosen)))
    return Regions(f"the values {_listed(chosen)}", (((name, chosen),),))


def _coding(mapping: Mapping[str, Any], where: str) -> Coding:
    if not mapping:
        msg = f"Expected at least one region, such as core = [1, 4], found none: {where}."
        raise InputError(msg)
    for name in mapping:
        unsafe = what_is_unsafe(name) if isinstance(name, str) else "no text"
        if unsafe:
            msg = f"Expected a region to have a plain name, found {unsafe}: {name!r} in {where}."
            raise InputError(msg)
    return tuple((name, _values(name, values, where)) for name, values in mapping.items())


def _values(region: str, values: Any, where: str) -> Values:
    listed = [] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    if (
        not listed
        or not all(_is_value(value) for value in listed)
        or len(set(listed)) < len(listed)
    ):
        msg = (
            f"Expected the values of {region} to be whole numbers from 1 to {MOST_VALUE}, each "
            f"once, found {values!r}: {where}."
        )
        raise InputError(msg)
    return frozenset(int(value) for value in listed)


def _is_value(value: Any) -> bool:
    # True is a whole number for Python, and a slip in a list of values.
    return isinstance(value, Integral) and value is not True and 1 <= int(value) <= MOST_VALUE
