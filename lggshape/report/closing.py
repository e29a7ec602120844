"""The last sections of every report: the methods to copy, and what the results were made from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lggshape.provenance import InputFile
from lggshape.report.bibtex import bibtex
from lggshape.report.blocks import (
    Block,
    Column,
    Copyable,
    Facts,
    Heading,
    Points,
    Section,
    Table,
    Text,
    code,
    link,
)


def methods_section(
    opening: str, paragraphs: Sequence[str], references: Sequence[str], more: Sequence[Block] = ()
) -> Section:
    """Return the section on the methods, with their text and the references to copy.

    Parameters
    ----------
    opening : str
        What was measured, as the methods of a paper begin; for the text to copy alone.
    paragraphs : sequence of str
        The methods.
    references : sequence of str
        As `bibtex` takes them.
    more : sequence of Block
        What stands between the paragraphs and the references.
    """
    numbered = [f"{number}. {text}" for number, text in enumerate(references, start=1)]
    text = "\n\n".join([opening, *paragraphs, "References", "\n".join(numbered)])
    blocks: list[Block] = [
        *map(Text, paragraphs),
        *more,
        Heading("References"),
        Points(references),
        Copyable("The methods as text, to copy", text),
        Copyable("The references as BibTeX, to copy", bibtex(references)),
    ]
    return Section("methods", "Methods", blocks)


def provenance(
    inputs: Sequence[InputFile], options: Mapping[str, Any], tables: Iterable[str], together: str
) -> Section:
    """Return the section on the files and options that the results were made from.

    Parameters
    ----------
    inputs : sequence of InputFile
        The files.
    options : mapping
        The options.
    tables : iterable of str
        The names of the tables beside the report.
    together : str
        The file that holds all tables; empty if there is none.
    """
    blocks: list[Block] = []
    if inputs:
        table = Table.of(
            inputs,
            "The inputs, with the hashes of their contents.",
            "",
            Column("file", lambda file: file.path, "long"),
            Column("SHA-256", lambda file: code(file.sha256), "long"),
        )
        blocks.append(table)
    if options:
        blocks.append(Facts(list(_in_words(options))))
    names = Markup(", ").join(link(f"{name}.csv") for name in tables)
    if together:
        names += "; together in " + link(together)
    blocks.append(
        Text(
            "Beside this file are the tables (" + names + ") and, in "
            + code("figures/") + ", every figure as PNG and SVG. Times, host and versions are in "
            + code("run.json") + "."
        )
    )  # fmt: skip
    return Section("provenance", "Provenance", blocks)


_OPTIONS = {
    "bins": "quantile bins of a feature",
    "test": "primary test",
    "take": "cases",
    "seed": "seed of random numbers",
    "adjust": "adjusted for",
    "match_ids": "matching of patients' keys",
    "by": "grouped by",
    "surface_tolerance": "tolerance of the surface Dice",
    "format": "further format of the figures",
    "dpi": "dots per inch of these",
    "width": "width of these in mm",
}
_VALUES = {
    ("take", None): "all patients with a mask, one case each",
    ("take", "first"): "of each patient, the first case by name",
    ("take", "last"): "of each patient, the last case by name",
    ("test", "by kind"): "by the kind of each label",
}


def _in_words(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield options in words, without those that say nothing about the results."""
    for name, value in options.items():
        words = _VALUES.get((name, value if isinstance(value, str) else None))
        if words is None and value not in (None, "", (), []) and name != "report":
            words = _word(value)
        if words is not None:
            yield _OPTIONS.get(name, name.replace("_", " ")), words


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
