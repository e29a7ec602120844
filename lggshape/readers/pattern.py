"""Cases whose files are named by a pattern that the user gives.

A pattern is the path of a file below the folder, with fields in place of what differs:

=========== ======================================================================================
`{role}`    what the file shows: a word of `lggshape.readers.naming`, at the end or else at the
            beginning of the field. Other words are explained after a colon, as in
            `{role:OTMultiClass=mask,T1km=t1ce}`
`{patient}` key of the patient
`{session}` the examination of the patient
`{case}`    name of the case; without it the patient and the session, joined by `_`
`{site}`    the institution
`{any}`     anything; it may be empty, and occur several times
=========== ======================================================================================

A field does not reach over a `/`. A field that occurs again has to have the same value. A path that
can be read in several ways, as `P_1_2` by `{patient}_{session}`, is left out and listed.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lggshape.errors import InputError
from lggshape.names import counted, first_few
from lggshape.readers.folder import Folder
from lggshape.readers.formats import split_ending
from lggshape.readers.naming import (
    MASK,
    UNDERSTOOD,
    UNNAMED,
    FileName,
    role_in_pattern,
    used_roles,
    words_of_roles,
)
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.readers.unnamed import LeftOutFile
from lggshape.readers.volume_case import volume_case

FIELDS = ("role", "patient", "session", "case", "site", "any")
_FIELD = re.compile(r"\{(?P<name>[^{}:]*)(:(?P<words>[^{}]*))?\}")
_HELP = "such as '{patient}/{session}/{role}.nii.gz' (docs/inputs.md has the fields)"


class _Match(NamedTuple):
    """What the path of a file says."""

    said: FileName
    case: str
    patient: str
    session: str
    site: str
    is_clear: bool = True


class Pattern:
    """A pattern of paths.

    Parameters
    ----------
    text : str
        The pattern.

    Attributes
    ----------
    has_role : bool
        Whether it has the field `{role}`.
    depth : int
        The number of folders that it goes down.

    Raises
    ------
    InputError
        If a field or a word is unknown, or there is neither a case nor a patient.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._own: dict[str, str] = {}
        self._fields: set[str] = set()
        path = text.removeprefix("./")
        self.depth = path.count("/")
        parts = self._parts(path)
        self.has_role = "role" in self._fields
        if not self._fields & {"case", "patient"} or path.startswith("/"):
            msg = (
                f"Expected a pattern of paths below the folder with {{patient}} or {{case}}, "
                f"{_HELP}, found: {text!r}."
            )
            raise InputError(msg)
        words = [*self._own, *(word.replace("_", "[_-]") for word in words_of_roles())]
        known = "|".join([*map(re.escape, self._own), *words[len(self._own) :]])
        roles = (rf"(?i:{known})(?i:[_-]bias)?", rf"(?i:{known})[_-][^/]*?", r"[^/]+?")
        self._forms = [re.compile("".join(self._form(parts, role))) for role in roles]
        self._fields_and_text = parts

    def match(self, path: str) -> _Match | None:
        """Return what a path, relative to the folder, says; None if it has another form."""
        found = next((one for form in self._forms if (one := form.fullmatch(path))), None)
        if found is None:
            return None
        values = found.groupdict()
        # The same with fields as long as they can be, in place of as short.
        form = "".join(self._form(self._fields_and_text, re.escape(values.get("role") or "")))
        longest = re.fullmatch(form.replace("[^/]+?", "[^/]+"), path)
        is_clear = longest is None or longest.groupdict() == values
        patient = values.get("patient") or ""
        session = (values.get("session") or "").removeprefix("ses-")
        case = values.get("case") or "_".join(
            part for part in (patient, values.get("session") or "") if part
        )
        said = FileName(UNNAMED, "")
        if (text := values.get("role")) is not None:
            own = self._own.get(text.lower())
            said = role_in_pattern(text) if own is None else FileName(own, "")
        return _Match(said, case, patient, session, values.get("site") or "", is_clear)

    def _parts(self, path: str) -> list[str | tuple[str]]:
        """Return literal text, and the names of fields as tuples."""
        parts: list[str | tuple[str]] = []
        end = 0
        for found in _FIELD.finditer(path):
            name = found["name"]
            if name not in FIELDS or (found["words"] is not None and name != "role"):
                fields = ", ".join(f"{{{field}}}" for field in FIELDS)
                msg = f"Expected the fields {fields} in a pattern, found {found[0]}: {self.text!r}."
                raise InputError(msg)
            for pair in filter(None, (found["words"] or "").split(",")):
                self._add_word(pair)
            parts += [path[end : found.start()], (name,)]
            self._fields.add(name)
            end = found.end()
        return [*parts, path[end:]]

    def _add_word(self, pair: str) -> None:
        word, _, meaning = (part.strip() for part in pair.partition("="))
        role = role_in_pattern(meaning).role
        if not word or not role:
            msg = (
                "Expected words of a pattern with their meaning, such as "
                f"{{role:OTMultiClass=mask}}, found {pair!r}: {self.text!r}. Understood are "
                f"{UNDERSTOOD}."
            )
            raise InputError(msg)
        self._own[word.lower()] = role

    @staticmethod
    def _form(parts: Iterable[str | tuple[str]], role: str) -> Iterator[str]:
        seen: set[str] = set()
        for part in parts:
            if isinstance(part, str):
                yield re.escape(part)
            elif part[0] == "any":
                yield "[^/]*?"
            elif part[0] in seen:
                yield f"(?P={part[0]})"
            else:
                seen.add(part[0])
                yield f"(?P<{part[0]}>{role if part[0] == 'role' else '[^/]+?'})"


def cases_by_pattern(
    folder: Path, pattern: Pattern, *, masks_only: bool, has_sequences: bool
) -> tuple[list[CaseSource], list[LeftOutFile]]:
    """Find the cases of a folder whose files are named by a pattern.

    Parameters
    ----------
    folder : Path
        The folder.
    pattern : Pattern
        How its files are named.
    masks_only : bool
        Whether every case has to have a mask. A file is a mask if the pattern has no role.
    has_sequences : bool
        Whether a file without a role is an image whose sequences are said.

    Returns
    -------
    cases : list of CaseSource
        The cases, with what the pattern says of their patients.
    left_out : list of LeftOutFile
        The image files that have another form, or a role that is not known.

    Raises
    ------
    InputError
        If no file has the form, or nothing tells what the files show.
    """
    if not (pattern.has_role or masks_only or has_sequences):
        msg = (
            f"Expected a pattern with {{role}}, or the sequences of the images, found: "
            f"{pattern.text!r}. Put {{role}} where the paths tell what a file shows, with words of "
            "your own if needed, as in {role:outline=mask}; or give the sequences with "
            "--sequences (sequences= in Python)."
        )
        raise InputError(msg)
    groups: dict[str, list[tuple[_Match, Path]]] = {}
    left_out: list[LeftOutFile] = []
    for path in _volumes(Folder(folder), pattern.depth):
        found = pattern.match(path.relative_to(folder).as_posix())
        if found is None:
            left_out.append(LeftOutFile(path, f"its path is not of the form {pattern.text}"))
            continue
        if not found.is_clear:
            reason = f"its path can be read in several ways by {pattern.text}"
            left_out.append(LeftOutFile(path, reason))
            continue
        if not pattern.has_role and not has_sequences:
            found = found._replace(said=FileName(MASK, ""))
        if not found.said.role and not has_sequences:
            left_out.append(LeftOutFile(path, "the word in place of {role} is not known"))
            continue
        groups.setdefault(found.case, []).append((found, path))
    if not groups:
        names = [one.path.relative_to(folder).as_posix() for one in left_out]
        why = f" ({first_few(names, 3)}; {left_out[0].reason})" if left_out else ""
        msg = (
            f"Expected files of the form {pattern.text}, found "
            f"{counted(len(left_out), 'other image file')}{why}: {folder}."
        )
        raise InputError(msg)
    cases = [_case(name, files, folder, masks_only=masks_only) for name, files in groups.items()]
    return cases, left_out


def common_place(files: Iterable[Path]) -> Path:
    """Return the only file of a case, or the folder that all of its files lie in."""
    paths = list(files)
    return paths[0] if len(paths) == 1 else Path(os.path.commonpath([p.parent for p in paths]))


def _case(
    name: str, files: list[tuple[_Match, Path]], folder: Path, *, masks_only: bool
) -> CaseSource:
    whose = {(match.patient, match.session, match.site) for match, _ in files}
    patient, session, site = min(whose)
    if len(whose) > 1:
        shown = " and ".join(sorted({match.patient for match, _ in files}))
        reason = (
            f"Expected the files of case {name} to be of one patient, session and site, found "
            f"several ({shown}): {folder}."
        )
        return UnreadableCase(name, patient, folder, site=site, reason=reason)
    roles = used_roles([match.said for match, _ in files])
    paths = [path for _, path in files]
    case = volume_case(
        name, common_place(paths), zip(roles, paths, strict=True), masks_only=masks_only
    )
    return replace(case, patient=patient, session=session, site=site)


def _volumes(folder: Folder, depth: int) -> Iterator[Path]:
    """Yield the image files of a folder and of those in it, as deep as a pattern goes."""
    for name in folder.files:
        if split_ending(name)[1] is not None:
            yield folder.path / name
    inner: Mapping[str, Folder] = folder.folders if depth else {}
    for one in inner.values():
        yield from _volumes(one, depth - 1)
