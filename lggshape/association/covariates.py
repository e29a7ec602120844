"""Covariates: labels or columns of the feature table that tests are adjusted for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lggshape.association.feature_table import KEYS, find_feature, measured_columns
from lggshape.checks import check_whole_number
from lggshape.errors import InputError
from lggshape.labels import Kind, Label, Labels
from lggshape.names import did_you_mean, first_few, repeated
from lggshape.statistics import normal_scores

OF_FEATURES = "features:"
"""The name of a column of the feature table begins with this if a label has the same name."""

SITE = "site"
"""The column whose values are left out one by one if no other is named."""

_LISTED = 40
"""So many labels and columns are listed: tables of other programs have more than a hundred."""

_NOT_COVARIATES = (*KEYS, "reason", "spacing_known")


@dataclass(frozen=True)
class Covariate:
    """A label or a column of the feature table, as a covariate or as strata.

    Attributes
    ----------
    name : str
        What it was asked for as.
    column : str
        The column of the feature table; "" for a label.
    label : Label or None
        The label; None for a column of the feature table.
    codes : bool
        Whether numbers are names of groups, as those of sites are.
    """

    name: str
    column: str
    label: Label | None = None
    codes: bool = False

    def values(self, group: pd.DataFrame) -> pd.Series:
        """Return the value of each row of a feature table: floats, or words with None."""
        if self.label is None:
            values = group[self.column].reset_index(drop=True)
        else:
            values = self.label.values.reindex(group["patient"]).reset_index(drop=True)
        words = values.dtype != float if self.label is None else self.label.kind.has_levels
        if not words and not self.codes:
            return values.astype(float)
        known = values.notna() & (values != "")
        texts = values if words else values.astype(float).map("{:.15g}".format)
        return texts.astype(object).where(known, None)

    def is_of(self, feature: str, label: Label) -> bool:
        """Return whether it is the feature or the label of a hypothesis itself."""
        if self.label is None:
            return self.column == feature
        return self.label.name == label.name or self.label.values.equals(label.values)


@dataclass(frozen=True)
class Adjustment:
    """What tests are adjusted for.

    Attributes
    ----------
    covariates : tuple of Covariate
        In the order in which they were named.
    within : Covariate or None
        The strata within which patients are compared.
    site : Covariate or None
        The sites: those that are left out one by one, and whose interaction is tested.
    permutations : int
        Number of random permutations of a test by ranks.
    """

    covariates: tuple[Covariate, ...]
    within: Covariate | None
    site: Covariate | None
    permutations: int

    @classmethod
    def of(
        cls,
        adjust: Sequence[str],
        within: str | None,
        table: pd.DataFrame,
        labels: Labels,
        *,
        permutations: int,
    ) -> "Adjustment | None":
        """Return the covariates that were named; None if there are none.

        Raises
        ------
        InputError
            If a name is that of no label and no column, or of both, or what it names is survival,
            identifies patients, or cannot be strata; or if a name stands twice.
        """
        names = [adjust] if isinstance(adjust, str) else list(adjust)
        check_whole_number(permutations, "permutations", least=1)
        if doubled := repeated(names):
            msg = f"Expected every covariate once, found {doubled[0]} twice."
            raise InputError(msg)
        if not names and within is None:
            return None
        # Strata are compared within themselves, so that they need not be covariates as well.
        covariates = tuple(find_covariate(name, table, labels) for name in names if name != within)
        strata = None
        if within is not None:
            strata = find_covariate(within, table, labels)
            _check_strata(strata, table)
            strata = replace(strata, codes=True)
        site = strata or next((one for one in covariates if one.codes), None)
        if site is None and (SITE in labels) != (SITE in table):
            site = find_covariate(SITE, table, labels)
        return cls(covariates, strata, site, permutations)

    @property
    def title(self) -> str:
        """What is adjusted for, in words.

        Examples
        --------
        >>> Adjustment((Covariate("age", "age"),), Covariate("site", "site"), None, 99).title
        'adjusted for age, within site'
        """
        names = ", ".join(one.name for one in self.covariates)
        given = [f"adjusted for {names}"] * bool(self.covariates)
        inside = [] if self.within is None else [f"within {self.within.name}"]
        return ", ".join([*given, *inside])

    def known(self, group: pd.DataFrame) -> dict[str, pd.Series]:
        """Return the values of all that is adjusted for, and of the sites, by name."""
        every = [*self.covariates, *(one for one in (self.within, self.site) if one is not None)]
        return {one.name: one.values(group) for one in every}


def find_covariate(name: str, table: pd.DataFrame, labels: Labels) -> Covariate:
    """Return the label or the column of a feature table that has a name.

    Parameters
    ----------
    name : str
        A label, also as `table:column`; or a column of the feature table, the symbol of a feature,
        or either after `features:`.
    table : DataFrame
        As from `read_features`.
    labels : Labels
        The labels.

    Returns
    -------
    Covariate
        What has that name.

    Raises
    ------
    InputError
        If nothing has it, or a label and a column both have it, or it cannot be a covariate.
    """
    columns = _columns(table)
    asked = str(name)
    wanted = asked.removeprefix(OF_FEATURES)
    column = wanted if wanted in columns else find_feature(wanted, columns)
    if asked not in labels:
        if column is None:
            choices = [*labels, *columns]
            msg = (
                f"Expected the covariate {asked} to be a label or a column of the feature table, "
                f"found neither. There are: {first_few(choices, _LISTED)}."
                f"{did_you_mean(asked, choices)}"
            )
            raise InputError(msg)
        return Covariate(asked, column, codes=column == SITE)
    if column is not None:
        msg = (
            f"Expected the covariate {asked} to be a label or a column of the feature table, found "
            f"both. Name the column as {OF_FEATURES}{asked}, or the label as "
            f"{labels.tables[0].name}:{asked} (the table before the colon)."
        )
        raise InputError(msg)
    label = labels[asked]
    if label.kind in {Kind.SURVIVAL, Kind.IDENTIFIER}:
        msg = (
            f"Expected the covariate {asked} to be categories or numbers, found {label!r}. A "
            f"[[label]] of a hypothesis file can state its `kind`."
        )
        raise InputError(msg)
    return Covariate(asked, "", label, codes=asked.rpartition(":")[2] == SITE)


def design(values: Iterable[pd.Series], *, of_ranks: bool) -> NDArray[np.float64]:
    """Return design columns of covariates without missing values.

    Words become an indicator of each that occurs but the first. Numbers become normal scores of
    their ranks, so that a covariate and its logarithm are the same one. In a model of ranks they
    have a second column, the ranks themselves: how the ranks of one normal variable depend on
    another one, weakly or strongly, is nearly a sum of the two.

    Parameters
    ----------
    values : iterable of Series
        Floats or words of the same patients.
    of_ranks : bool
        Whether the model is one of ranks.

    Returns
    -------
    ndarray of shape (patients, columns)
        No column if there is no covariate.

    Examples
    --------
    >>> covariates = [pd.Series([7.0, 9.0]), pd.Series(["a", "b"])]
    >>> design(covariates, of_ranks=False).round(2).tolist()
    [[-0.43, 0.0], [0.43, 1.0]]
    >>> design(covariates, of_ranks=True).round(2).tolist()
    [[1.0, -0.43, 0.0], [2.0, 0.43, 1.0]]
    """
    parts: list[NDArray[np.float64]] = []
    for one in values:
        if one.dtype != float:
            parts.append(indicators(one))
            continue
        if of_ranks:
            parts.append(np.asarray(rankdata(one))[:, None])
        parts.append(normal_scores(one)[:, None])
    return np.hstack(parts) if parts else np.empty((0, 0))


def indicators(words: Iterable[object]) -> NDArray[np.float64]:
    """Return an indicator column of each value that occurs but the first.

    Examples
    --------
    >>> indicators(["b", "a", "c", "a"]).tolist()
    [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    codes = np.unique(np.asarray(list(words), dtype=str), return_inverse=True)[1]
    columns: NDArray[np.float64] = np.eye(int(codes.max()) + 1)[codes][:, 1:]
    return columns


def missing_counts(
    names: Iterable[str], known: Mapping[str, pd.Series], patients: NDArray[np.bool_]
) -> str:
    """Return how many of some patients lack each covariate, as "age (3); site (1)".

    Examples
    --------
    >>> missing_counts(["age"], {"age": pd.Series([1.0, np.nan])}, np.array([True, True]))
    'age (1)'
    """
    counts = {name: int(known[name].isna().to_numpy()[patients].sum()) for name in names}
    return "; ".join(f"{name} ({count})" for name, count in counts.items() if count)


def _columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of a feature table that can be covariates: numbers that measure, words."""
    words = [str(name) for name, column in table.items() if column.dtype != float]
    return [*measured_columns(table), *(name for name in words if name not in _NOT_COVARIATES)]


def _check_strata(strata: Covariate, table: pd.DataFrame) -> None:
    """Refuse to compare patients within the values of a measurement."""
    values = strata.values(table)
    if values.dtype == float and not values.dropna().mod(1).eq(0).all():
        msg = (
            f"Expected the strata {strata.name} to be categories or whole numbers, found numbers "
            "with fractions. To adjust for a measurement, name it in --adjust (adjust= in Python)."
        )
        raise InputError(msg)
