"""The tests that there are.

To add one, write a module with a class of `lggshape.association.Test`, and add a line here. Nothing
here imports a slow library.
"""

from collections.abc import Mapping
from types import MappingProxyType

from lggshape.errors import InputError
from lggshape.names import did_you_mean

TEST_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "jonckheere-terpstra": "jonckheere:JonckheereTerpstra",
        "fisher": "fisher_on_bins:FisherOnBins",
        "kruskal-wallis": "kruskal_wallis:KruskalWallis",
        "spearman": "spearman:Spearman",
        "cox": "cox_regression:CoxRegression",
    }
)
"""Module and class of every test by its name, as options and results have it. The first that takes
a kind of label decides about it by default."""


def check_test(what: str, name: str) -> None:
    """Raise InputError, with what it is the name of, for a name that is none of a test."""
    if name not in tuple(TEST_CLASSES):
        near = did_you_mean(str(name), TEST_CLASSES)
        msg = f"Expected {what} to be one of {', '.join(TEST_CLASSES)}, found {name!r}.{near}"
        raise InputError(msg)
