"""The tests of a hypothesis, each an object; the kind of a label chooses among them."""

from collections.abc import Iterable
from pkgutil import resolve_name

from lggshape.association.kinds_of_test import Test
from lggshape.association.registry import TEST_CLASSES
from lggshape.errors import InputError
from lggshape.labels import Kind
from lggshape.names import or_list

TESTS: dict[str, Test] = {
    name: resolve_name(f"{__package__}.{where}")() for name, where in TEST_CLASSES.items()
}
"""All tests by name. The first that takes a kind of label is the one for that kind by default."""


def tests_for(kind: Kind) -> tuple[Test, ...]:
    """Return the tests that take a kind of label, the default first.

    Examples
    --------
    >>> [test.name for test in tests_for(Kind.NOMINAL)], tests_for(Kind.IDENTIFIER)
    (['fisher', 'kruskal-wallis'], ())
    >>> [tests_for(kind)[0].name for kind in (Kind.ORDINAL, Kind.CONTINUOUS, Kind.SURVIVAL)]
    ['jonckheere-terpstra', 'spearman', 'cox']
    """
    return tuple(test for test in TESTS.values() if kind in test.kinds)


def deciding_test(name: str | None, kind: Kind) -> Test:
    """Return the test that decides about a label: the one of this name, if it takes its kind.

    Parameters
    ----------
    name : str or None
        The test that was asked for, one of `TESTS`; None for the default of each kind.
    kind : Kind
        The kind of the label, one that a test takes.

    Returns
    -------
    Test
        The test of this name, or the default one for the kind.
    """
    return TESTS[name] if name and kind in TESTS[name].kinds else tests_for(kind)[0]


def check_applies(name: str | None, kinds: Iterable[Kind]) -> None:
    """Raise InputError if a test was asked for that takes no label of these kinds."""
    there = list(dict.fromkeys(kinds))
    if name is None or TESTS[name].kinds.intersection(there):
        return
    taken = dict.fromkeys(test.name for kind in there for test in tests_for(kind))
    msg = (
        f"Expected the test to take labels that are {or_list(kind.word for kind in there)}, found "
        f"{name}. The tests that do are: {', '.join(taken)}."
    )
    raise InputError(msg)


def testable_kinds() -> str:
    """Return the kinds of label that a test takes, in words.

    Examples
    --------
    >>> testable_kinds()
    'categorical, ordinal, continuous or survival'
    """
    return or_list(kind.word for kind in Kind if tests_for(kind))
