"""What a DICOM series shows, by what its header says: FLAIR, T1 before contrast agent, T1 after it.

The words of description, protocol and sequence count first, then the times of the sequence. Without
either, and where they contradict each other, a series has no role: it is listed, and not used.

========================= ==========================================================================
role                      what the header says
========================= ==========================================================================
not used                  a word such as localizer, dwi, adc, swi, perfusion, tof, t2; a projection,
                          subtraction, phase image, map, mosaic or screenshot by its image type
FLAIR                     the word flair or "dark fluid", without t1; or an inversion of 1500 to
                          3500 ms and an echo after at least 60 ms
T1                        a word such as t1, mprage, spgr, bravo, vibe; or echo within 30 ms and
                          repetition within 1000 ms of a spin echo
pre- or post-contrast     post if the header names a contrast agent, or a word such as post, gd, ce,
                          +c; pre otherwise
========================= ==========================================================================
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from lggshape.case import FLAIR
from lggshape.readers.dicom_files import numbers_of, pydicom_reading, text_of
from lggshape.readers.naming import MASK

if TYPE_CHECKING:
    from pydicom import Dataset

PRE, POST = "pre-contrast", "post-contrast"

DESCRIBING = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
"""Elements whose words say what a series shows."""

_TIMES = {
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
}
"""Times in ms: the element of a classic header, and the group and element of an enhanced one."""

HEADER = (
    *DESCRIBING, *_TIMES, "AcquisitionContrast", "ContrastBolusAgent",
    "ContrastBolusAgentSequence", "ImageType", "Modality", "ScanningSequence",
    "PerFrameFunctionalGroupsSequence", "SeriesNumber", "SharedFunctionalGroupsSequence",
    "SOPClassUID",
)  # fmt: skip
"""The elements that a series is chosen by."""

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""The classes of DICOM segmentations: of single bits or fractions, and of label maps."""

STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
"""The class of RT structure sets."""

_IMAGES = frozenset({
    "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4",
})  # fmt: skip
"""The classes of MR images: classic, enhanced, and enhanced that were converted from classic."""

_UNUSED = re.compile(
    r"\b(localizer|localiser|loc|scout|survey|dwi|adc|diff(usion)?|trace\w*|dti|tensor|swi|swan"
    r"|mag|pha(se)?|minip|mip|perf(usion)?|dsc|dce|asl|cbf|cbv|tof|angio\w*|mra|mrv|bold|fmri|mrs|"
    r"spectro\w*|sub(traction)?|pd|t2\w*|b_?\d+)\b"
)
_FLAIR = re.compile(r"flair|dark.?fluid")
_T1 = re.compile(r"\bt1(w|c|ce|gd|post|pre)?\b|mp.?rage|\bspgr\b|\bbravo\b|\bvibe\b|\btfl\b")
_DERIVED = frozenset({
    "adc", "cbf", "cbv", "difference", "diffusion", "error", "fa", "i", "imaginary", "localizer",
    "map", "maximum", "mean", "minimum", "minip", "mip", "mosaic", "mtt", "p", "perfusion",
    "phase", "projection", "screen", "screenshot", "sub", "subtract", "subtraction", "tensor",
    "tmax", "trace", "ttp", "velocity",
})  # fmt: skip
"""Words of an image type that is no image of the head as it was acquired, or a part of it."""

_NO_AGENT = re.compile(
    r"(no|none|non|nil|null|na|nein|kein\w*|not|without|wo|w/o|ohne|sans|unk\w*)(\W.*)?|0+|n|n/a|\W+"
)
"""What the field of the contrast agent says where there was none, or none is known."""

_POST = re.compile(r"\b(post\w*|gd|gad\w*|ce|c|km|contrast|t1(c|ce|gd|post))\b|\+ ?c\b|\bc ?\+")
_PRE = re.compile(
    r"\b((wo|without|ohne|sans|no[nt]?).?(contrast|gad\w*|gd|km|ce|c)|pre|pre.?contrast|wo|without"
    r"|ohne|sans|nativ\w*|t1pre)\b"
)
_MINUS = re.compile(r"(?<!\S)- ?c\b|\bc-(?!\S)")
"""The sign of no contrast agent, as in T1 -C; T1-C could be either."""


@dataclass(frozen=True)
class Series:
    """A series as its first header describes it.

    Attributes
    ----------
    uid : str
        The series instance UID.
    number : str
        The series number; empty if there is none.
    description : str
        What the header says of it in words, without words that name the patient.
    role : str
        One of `lggshape.case.SEQUENCES`, `lggshape.readers.naming.MASK`, or empty if the series is
        not used.
    reason : str
        Why it has this role, or none.
    is_image : bool
        Whether it holds MR images, and not masks or anything else.
    files : tuple of Path
        Its files, in natural order.
    folder : str
        The folder of the files, relative to that of the study.
    """

    uid: str
    number: str
    description: str
    role: str
    reason: str
    is_image: bool
    files: tuple[Path, ...]
    folder: str

    @property
    def name(self) -> str:
        """What messages call it: its number and description, and its folder or its only file."""
        words = " ".join(part for part in (self.number, self.description) if part)
        first = (Path(self.folder) / self.files[0].name).as_posix()
        where = first if len(self.files) == 1 or self.folder in {"", "."} else self.folder
        return f"{words or 'without a description'} ({where})"


class Description(NamedTuple):
    """What a header says of its series; see `Series`."""

    description: str
    role: str
    reason: str
    is_image: bool


def describe(header: "Dataset") -> Description:
    """Return what a header says of its series.

    Parameters
    ----------
    header : pydicom.Dataset
        A header of the series with the elements `HEADER`, and those of `IDENTIFYING`.
    """
    words = [text_of(header, name) for name in DESCRIBING]
    shown = _without_identifiers(next((text for text in words if text), ""), header)
    kind = text_of(header, "SOPClassUID")
    if kind in SEGMENTATIONS:
        return Description(shown, MASK, "a DICOM segmentation", False)
    if kind == STRUCTURES:
        return Description(shown, MASK, "an RT structure set", False)
    if kind not in _IMAGES:
        return Description(shown, "", "no MR images", False)
    role, reason = role_of(" ".join(words).lower(), header)
    return Description(shown, role, reason, True)


def role_of(words: str, header: "Dataset | Mapping[str, Any]") -> tuple[str, str]:
    """Return the role of a series of MR images, and the reason.

    Parameters
    ----------
    words : str
        What the header says in words, in lower case.
    header : pydicom.Dataset or mapping
        The elements by name, as `HEADER` has them.

    Examples
    --------
    >>> role_of("ax t1 +c", {})
    ('post-contrast', 'a word of T1, and the word +c')
    """
    times = _times(header)
    words = _MINUS.sub(" without ", words.replace("w/o", "wo"))
    text = re.sub(r"[_\-^*.,;:()\[\]/]+", " ", words)
    kinds = re.findall(r"[a-z0-9]+", text_of(header, "ImageType").lower())
    if derived := sorted(_DERIVED.intersection(kinds)):
        return "", f"image type {', '.join(derived)}"
    is_flair, is_t1 = bool(_FLAIR.search(text)), bool(_T1.search(text))
    other = _UNUSED.search(re.sub(r"\bt2w?\b", " ", text) if is_flair else text)
    if other:
        return "", f"the word {other[0]}"
    echo, inversion = times.get("EchoTime"), times.get("InversionTime")
    if is_flair and not is_t1:
        if echo is not None and 0 < echo < 40:
            return "", f"the word flair, but an echo after {echo:g} ms"
        return FLAIR, "the word flair"
    if is_t1:
        if echo is not None and echo > 40:
            return "", f"a word of T1, but an echo after {echo:g} ms"
        return _contrast(text, header, "a word of T1")
    if inversion is not None and echo is not None:
        if 1500 <= inversion <= 3500 and echo >= 60:
            return FLAIR, f"inversion after {inversion:g} ms and echo after {echo:g} ms"
        return "", "neither words nor times of FLAIR or T1"
    repetition, sequence = times.get("RepetitionTime"), text_of(header, "ScanningSequence").split()
    is_short = echo is not None and repetition is not None and echo <= 30 and repetition <= 1000
    if sequence == ["SE"] and is_short:
        return _contrast(text, header, f"echo after {echo:g}, repetition {repetition:g} ms")
    return "", "neither words nor times of FLAIR or T1"


def _contrast(text: str, header: "Dataset | Mapping[str, Any]", why: str) -> tuple[str, str]:
    said = text_of(header, "ContrastBolusAgent").lower()
    says_none = bool(_NO_AGENT.fullmatch(said))
    with pydicom_reading():
        agent = bool(said and not says_none) or bool(header.get("ContrastBolusAgentSequence"))
    named = _POST.search(text)
    if pre := _PRE.search(text):
        if agent or (named and named[0] not in pre[0] and named[0] != "contrast"):
            return "", f"{why}, and the word {pre[0]}, but a contrast agent"
        return PRE, f"{why}, and the word {pre[0]}"
    if said and says_none and named:
        return "", f"{why}, and the word {named[0]}, but no contrast agent"
    if agent or named:
        by = f"the word {named[0]}" if named and not agent else "a contrast agent"
        return POST, f"{why}, and {by}"
    return PRE, f"{why}, and no contrast agent"


def _times(header: "Dataset | Mapping[str, Any]") -> dict[str, float]:
    with pydicom_reading():
        groups = [
            one
            for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
            for one in list(header.get(name) or [])[:1]
        ]
    found = {}
    for name, (group, element) in _TIMES.items():
        numbers = numbers_of(header, name, 1)
        for one in groups:
            with pydicom_reading():
                inner = list(one.get(group) or [])[:1]
            numbers = numbers or (numbers_of(inner[0], element, 1) if inner else None)
        if numbers:
            found[name] = numbers[0]
    return found


IDENTIFYING = (
    "AccessionNumber", "InstitutionAddress", "InstitutionName", "NameOfPhysiciansReadingStudy",
    "OperatorsName", "OtherPatientIDs", "OtherPatientNames", "PatientAddress", "PatientBirthDate",
    "PatientBirthName", "PatientID", "PatientMotherBirthName", "PatientName",
    "PerformingPhysicianName", "PhysiciansOfRecord", "ReferringPhysicianName",
    "RequestingPhysician", "StationName", "StudyID",
)  # fmt: skip
"""Elements that name the patient or those who treat them: their words are in no output."""

_MOST_DIGITS = 3
"""Words with more digits may be dates, or numbers of persons in another spelling."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss"})


def _without_identifiers(text: str, header: "Dataset") -> str:
    """Return a description without what is no printable word, and without words that identify."""
    names = {
        spelled
        for name in IDENTIFYING
        for part in re.split(r"[\s^=,_]+", text_of(header, name))
        for spelled in _spellings(part)
        if len(spelled) > 1
    }
    words = ("".join(one for one in word if one.isprintable()) for word in text.split())
    return " ".join("?" if _names(word, names) else word for word in words)[:64]


def _names(word: str, names: Iterable[str]) -> bool:
    """Return whether a word holds a name; a short name has to be a part by itself."""
    if sum(one.isdigit() for one in word) > _MOST_DIGITS:
        return True
    parts = {spelled for part in re.split(r"[\W_]+", word) for spelled in _spellings(part)}
    wholes = _spellings(word)
    return any(
        name in parts or (len(name) > 3 and any(name in whole for whole in wholes))
        for name in names
    )


def _spellings(word: str) -> set[str]:
    """Return the letters and digits of a word without accents, and with umlauts as two letters."""
    return {
        "".join(one for one in normalize("NFKD", spelled) if one.isalnum())
        for spelled in (word.casefold(), word.casefold().translate(_UMLAUTS))
    }
