"""The figures of a report: kept as files beside it, and embedded in it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from types import MappingProxyType

from matplotlib.figure import Figure

from lggshape.figures import Journal, render
from lggshape.files import write_figure
from lggshape.names import what_is_unsafe
from lggshape.report.blocks import Drawing
from lggshape.report.inline_svg import inline_svg

_LONGEST_ON_AXIS = 40
"""Longer names from data are cut on the axes of figures, in characters."""

_LONGEST_PART, _LONGEST_STEM = 48, 120
"""Longer parts (in characters) and names of files (in bytes) are cut."""


class Gallery:
    """The figures of a report, in `figures/` beside it.

    Parameters
    ----------
    folder : Path
        Folder of the report.
    journal : Journal, optional
        A further format of the files, or another size of one of them.
    advance : callable, optional
        Called after each figure, to show progress.
    """

    def __init__(
        self,
        folder: Path,
        *,
        journal: Journal | None = None,
        advance: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder / "figures"
        self._journal = journal
        self._advance = advance
        self._taken: set[str] = set()

    def keep(
        self,
        figure: Figure,
        description: str,
        *name: str,
        data: str = "",
        titles: Mapping[str, str] = MappingProxyType({}),
    ) -> Drawing:
        """Write the files of a figure, and return it as a block.

        Parameters
        ----------
        figure : Figure
            The figure.
        description : str
            What it shows.
        *name : str
            What its files are called after: names from data, of any length and with any signs.
        data : str
            Its numbers in words, for those who cannot see it.
        titles : mapping of str to str
            What pointing at a link of the figure shows, by where it leads.
        """
        stem = self._free(_file_name(name))
        drawn = render(figure, self._journal)
        write_figure(self._folder / stem, *drawn)
        self._advance()
        label = f"{description}. {data}" if data else description
        svg = inline_svg(drawn.svg, f"f{len(self._taken)}", label, titles)
        return Drawing(stem, description, svg)

    def _free(self, name: str) -> str:
        """Return a name that no file has yet, on a disk that ignores upper and lower case too."""
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        free = next(one for one in names if one.casefold() not in self._taken)
        self._taken.add(free.casefold())
        return free


def on_axis(text: str) -> str:
    """Return a name from data as a figure has room for it.

    Examples
    --------
    >>> on_axis("a label of a table with a name that does not end")
    'a label of a table with a name that doe…'
    """
    return text if len(text) <= _LONGEST_ON_AXIS else f"{text[: _LONGEST_ON_AXIS - 1]}…"


def _file_name(parts: Sequence[str]) -> str:
    """Return the name of a file that lies in its folder, whatever the parts are.

    Only letters, digits, - and _ remain, and a prefix keeps it from being a name like "nul", which
    Windows does not take.
    """
    kept = ("".join(s if s.isalnum() or s in "-_" else "-" for s in part) for part in parts)
    name = "-".join(part[:_LONGEST_PART] for part in kept)
    name = name.encode()[:_LONGEST_STEM].decode(errors="ignore")
    return f"figure-{name}" if what_is_unsafe(f"{name}.svg") else name
