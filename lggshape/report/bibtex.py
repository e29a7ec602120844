"""References as BibTeX."""

import re
from collections.abc import Sequence

_ARTICLE = re.compile(
    r"(?P<author>[^.]+)\. (?P<title>.+?[.?]) (?P<journal>[^.;]+?)\.? (?P<year>\d{4}); "
    r"(?P<volume>\d+)(?:\(\d+\))?(?:: (?P<pages>[\d-]+))?"
)
"""Authors. Title. Journal year; volume: pages."""


def bibtex(references: Sequence[str]) -> str:
    """Return references as BibTeX: articles, and what is none as it stands.

    Parameters
    ----------
    references : sequence of str
        As reports list them: "Authors. Title. Journal year; volume: pages."

    Examples
    --------
    >>> print(bibtex(["Fisher RA, Yates F. On tables. Metron 1924; 3: 329-332."]))
    @article{fisher1924,
      author = {Fisher, RA and Yates, F},
      title = {On tables},
      journal = {Metron},
      year = {1924},
      volume = {3},
      pages = {329--332}
    }
    """
    keys: dict[str, int] = {}
    return "\n\n".join(_entry(reference, keys) for reference in references)


def _entry(reference: str, keys: dict[str, int]) -> str:
    found = _ARTICLE.match(reference)
    if found is None:
        year = re.search(r"\b(?:19|20)\d\d\b", reference)
        key = _key(reference, year[0] if year else "", keys)
        return f"@misc{{{key},\n  note = {{{_escaped(reference)}}}\n}}"
    values = {name: value for name, value in found.groupdict().items() if value}
    authors = re.split(r", (?:and )?| and ", values["author"])
    values["author"] = " and ".join(_name(author) for author in authors)
    values["title"] = values["title"].removesuffix(".")
    if "pages" in values:
        values["pages"] = values["pages"].replace("-", "--")
    lines = ",\n".join(f"  {name} = {{{_escaped(value)}}}" for name, value in values.items())
    return f"@article{{{_key(reference, values['year'], keys)},\n{lines}\n}}"


def _name(author: str) -> str:
    """Return "Surname, Initials"; "others" for et al."""
    if author == "et al":
        return "others"
    surname, _, initials = author.rpartition(" ")
    return f"{surname}, {initials}" if surname and initials.isupper() else author


def _key(reference: str, year: str, keys: dict[str, int]) -> str:
    """Return the first author and the year, with a letter if another reference has them."""
    word = re.sub(r"[^a-z]", "", re.split(r"[ ,.]", reference)[0].casefold()) or "reference"
    key = f"{word}{year}"
    keys[key] = keys.get(key, 0) + 1
    return key if keys[key] == 1 else f"{key}{'abcdefghijklmnopqrstuvwxyz'[keys[key] - 1]}"


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", text)
