"""Columns of times and of events: survival has to be stated, so that neither is tested alone."""

import re

from lggshape.errors import InputError
from lggshape.labels import Kind, Label, Labels, holds_events

_NOT_OF_THE_STEM = re.compile(
    r"[^a-z0-9]|time|days|weeks|months|years|event|status|overall|survival", re.IGNORECASE
)


def part_of_survival(name: str, label: Label, labels: Labels) -> str:
    """Return why a time, or the events beside one, is not tested alone; "" if it is neither.

    Parameters
    ----------
    name, label : str and Label
        The column.
    labels : Labels
        All columns.

    Returns
    -------
    str
        The reason, with the lines that test both together.

    Examples
    --------
    >>> import pandas as pd
    >>> from lggshape.labels import read_labels
    >>> table = pd.DataFrame({"patient": ["a", "b"], "OS": [1, 0], "OS.time": [30, 90]})
    >>> labels = read_labels(table)
    >>> part_of_survival("OS", labels["OS"], labels)
    'events, which belong to a time; a [[hypothesis]] with time = "OS.time" and event = "OS" tests \
both'
    """
    known = _readable(labels)
    times = [one for one in known.values() if one.kind is Kind.TIME]
    events = [one for one in known.values() if _is_event(one)]
    if label.kind is Kind.TIME:
        if not events:
            return ""
        return f"a time; {_lines(name, _nearest(name, events))}"
    if times and _is_event(label):
        return f"events, which belong to a time; {_lines(_nearest(name, times), name)}"
    return ""


def _lines(time: str, event: str) -> str:
    return f'a [[hypothesis]] with time = "{time}" and event = "{event}" tests both'


def _is_event(label: Label) -> bool:
    return label.kind.has_levels and holds_events(label.name, label.values)


def _nearest(name: str, columns: list[Label]) -> str:
    """Return the column whose name is the same but for words such as "time"; else the first."""
    alike = [one.name for one in columns if _stem(one.name) == _stem(name)]
    return [*alike, *(one.name for one in columns)][0]


def _stem(name: str) -> str:
    return _NOT_OF_THE_STEM.sub("", name).casefold()


def _readable(labels: Labels) -> dict[str, Label]:
    """Return the columns that the tables do not contradict each other about."""
    known = {}
    for name in labels:
        try:
            known[name] = labels[name]
        except InputError:
            continue
    return known
