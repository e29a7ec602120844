"""Figures as files."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from lggshape.figures.style import Journal, render
from lggshape.files import StrPath, write_figure
from lggshape.progress import OnProgress, counter


def write_figures(
    figures: Mapping[str, Figure],
    folder: StrPath,
    *,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Write figures to a folder, each as SVG and PNG, and for a journal if asked.

    Parameters
    ----------
    figures : mapping of str to Figure
        By the names of the files, without their endings.
    folder : str or Path
        Where to write.
    journal : Journal, optional
        A further format, or another size of one of these.
    on_progress : callable, optional
        Called with a `Progress` after each figure.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.figures import training_curve
    >>> with TemporaryDirectory() as folder:
    ...     write_figures({"loss": training_curve({"fold 0": [0.9, 0.5]})}, folder)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['loss.png', 'loss.svg']
    """
    advance = counter(on_progress, "drawing", len(figures))
    for name, figure in figures.items():
        write_figure(Path(folder) / name, *render(figure, journal))
        advance()
