"""What the commands share on the terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lggshape.progress import OnProgress, Progress

if TYPE_CHECKING:
    from rich.progress import TaskID


@contextmanager
def progress(description: str, total: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a progress bar on a terminal, nothing in a pipe or if `quiet`.

    Yields
    ------
    callable
        To be called after each piece of work.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def progress_of_steps(*, quiet: bool) -> Iterator[OnProgress | None]:
    """Show a progress bar for each thing that is done, on a terminal and unless `quiet`.

    Yields
    ------
    callable or None
        To be called with a `Progress` after each piece of work.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.doing not in tasks:
                tasks[progress.doing] = bars.add_task(progress.doing, total=progress.total)
            bars.update(tasks[progress.doing], completed=progress.done, total=progress.total)

        yield show
