"""The tests of a hypothesis, each an object; the kind of a label chooses among them."""

from pkgutil import resolve_name

from lggshape.association.kinds_of_test import Test
from lggshape.association.registry import TEST_CLASSES
from lggshape.labels import Kind

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
    """
    return tuple(test for test in TESTS.values() if kind in test.kinds)


def deciding_test(name: str, kind: Kind) -> Test:
    """Return the test that decides about a label: the one of this name, if it takes its kind.

    Parameters
    ----------
    name : str
        The test that was asked for, one of `TESTS`.
    kind : Kind
        The kind of the label, one that a test takes.

    Returns
    -------
    Test
        The test of this name, or the default one for the kind.
    """
    return TESTS[name] if kind in TESTS[name].kinds else tests_for(kind)[0]


def testable_kinds() -> str:
    """Return the kinds of label that a test takes, in words."""
    kinds = [kind for kind in Kind if tests_for(kind)]
    return " or ".join(
        dict.fromkeys("categorical" if kind.has_levels else kind.word for kind in kinds)
    )
