"""What names say: the role of a file, and the patient and the site of a case.

Every layout uses this module, so that a word means the same in all of them. The last part of the
name of a file, after `_` or `-`, is its role if it is one of these words, in upper or lower case:

========================= =========================================
role                      words
========================= =========================================
mask                      mask, seg, segmentation
FLAIR                     flair, t2f
pre-contrast              t1, t1n, pre
post-contrast             t1ce, t1c, t1gd, post
not used                  t2, t2w
maps, not used            probability, uncertainty, entropy
========================= =========================================

Who the patient of a case is, a naming rule tells. A layout brings its own rules
(`lggshape.readers.layout`), and `open_cases` applies the rules of all layouts to every case.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from lggshape.case import FLAIR

MASK = "mask"

MAPS = ("probability", "uncertainty", "entropy")
"""Kinds of volumes that are written beside masks, and left aside when a case is read."""

UNNAMED = ""
"""The role of a file whose name does not tell it."""

NOT_READ = frozenset({"T2", *MAPS})
"""Roles of files that are left aside."""

_ROLES = {
    "mask": MASK,
    "seg": MASK,
    "segmentation": MASK,
    "flair": FLAIR,
    "t2f": FLAIR,
    "t1": "pre-contrast",
    "t1n": "pre-contrast",
    "pre": "pre-contrast",
    "t1ce": "post-contrast",
    "t1c": "post-contrast",
    "t1gd": "post-contrast",
    "post": "post-contrast",
    "t2": "T2",
    "t2w": "T2",
    **{name: name for name in MAPS},
}


class Identity(NamedTuple):
    """Whose a case is.

    Attributes
    ----------
    patient : str
        Key of the patient, in the spelling that label tables use.
    site : str
        The institution that the images come from; empty if the name does not tell.
    """

    patient: str
    site: str = ""


NamingRule = Callable[[str], Identity | None]
"""Returns whose a case of this name is; None if the rule does not know such names."""


def split_role(stem: str) -> tuple[str, str]:
    """Split the name of a file into its role and the name of the case.

    Parameters
    ----------
    stem : str
        The name without its ending.

    Returns
    -------
    role : str
        `MASK`, one of `lggshape.case.SEQUENCES`, one of `NOT_READ`, or `UNNAMED`.
    case : str
        What is left of the name; it may be empty.

    Examples
    --------
    >>> split_role("P7-seg")
    ('mask', 'P7')
    >>> split_role("P7_T1ce")
    ('post-contrast', 'P7')
    >>> split_role("P7_scan")
    ('', 'P7_scan')
    """
    word = re.split(r"[_-]", stem)[-1]
    role = _ROLES.get(word.lower())
    return (UNNAMED, stem) if role is None else (role, stem[: -len(word) - 1])


def identify(case: str, rules: Iterable[NamingRule]) -> Identity:
    """Return whose a case is, as far as its name tells.

    Parameters
    ----------
    case : str
        Name of the case.
    rules : iterable of NamingRule
        The rules to try, in order.

    Returns
    -------
    Identity
        What the first rule says that knows such names. Without one the case is a patient of its
        own, from an unknown site.

    Examples
    --------
    >>> identify("phantom_7", [])
    Identity(patient='phantom_7', site='')
    """
    found = (rule(case) for rule in rules)
    return next((identity for identity in found if identity is not None), Identity(case))
