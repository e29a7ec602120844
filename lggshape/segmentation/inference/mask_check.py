"""The Dice to expect of a mask, and whether someone should look at it.

A linear model of the measures, fitted on masks of patients whom the networks had not seen, tells
the Dice to expect. It lies beside the networks that it was fitted for (`CHECK`), since others fail
in other ways.
"""

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from lggshape.errors import InputError
from lggshape.files import read_json

CHECK = "check.json"
"""The file of the model in the folder of a run."""

OK, LOOK, DOUBTFUL = "ok", "look", "doubtful"

NO_MODEL = f"the folder of the networks has no {CHECK}, which says what Dice to expect"
NOTHING_FOUND = "no tumour was found, and every patient of the data behind this check had one"

WORDS: Mapping[str, tuple[str, str]] = {
    "soft_dice": ("an unsure outline", "an unusually sure outline"),
    "agreement": ("the networks disagree", "the networks agree unusually well"),
    "second_component": ("no other place was found", "another place was nearly chosen"),
    "uncertain": ("hardly any uncertain border", "a wide uncertain border"),
    "volume": ("an unusually small mask", "an unusually large mask"),
    "solidity": ("an unusually ragged mask", "an unusually compact mask"),
    "dark": ("hardly any dark area in the mask", "dark areas in or between parts of the mask"),
    "height": ("an unusually low place", "an unusually high place"),
    "front": ("a place unusually far in front", "a place unusually far back"),
    "side": ("a place close to the middle", "a place unusually far from the middle"),
    "contrast": ("FLAIR is hardly brighter than around", "FLAIR is unusually bright"),
    "missing": ("no sequence is missing", "sequences are missing"),
    "head_size": (
        "the head is unusually small: is the size of a pixel right?",
        "the head is unusually large: is the size of a pixel right?",
    ),
    "cut": ("the head lies far from the edges", "the field of view cuts the head"),
    "skull": ("an unusually dark layer below the scalp", "no skull is seen"),
    "noise": ("FLAIR is unusually smooth", "FLAIR is noisy"),
    "saturated": ("no bright intensity is cut off", "bright intensities are cut off"),
}
"""What a low and a high value of each measure means."""

_HARMLESS = {
    "soft_dice": 1, "agreement": 1, "second_component": 0, "uncertain": 0, "solidity": 1, "dark": 0,
    "missing": 0, "cut": 0, "skull": 0, "saturated": 0,
}  # fmt: skip
"""The side, 0 for low and 1 for high, that is no reason to doubt a mask."""

NO_REASON = "several signs together, none of them clear"
_MOST_REASONS = 3


class Check(NamedTuple):
    """What is known of a mask without a reference.

    Attributes
    ----------
    expected_dice : float or None
        The Dice to expect, the median of masks like this; None if it is not known.
    low, high : float or None
        90 % of masks like this have a Dice from the one to the other.
    verdict : {"ok", "look", "doubtful", ""}
        Whether the mask can be used as it is, should be looked at, or is probably wrong; empty if
        it is not known.
    reason : str
        Why it is not ok, or why nothing is known.
    """

    expected_dice: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = ""
    reason: str = ""


UNKNOWN = Check(reason=NO_MODEL)
"""What is known of the masks of networks without a model."""


class Term(NamedTuple):
    """What a measure adds to the logit of the Dice.

    Attributes
    ----------
    mean, deviation : float
        What it is standardised by.
    low, high : float
        Its range in the images of the fit.
    slope, square : float
        Coefficients of the standardised measure and of its square.
    """

    mean: float
    deviation: float
    low: float
    high: float
    slope: float
    square: float

    def add(self, value: float) -> float:
        """Return what a value adds, within the range; 0 if the measure has no value."""
        if not isfinite(value):
            return 0.0
        z = (min(max(value, self.low), self.high) - self.mean) / self.deviation
        return self.slope * z + self.square * z**2

    def side(self, value: float) -> int:
        """Return 0 for a value below the mean, 1 for one above."""
        return int(value > self.mean)

    def has(self, value: float) -> bool:
        """Return whether a value lies in the range; one that is missing does."""
        return not isfinite(value) or self.low <= value <= self.high


class Model(NamedTuple):
    """A model of the Dice to expect.

    Attributes
    ----------
    terms : dict of str to Term
        By measure.
    intercept : float
        The logit of the Dice if all terms add 0.
    lines : dict of str to (float, float)
        Intercept and slope on the sum, on the scale of logits: "low", "expected" and "high" are
        the quantiles 0.05, 0.5 and 0.95 of the Dice.
    ok, doubtful : float
        A mask is ok from an expected Dice of the first on, and doubtful below the second.
    """

    terms: dict[str, Term]
    intercept: float
    lines: dict[str, tuple[float, float]]
    ok: float
    doubtful: float

    def judge(self, measures: Mapping[str, float]) -> Check:
        """Return what to expect of a mask with such measures; those of an empty mask are none."""
        from scipy.special import expit

        if not measures:
            return Check(verdict=DOUBTFUL, reason=NOTHING_FOUND)
        added = {name: term.add(measures[name]) for name, term in self.terms.items()}
        total = self.intercept + sum(added.values())
        ends = (expit(a + b * total) for a, b in (self.lines[name] for name in _LINES))
        low, expected, high = sorted(float(end) for end in ends)
        outside = [name for name, term in self.terms.items() if not term.has(measures[name])]
        if expected < self.doubtful:
            verdict = DOUBTFUL
        elif expected < self.ok or outside:
            verdict = LOOK
        else:
            return Check(expected, low, high, OK)
        sides = {name: term.side(measures[name]) for name, term in self.terms.items()}
        worst = [
            name
            for name in sorted(added, key=added.__getitem__)
            if added[name] < 0 and sides[name] != _HARMLESS.get(name)
        ]
        names = list(dict.fromkeys([*outside, *worst]))[:_MOST_REASONS]
        reason = "; ".join(WORDS[name][sides[name]] for name in names) or NO_REASON
        return Check(expected, low, high, verdict, reason)


_LINES = ("low", "expected", "high")


def read_model(folder: Path) -> Model | None:
    """Read the model in the folder of a run; None if there is none.

    Raises
    ------
    InputError
        If the file holds anything else.
    """
    path = folder / CHECK
    if not path.exists():
        return None
    values: dict[str, Any] = read_json(path, Model._fields)
    try:
        terms = {name: Term(**one) for name, one in values["terms"].items()}
        lines = {name: (values["lines"][name][0], values["lines"][name][1]) for name in _LINES}
        model = Model(**{**values, "terms": terms, "lines": lines})
        model.judge(dict.fromkeys(terms, 0.0))
    except (TypeError, KeyError, IndexError, AttributeError, ValueError) as error:
        msg = f"Expected {path} to hold a model of the Dice to expect, found: {error!r}."
        raise InputError(msg) from error
    return model
