"""Names that come from data: their natural order, and which of them can name a file."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypeVar
from urllib.parse import quote

Name = TypeVar("Name", str, tuple[str, ...])

LONGEST_NAME = 128
"""Longer names, in bytes (UTF-8), leave no room for the endings of files."""

_KEY_DIGITS = 12

_HASH_DIGITS = 8

_MOST_NEAR = 3

_FORMULA = re.compile(r"\s*([=@]|[+-].*(\||[a-z]\s*\())", re.IGNORECASE | re.DOTALL)

_OF_RESULTS = (".csv", ".json", ".jsonl", ".log")

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return the sort key that puts `case_10` after `case_9`.

    Examples
    --------
    >>> sorted(["case_10", "case_9", "Case_1"], key=natural_key)
    ['Case_1', 'case_9', 'case_10']
    """
    parts = re.split(r"0*([0-9]+)", name.casefold())
    # Every second part is a run of digits, of which the longer is the larger: a number of thousands
    # of digits takes long to be made.
    key = [(len(part) * (index % 2), part) for index, part in enumerate(parts)]
    return [*key, (0, name)]


def is_formula(text: str) -> bool:
    """Test whether a spreadsheet would take the text of a cell for a formula that does something.

    Examples
    --------
    >>> is_formula("=2+3"), is_formula("@x"), is_formula("-cmd|' /C calc'!A0")
    (True, True, True)
    >>> is_formula("-0.5 (-0.9 to -0.1)"), is_formula("+/-")
    (False, False)
    """
    return _FORMULA.match(text) is not None


def what_is_unsafe(name: str) -> str:
    """Return why a name cannot be that of a file or folder inside a folder; "" if it can.

    Parameters
    ----------
    name : str
        The name of a case, as it stands in a file or table.

    Returns
    -------
    str
        A reason that completes "found ...".

    Examples
    --------
    >>> what_is_unsafe("patient 7 (left)")
    ''
    >>> what_is_unsafe("../../etc/passwd")
    'a separator of folders (/)'
    >>> what_is_unsafe("..")
    'the name of a parent folder'
    """
    if not name or name != name.strip():
        return "an empty name" if not name.strip() else "blanks around the name"
    if name in {".", ".."}:
        return "the name of a parent folder" if name == ".." else "the name of the folder itself"
    for separator in "/\\":
        if separator in name:
            return f"a separator of folders ({separator})"
    if not name.isprintable():
        return "a character that cannot be printed"
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        return f"more than {LONGEST_NAME} bytes"
    if is_formula(name):
        return "the beginning of a formula of spreadsheets"
    if name.startswith("."):
        return "a dot at the beginning, which hides a file"
    if name.lower().endswith(_OF_RESULTS):
        return "the ending of a table or a record, beside which its results may lie"
    if re.match(r"[A-Za-z]:", name) or _DEVICES.fullmatch(name):
        return "a name that Windows keeps for devices"
    return ""


def as_unicode(text: str) -> str:
    r"""Return a text with what is no Unicode escaped, as JSON does it.

    The name of a file on Linux may be any bytes; Python reads those that are no UTF-8 as lone
    surrogates (PEP 383), which no other file and no table can hold.

    Examples
    --------
    >>> print(as_unicode("caf\udce9"), as_unicode("café"))
    caf\udce9 café
    """
    return text.encode(errors="backslashreplace").decode()


def printable(text: str) -> str:
    r"""Return a text for a line of the terminal: what would change others of its lines is escaped.

    Examples
    --------
    >>> print(printable("a\x1b[31m\n"), printable("é"))
    a\x1b[31m\n é
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def hashed_key(name: str) -> str:
    """Return the key of a patient whose own name or number is to stay out of results.

    It is the start of a SHA-256 hash, without a secret: who has a list of names can compute their
    keys and compare.

    Examples
    --------
    >>> hashed_key("patient 7")
    '380e1c6279a5'
    """
    return hashlib.sha256(name.encode()).hexdigest()[:_KEY_DIGITS]


def stand_in(name: str) -> str:
    r"""Return what to call, in messages and tables, something whose own name is unsafe.

    Two names have two stand-ins: what cannot be shown is escaped, as in web addresses, and a long
    name ends in the beginning of its hash.

    Examples
    --------
    >>> stand_in("../x"), stand_in("M\udcfcller")
    ('?..%2Fx', '?M%FCller')
    """
    kept = name.rstrip(" ")
    shown = "".join(map(_escaped, kept)) + "%20" * (len(name) - len(kept))
    content = shown.encode()
    if len(content) > LONGEST_NAME // 2:
        # Cut in the middle of a character, the rest of it is dropped.
        beginning = content[: LONGEST_NAME // 2].decode(errors="ignore").rstrip(" ")
        shown = f"{beginning}-{hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]}"
    return f"?{shown}"


def _escaped(character: str) -> str:
    if character.isprintable() and character not in "/\\%":
        return character
    is_byte = "\udc80" <= character <= "\udcff"  # of the name of a file (PEP 383)
    return quote(character, safe="", errors="surrogateescape" if is_byte else "surrogatepass")


def repeated(names: Iterable[Name]) -> list[Name]:
    """Return the names, or tuples of names, that come more than once, in alphabetical order.

    Examples
    --------
    >>> repeated(["b", "a", "b"])
    ['b']
    """
    return sorted(name for name, count in Counter(names).items() if count > 1)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return the end of a message about a name that is none of some choices.

    Parameters
    ----------
    name : str
        What was asked for.
    choices : iterable of str
        What there is.

    Returns
    -------
    str
        A question that names choices, at most three: those that have the name as a word, else those
        that are spelled much like it; empty if none is.

    Examples
    --------
    >>> did_you_mean("Grad", ["age", "grade"])
    ' Did you mean grade?'
    >>> did_you_mean("age", ["Age at MRI", "image"])
    ' Did you mean Age at MRI?'
    """
    spelled = {choice.casefold(): choice for choice in choices}
    word = re.compile(rf"(?<![^\W_]){re.escape(name.casefold())}(?![^\W_])")
    having = [one for one in spelled if name and word.search(one)]
    found = having[:_MOST_NEAR] or get_close_matches(name.casefold(), spelled, _MOST_NEAR)
    near = [spelled[one] for one in found]
    return f" Did you mean {' or '.join(near)}?" if near else ""


def counted(count: int, noun: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> counted(1, "case"), counted(2, "case")
    ('1 case', '2 cases')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def first_few(names: Sequence[str], most: int = 5, *, separator: str = ", ") -> str:
    """Return the first of some names, and how many more there are.

    Examples
    --------
    >>> first_few(["a", "b"])
    'a, b'
    >>> first_few(["a", "b", "c", "d"], 2)
    'a, b and 2 more'
    """
    shown = separator.join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def or_list(words: Iterable[str]) -> str:
    """Return words as a list with "or" before the last.

    Examples
    --------
    >>> or_list(["a", "b", "c"])
    'a, b or c'
    """
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
