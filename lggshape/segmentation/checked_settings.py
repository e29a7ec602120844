"""Records of settings whose fields are checked."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from lggshape.errors import InputError


@dataclass(frozen=True, kw_only=True)
class CheckedSettings:
    """A record that JSON can hold; every field is checked against its type."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            value = _coerced(getattr(self, field.name), hints[field.name])
            if value is None:
                self.refuse(field.name, f"to be {_described(hints[field.name])}")
            object.__setattr__(self, field.name, value)

    def refuse(self, name: str, expected: str) -> None:
        """Raise for the value of a field."""
        msg = f"Expected {name} {expected}, found: {getattr(self, name)!r}."
        raise InputError(msg)

    def require(self, name: str, holds: bool, expected: str) -> None:
        """Raise for the value of a field unless a condition holds."""
        if not holds:
            self.refuse(name, expected)

    @classmethod
    def from_dict(cls, values: Any, *, where: Path | str) -> Self:
        """Make a configuration from a mapping, or whatever JSON gives.

        Raises
        ------
        InputError
            If a field is unknown or has a value that it cannot have. The message names `where`.
        """
        if not isinstance(values, Mapping):
            msg = f"Expected {where} to hold settings by name, found: {values!r}."
            raise InputError(msg)
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            msg = f"Expected {where} to hold settings of this version, found unknown: {unknown}."
            raise InputError(msg)
        try:
            return cls(**values)
        except InputError as error:
            msg = f"{str(error).removesuffix('.')}: {where}."
            raise InputError(msg) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values


def _coerced(value: Any, kind: Any) -> Any:
    """Return a value as the type of its field: a list as a tuple, 1 as 1.0, a path as text.

    None if it cannot be one.
    """
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            return None
        entries = [_coerced(entry, get_args(kind)[0]) for entry in value]
        return None if None in entries else tuple(entries)
    if kind is str and isinstance(value, os.PathLike):
        return os.fspath(value)
    if not isinstance(value, bool):  # which Python counts as a number
        if kind is int and isinstance(value, Integral):
            return int(value)
        if kind is float and isinstance(value, Real):
            with suppress(OverflowError):
                return float(value)
    return value if type(value) is kind else None


def _described(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        return f"a list of {get_args(kind)[0].__name__}"
    return f"of type {kind.__name__}"
