"""The README of results: the parts of it that are made from the tables."""

import re
from collections.abc import Mapping

from lggshape.errors import InputError
from lggshape.studies.buda2019.report.evidence import StudyEvidence
from lggshape.studies.buda2019.report.markdown import to_markdown
from lggshape.studies.buda2019.report.summary import PARTS


def readme_parts(evidence: StudyEvidence) -> dict[str, str]:
    """Return each part of a README that is made from tables, as Markdown by its name."""
    return {name: to_markdown(part(evidence)) for name, part in PARTS.items()}


def fill(text: str, parts: Mapping[str, str]) -> str:
    r"""Return a text with its marked parts made anew.

    Parameters
    ----------
    text : str
        Markdown in which `<!-- NAME -->` and `<!-- end of NAME -->` stand around each part.
    parts : mapping of str to str
        The parts by name. Not all need to be used.

    Raises
    ------
    InputError
        If a mark names no part, or has no end.

    Examples
    --------
    >>> print(fill("n:\n<!-- n -->\nold\n<!-- end of n -->", {"n": "92"}))
    n:
    <!-- n -->
    <BLANKLINE>
    92
    <BLANKLINE>
    <!-- end of n -->
    """
    begun = re.findall(r"<!-- (?!end of )(.+?) -->", text)
    for name in begun:
        if name not in parts or f"<!-- end of {name} -->" not in text:
            msg = f"Expected a part among {', '.join(parts)} with an end, found <!-- {name} -->."
            raise InputError(msg)
    for name in begun:
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n\n{parts[name]}\n\n{end}{after}"
    return text
