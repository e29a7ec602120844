"""Why a label has no test, and what would give it one."""

import pandas as pd

from lggshape.association.tests import testable_kinds
from lggshape.labels import Kind, Label, value_counts, words_among_numbers
from lggshape.names import counted

_LISTED = 8
"""More words than this are not written out."""


def why_no_test(label: Label) -> str:
    """Return why no test takes a label of this kind, to follow "found", and what to write.

    Examples
    --------
    >>> from lggshape.labels import read_labels
    >>> ages = [*map(str, range(40, 60)), ">89"]
    >>> table = pd.DataFrame({"patient": [f"p{i}" for i in range(21)], "age": ages})
    >>> print(why_no_test(read_labels(table)["age"]))
    numbers beside '>89' (1); a [[label]] with kind = "continuous" and missing = [">89"] tests the \
numbers
    """
    if label.kind is Kind.TIME:
        return (
            f'a time; a [[hypothesis]] with time = "{label.name}" and a column of events as event '
            "tests both"
        )
    words = words_among_numbers(label.values.astype(str))
    if len(words):
        listed = list(dict.fromkeys(words))
        quoted = ", ".join(f'"{word}"' for word in listed) if len(listed) <= _LISTED else "..."
        return (
            f'numbers beside {value_counts(words)}; a [[label]] with kind = "continuous" and '
            f"missing = [{quoted}] tests the numbers"
        )
    several = counted(label.values.nunique(), "different value")
    return (
        f"{label.kind.word} ({several} in {counted(len(label.values), 'patient')}), not "
        f"{testable_kinds()}; numbers have to stand alone, without units, and a [[label]] can "
        "state its kind, or merge its values by levels"
    )


def why_one_value(label: Label, patients: "pd.Series[str]") -> str:
    """Return which value all patients with features have; "" if they have several.

    Examples
    --------
    >>> from lggshape.labels import read_labels
    >>> table = pd.DataFrame({"patient": ["a", "b", "c"], "MGMT": ["yes", None, "yes"]})
    >>> why_one_value(read_labels(table)["MGMT"], table["patient"])
    "constant among the patients with features: 'yes' (2 of 3)"
    """
    values = label.values[label.values.index.isin(patients)]
    if values.empty:
        return "no patient with features has a value"
    if values.nunique() > 1:
        return ""
    of = f"{len(values)} of {patients.nunique()}"
    return f"constant among the patients with features: {str(values.iloc[0])!r} ({of})"
