"""The registry of the features. Each feature is a function with its metadata.

The functions themselves are in `lggshape.shape.features`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

from lggshape.shape.prepared import PreparedMask

Measure = Callable[[PreparedMask], float | str]
"""From a prepared mask to the value of a feature, or to the reason why it has none."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A shape feature.

    Attributes
    ----------
    name : str
        Its column in tables.
    measure : callable
        Takes a `PreparedMask` and returns the value, or the reason why there is none as text.
    title : str
        Its name in a sentence; empty if that is the name with spaces.
    symbol : str
        Its abbreviation; empty if it has none.
    dimension : {"2D", "3D"}
        Whether it is measured in a slice or on the whole mask.
    unit : str
        The unit if the spacing is known; "1" for a pure number.
    unit_without_spacing : str
        The unit if the spacing is unknown; empty if the feature needs the spacing.
    is_count : bool
        Whether it is a whole number, and stands so in tables.
    needs_spacing : bool
        Whether it is missing if the spacing is unknown. `measure` is not called then.
    definition : str
        What it is, in one sentence.
    source : str
        Where the definition comes from.
    ibsi : str or None
        Code of the same feature in the reference manual of the Image Biomarker Standardisation
        Initiative; None if it is not in there.
    pyradiomics : str or None
        Name of the same feature in pyradiomics; None if it is not in there.
    mirp : str or None
        Name of the same feature in MIRP; None if it is not in there.
    irregularity : {1, -1}
        1 if a larger value means a larger or more irregular shape, -1 if a smaller one does.
    variant : str or None
        Name of a feature that measures the same by another convention, for sensitivity analyses.
    literature : str
        Where it was found to be associated with molecular or clinical labels of gliomas; empty if
        nowhere that lggshape knows. Those that have an entry are tested if no hypotheses are named.
        They are few, because every further test makes the correction of all others stricter.
    is_exploratory : bool
        Whether few studies have tested the feature. It is tested only where a hypothesis names it.
    """

    name: str
    measure: Measure
    title: str = ""
    symbol: str = ""
    dimension: Literal["2D", "3D"]
    unit: str = "1"
    unit_without_spacing: str = "1"
    is_count: bool = False
    needs_spacing: bool = False
    definition: str
    source: str
    ibsi: str | None = None
    pyradiomics: str | None = None
    mirp: str | None = None
    irregularity: Literal[1, -1] = 1
    variant: str | None = None
    literature: str = ""
    is_exploratory: bool = False

    @property
    def in_default_family(self) -> bool:
        """Whether the feature is tested if no hypotheses are named."""
        return bool(self.literature)

    def to_dict(self) -> dict[str, Any]:
        """Return the metadata, without the function, as plain values."""
        names = (field.name for field in fields(self) if field.name != "measure")
        return {name: getattr(self, name) for name in names}


REGISTERED: dict[str, Feature] = {}
"""The features that were registered so far; see `lggshape.shape.features.FEATURES` for all."""


def feature(name: str, **metadata: Any) -> Callable[[Measure], Measure]:
    """Return a decorator that enters a function into the registry.

    Parameters
    ----------
    name : str
        Name of the feature.
    **metadata
        The other attributes of `Feature`.
    """

    def register(measure: Measure) -> Measure:
        REGISTERED[name] = Feature(name=name, measure=measure, **metadata)
        return measure

    return register
