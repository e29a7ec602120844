"""What names say: the role of a file, and the patient, the session and the site of a case.

Every layout uses this module, so that a word means the same in all of them. The last words of the
name of a file, after `_` or `-`, are its role if they are listed here, in upper or lower case:

========================= =========================================================================
role                      words
========================= =========================================================================
mask                      mask, seg, segm, segmentation, segmentations, dseg, roi; each also after
                          tumor, tumour, lesion, with `_` or without (tumorMask)
FLAIR                     flair, t2f, t2flair, t2_flair
pre-contrast              t1, t1w, t1n, pre, t1pre, t1_pre
post-contrast             t1ce, t1c, t1gd, ct1, post, t1post, t1cw; t1 or t1w and ce, gd, post or
                          c, in either order (t1_post, gd_t1w); t1w with the entity `ce-` of BIDS
not used                  t2, t2w, t2star, adc, dwi, swi, asl, and the other words of `_UNUSED`
maps, not used            probability, probseg, uncertainty, entropy
========================= =========================================================================

The word `bias` may follow that of a sequence: an image whose inhomogeneity was corrected, which is
used in place of the uncorrected one. The word of a sequence may stand before that of a mask, as in
`P7_FLAIR_seg`. Where a name is built as BIDS demands, `sub-<label>_ses-<label>_<entities>_<role>`,
the case is `sub-<label>_ses-<label>`, whatever the other entities. The entities `label` and `desc`
tell masks of other things than the tumour (`label-WM`, `desc-aseg`), and `acq-post` of an agent.

A file whose name says none of this has no role. What is done with it is decided where all files of
a data set are known (`lggshape.readers.unnamed`).

Who the patient of a case is, a naming rule tells. A layout brings its own rules
(`lggshape.readers.layout`), and `open_cases` applies the rules of all layouts to every case.
"""

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Sequence
from typing import NamedTuple

from lggshape.case import FLAIR

MASK = "mask"

MAPS = ("probability", "uncertainty", "entropy")
"""Kinds of volumes that are written beside masks, and left aside when a case is read."""

UNNAMED = ""
"""The role of a file whose name does not tell it."""

UNCORRECTED = "not corrected"
"""The role of an image beside one of the same sequence whose inhomogeneity was corrected."""

_PRE, _POST, _T2, _OTHER = "pre-contrast", "post-contrast", "T2", "other"
_MASK_WORDS = ("mask", "seg", "segm", "segmentation", "segmentations", "dseg", "roi")
_TUMOUR_WORDS = ("tumor", "tumour", "lesion")
_UNUSED = (
    "t2star", "t2s", "adc", "dwi", "swi", "asl", "fa", "md", "bold", "sbref", "pd", "pdw", "pet",
    "cbf", "cbv", "phase", "magnitude", "brain", "brainmask", "aseg", "aparc", "warp", "xfm",
    "angio", "defacemask", "inplanet1", "inplanet2", "megre", "mp2rage", "pdt2", "t1map", "t2map",
    "t2starw", "unit1",
)  # fmt: skip
_ALIASES = {
    **dict.fromkeys(_MASK_WORDS, MASK),
    **{f"{start}{what}{joint}{word}": MASK for what in _TUMOUR_WORDS for word in _MASK_WORDS
       for start, joint in (("", "_"), ("", ""), ("label_", "_"))},
    **dict.fromkeys(("flair", "t2f", "t2flair", "t2_flair", "t2w_flair"), FLAIR),
    **dict.fromkeys(("t1", "t1w", "t1n", "pre", "t1pre", "t1_pre", "t1w_pre"), _PRE),
    **dict.fromkeys(
        ("t1ce", "t1c", "t1gd", "ct1", "post", "t1post", "t1cw", "t1wce", "t1wc", "t1wgd",
         "t1wpost"),
        _POST,
    ),
    **{f"{t1}_{agent}": _POST for t1 in ("t1", "t1w") for agent in ("ce", "gd", "post", "c")},
    **{f"{agent}_{t1}": _POST for t1 in ("t1", "t1w") for agent in ("ce", "gd", "post")},
    **{f"ce_{agent}_{t1}": _POST for t1 in ("t1", "t1w") for agent in ("gd", "gadolinium")},
    **dict.fromkeys(("t2", "t2w"), _T2),
    # Outlines of other things than the tumour.
    **{f"brain_{word}": _OTHER for word in _MASK_WORDS},
    **{f"brain_parenchyma_{word}": _OTHER for word in _MASK_WORDS},
    **dict.fromkeys(_UNUSED, _OTHER),
    "probseg": MAPS[0],
    **{name: name for name in MAPS},
}  # fmt: skip
"""The role by its words, in lower case and with `_` between them."""

IMAGE = "image"
"""The role of a file that holds all sequences of its case, where something else than its name tells
which."""

NOT_READ = frozenset({_T2, _OTHER, UNCORRECTED, *MAPS})
"""Roles of files that are left aside."""

UNDERSTOOD = (
    "flair for FLAIR; t1, t1w or pre for T1 before contrast agent; t1ce, t1c or post for T1 after "
    "it; mask or seg for the mask"
)
"""The most common words, for messages."""

_MOST_WORDS = max(alias.count("_") + 1 for alias in _ALIASES)
_DRAWN_ON = frozenset({"flair", "t2f", "t1w", "t1n", "t1ce", "t1c", "t1gd", "ct1"})
"""Words that stand before that of a mask for the image it was drawn on, and end no name of a case:
`pre` and `post` may be those of an operation."""

_SEQUENCE_WORDS = _DRAWN_ON | {"t1", "t2", "t2w", "t1post", "t2flair"}

_OTHER_LABELS = frozenset({
    "bg", "bone", "brain", "brainstem", "bs", "cbm", "cgm", "csf", "eye", "gm", "head", "nb",
    "ngm", "scgm", "skull", "st", "vent", "ventricles", "wm", "aseg", "aparcaseg",
    "tissue",
})  # fmt: skip
"""What the entities `label` and `desc` of BIDS call tissues and parts of the brain."""

_AGENTS = frozenset({
    "ce", "contrast", "gad", "gado", "gadolinium", "gd", "post", "postcontrast", "postgad",
    "postgado", "postgd", "t1c", "t1ce", "t1gd",
})  # fmt: skip
"""What the entities `acq`, `desc` and `rec` of BIDS call an image after contrast agent."""

_BIAS = "bias"
_ENTITIES = re.compile(
    r"(?P<case>sub-(?P<subject>[A-Za-z0-9]+)(_ses-(?P<session>[A-Za-z0-9]+))?)"
    r"(?P<entities>(_[a-z]+-[A-Za-z0-9+]+)*)_(?P<suffix>[A-Za-z0-9]+)"
)
"""A name as BIDS demands it."""

_SESSION = re.compile(r"(?P<patient>.+?)[_-]ses-(?P<session>[A-Za-z0-9]+)(?=[_-]|$)")


class Identity(NamedTuple):
    """Whose a case is.

    Attributes
    ----------
    patient : str
        Key of the patient, in the spelling that label tables use.
    site : str
        The institution that the images come from; empty if the name does not tell.
    session : str
        The examination of the patient; empty if the name does not tell.
    """

    patient: str
    site: str = ""
    session: str = ""


NamingRule = Callable[[str], Identity | None]
"""Returns whose a case of this name is; None if the rule does not know such names."""


class FileName(NamedTuple):
    """What the name of a file says.

    Attributes
    ----------
    role : str
        `MASK`, one of `lggshape.case.SEQUENCES`, one of `NOT_READ`, or `UNNAMED`.
    case : str
        What is left of the name; it may be empty.
    corrected : bool
        Whether the inhomogeneity of the image was corrected.
    """

    role: str
    case: str
    corrected: bool = False


def read_name(stem: str, *, ours: bool = False) -> FileName:
    """Return what the name of a file says.

    Parameters
    ----------
    stem : str
        The name without its ending.
    ours : bool
        Whether this tool wrote the file: then all that stands before the last word is the case.

    Returns
    -------
    FileName
        Its role and its case.

    Examples
    --------
    >>> read_name("UCSF-PDGM-0004_FLAIR_bias")
    FileName(role='FLAIR', case='UCSF-PDGM-0004', corrected=True)
    >>> read_name("sub-07_ses-1_ce-gd_run-1_T1w")
    FileName(role='post-contrast', case='sub-07_ses-1', corrected=False)
    >>> read_name("P7_T1_post")
    FileName(role='post-contrast', case='P7', corrected=False)
    >>> read_name("P7_scan")
    FileName(role='', case='P7_scan', corrected=False)
    """
    stem = unicodedata.normalize("NFC", stem)  # some systems store letters and accents apart
    words = re.split(r"[_-]", stem)
    if ours:
        role = _ALIASES.get(words[-1].lower(), UNNAMED)
        return FileName(role, stem[: -len(words[-1]) - 1]) if role else FileName(UNNAMED, stem)
    if entities := _ENTITIES.fullmatch(stem):
        role = _role_of_entities(entities["entities"], entities["suffix"])
        return FileName(role, entities["case"])
    corrected = words[-1].lower() == _BIAS
    known = _longest(words[: len(words) - corrected])
    if not known:
        return FileName(UNNAMED, stem)
    role = _ALIASES[known]
    if corrected and role in {MASK, *MAPS}:
        return FileName(UNNAMED, stem)
    used = known.count("_") + 1 + corrected
    if role == MASK and used < len(words) and words[-used - 1].lower() in _DRAWN_ON:
        used += 1
    length = sum(len(word) + 1 for word in words[len(words) - used :])
    return FileName(role, stem[: max(len(stem) - length, 0)], corrected)


def named_after(case: str, others: Container[str]) -> str:
    """Return the longest of some names that a name goes on from; empty if there is none.

    The time does not depend on the number of names in a set.

    Examples
    --------
    >>> named_after("P7_rater1", {"P7", "P8"})
    'P7'
    """
    ends = (place for place in reversed(range(len(case))) if case[place] in "_- .")
    return next((case[:end] for end in ends if case[:end] in others), "")


def names_another_sequence(case: str) -> bool:
    """Test whether what is left of a file name still has the word of a sequence.

    Then it is no name of a case: `P7_T1_AX` of `P7_T1_AX_POST` would be a patient of its own.

    Examples
    --------
    >>> names_another_sequence("P7_T1_AX"), names_another_sequence("P7_post")
    (True, False)
    """
    return not _SEQUENCE_WORDS.isdisjoint(re.split(r"[_-]", case.lower()))


def split_role(stem: str) -> tuple[str, str]:
    """Split the name of a file into its role and the name of the case, as `read_name` reads it.

    Examples
    --------
    >>> split_role("P7-seg")
    ('mask', 'P7')
    >>> split_role("P7_T1ce")
    ('post-contrast', 'P7')
    """
    return read_name(stem)[:2]


def role_in_pattern(text: str) -> FileName:
    """Return what a part of a file name tells of its role, by its last or else by its first words.

    Parameters
    ----------
    text : str
        The part that stands in place of `{role}` in a pattern.

    Returns
    -------
    FileName
        Without a case. The role is `UNNAMED` if the words are not known, or if the first words
        tell another role than the last ones.

    Examples
    --------
    >>> role_in_pattern("Flair_subtrMeanDivStd").role
    'FLAIR'
    >>> role_in_pattern("ce-gd_T1w").role
    'post-contrast'
    >>> role_in_pattern("OTMultiClass").role
    ''
    """
    words = re.split(r"[_-]", text)
    corrected = words[-1].lower() == _BIAS
    if corrected:
        words = words[:-1]
    last, first = _longest(words), _longest(words, at_end=False)
    roles = {_ALIASES[known] for known in (last, first) if known}
    if last and _ALIASES[last] == MASK:  # drawn on an image that the first words name
        return FileName(MASK, "")
    return FileName(roles.pop() if len(roles) == 1 else UNNAMED, "", corrected)


def words_of_roles() -> list[str]:
    """Return all words that tell a role, the longest first, with `_` between those of one role."""
    return sorted(_ALIASES, key=lambda alias: (-len(alias), alias))


def used_roles(names: Sequence[FileName]) -> list[str]:
    """Return the roles of the files of one case: an image beside its corrected version is not used.

    Examples
    --------
    >>> used_roles([read_name("P7_FLAIR"), read_name("P7_FLAIR_bias"), read_name("P7_T1")])
    ['not corrected', 'FLAIR', 'pre-contrast']
    """
    corrected = {name.role for name in names if name.corrected} - {_OTHER}  # of many sequences
    return [
        UNCORRECTED if name.role in corrected and not name.corrected else name.role
        for name in names
    ]


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
        own, from an unknown site; `_ses-<label>` in the name tells the session, and what stands
        before it the patient.

    Examples
    --------
    >>> identify("phantom_7", [])
    Identity(patient='phantom_7', site='', session='')
    >>> identify("sub-07_ses-1", [])
    Identity(patient='sub-07', site='', session='1')
    """
    found = _SESSION.match(case)
    patient, session = (found["patient"], found["session"]) if found else (case, "")
    known = (rule(case) for rule in rules)
    identity = next((one for one in known if one is not None), Identity(patient))
    return identity._replace(session=identity.session or session)


def _longest(words: list[str], *, at_end: bool = True) -> str:
    """Return the longest alias that the words end in, or begin with; empty if there is none."""
    lower = [word.lower() for word in words]
    for count in range(min(_MOST_WORDS, len(words)), 0, -1):
        alias = "_".join(lower[-count:] if at_end else lower[:count])
        if alias in _ALIASES:
            return alias
    return ""


def _role_of_entities(entities: str, suffix: str) -> str:
    """Return the role by the suffix of a BIDS name, and by what its entities say of it."""
    role = _ALIASES.get(suffix.lower(), UNNAMED)
    labels = dict(part.split("-", 1) for part in entities.split("_")[1:])
    said = {labels.get(entity, "").lower() for entity in ("acq", "desc", "rec")}
    if role == _PRE and ("ce" in labels or not said.isdisjoint(_AGENTS)):
        return _POST
    about = {labels.get(entity, "").lower() for entity in ("label", "desc")}
    return role if role != MASK or about.isdisjoint(_OTHER_LABELS) else _OTHER
