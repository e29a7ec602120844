"""What the replication needs to know of a cohort: which label is which."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple

from lggshape.errors import InputError
from lggshape.files import read_toml
from lggshape.labels import Labels


class Endpoint(NamedTuple):
    """A time to an event: its name, the labels of event and time, and the level of an event."""

    name: str
    event: str
    time: str
    happened: str


@dataclass(frozen=True)
class Roles:
    """Which label is which.

    Attributes
    ----------
    subtype, target : str
        The label of the clusters that are told apart, and the level that the paper singles out.
    idh, wild_type : str
        The label of the IDH/1p19q subtype, and its level without mutation.
    age, gender, histology, grade, location : str
        Labels of the patients; histology may be absent.
    male, higher_grade : str
        Levels that count as 1.
    survival : tuple of Endpoint
        The endpoints.
    reported_areas : mapping
        Areas under the curve that the paper reports for age and gender, by label and level.
    """

    subtype: str
    target: str
    idh: str
    wild_type: str
    age: str
    gender: str
    male: str
    histology: str
    grade: str
    higher_grade: str
    location: str
    survival: tuple[Endpoint, ...]
    reported_areas: Mapping[str, Mapping[str, float]]

    def check(self, labels: Labels) -> None:
        """Refuse tables that lack a label, or a level that is singled out.

        Raises
        ------
        InputError
            Unless all labels but histology and survival are there, and with each, survival's too,
            the level that counts.
        """
        named = (
            self.subtype, self.idh, self.age, self.gender, self.grade, self.location,
        )  # fmt: skip
        absent = [name for name in named if name not in labels]
        if absent:
            msg = (
                f"Expected the label tables to have {', '.join(named)}, found no "
                f"{', '.join(absent)}."
            )
            raise InputError(msg)
        levels = {
            self.subtype: self.target, self.idh: self.wild_type, self.gender: self.male,
            self.grade: self.higher_grade,
            **{one.event: one.happened for one in self.survival if one.event in labels},
        }  # fmt: skip
        for name, level in levels.items():
            found = labels[name].levels
            if level not in found:
                msg = (
                    f"Expected {name} to have the level {level!r}, found: "
                    f"{', '.join(found) or labels[name].kind}. Codes are only known in tables that "
                    "have the columns of the codebook."
                )
                raise InputError(msg)


def read_roles() -> Roles:
    """Read the roles of the labels of Buda et al. 2019."""
    content = read_toml((resources.files(__package__) / "roles.toml").read_bytes())
    endpoints = tuple(Endpoint(**entry) for entry in content.pop("survival"))
    return Roles(**content, survival=endpoints)
