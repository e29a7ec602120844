"""A study: the results of a family of hypotheses."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from lggshape.association.adjustment import AdjustedResults
from lggshape.association.feature_table import feature_symbol
from lggshape.association.hypotheses import Family, Hypothesis
from lggshape.association.kinds_of_test import Test
from lggshape.association.tested_pair import TestedPair
from lggshape.association.tests import deciding_test, tests_for
from lggshape.files import to_records
from lggshape.labels import Label, PatientMatch
from lggshape.names import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggshape.figures.forest import ForestPanel


_SHOWN = ["masks", "feature", "label", "n", "p", "p_bonferroni", "effect_name", "effect"]


@dataclass(frozen=True, repr=False)
class Study:
    """The results of a family of hypotheses.

    Attributes
    ----------
    family : Family
        What was asked.
    bins : int
        Number of quantile bins of a feature.
    test : str or None
        Name of the test that was asked for, which decided for the kinds of label that it takes;
        None for the default of each kind.
    data : DataFrame
        The feature table.
    labels : mapping of str to Label
        The tested labels.
    associations : DataFrame
        The primary test of every hypothesis; see `docs/tables.md` for the columns of all tables.
    sensitivity : DataFrame
        The same hypotheses by the other tests and with other cut-points.
    discrimination : DataFrame
        Area under the curve of every tested feature for each level against the rest.
    contingency : DataFrame
        The tables of quantile bins against levels, a row per cell.
    patients : DataFrame
        Who is in each hypothesis and who is missing, whether those without a label differ from the
        others, and values tied with a cut-point.
    cohort : DataFrame
        Table 1: the labels of the patients, of all and by level of each tested label.
    flow : DataFrame
        From the patients of the tables to those with features and labels.
    left_out : DataFrame
        What was not tested, and why.
    match : PatientMatch
        How the patients of the features and of the labels were matched.
    given : AdjustedResults or None
        The hypotheses given covariates and without each site; None if none were named.
    """

    family: Family
    bins: int
    test: str | None
    data: pd.DataFrame
    labels: Mapping[str, Label]
    associations: pd.DataFrame
    sensitivity: pd.DataFrame
    discrimination: pd.DataFrame
    contingency: pd.DataFrame
    patients: pd.DataFrame
    cohort: pd.DataFrame
    flow: pd.DataFrame
    left_out: pd.DataFrame
    match: PatientMatch
    given: AdjustedResults | None = None

    @property
    def masks(self) -> tuple[str, ...]:
        """The kinds of mask, in the order of the feature table."""
        return tuple(dict.fromkeys(self.data["masks"]))

    @property
    def region(self) -> str:
        """The region of the tumour that was measured; "" if the table does not tell."""
        return str(self.data["region"].iloc[0]) if "region" in self.data else ""

    @property
    def tests(self) -> tuple[Test, ...]:
        """The tests that decided about the hypotheses, each once."""
        return tuple(dict.fromkeys(self.test_of(h) for h in self.family.hypotheses))

    @property
    def other_tests(self) -> tuple[Test, ...]:
        """The tests of the sensitivity analyses that decided about no hypothesis."""
        kinds = dict.fromkeys(label.kind for label in self.labels.values())
        every = dict.fromkeys(test for kind in kinds for test in tests_for(kind))
        return tuple(test for test in every if test not in self.tests)

    def test_of(self, hypothesis: Hypothesis) -> Test:
        """Return the test that decided about a hypothesis."""
        return deciding_test(self.test, self.labels[hypothesis.label].kind)

    def pair(self, hypothesis: Hypothesis, masks: str) -> TestedPair:
        """Return a hypothesis with its patients, those of one kind of mask."""
        group = self.data[self.data["masks"] == masks]
        return TestedPair.of(hypothesis, self.labels[hypothesis.label], group)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table of results by its name."""
        return {
            "associations": self.associations,
            "sensitivity": self.sensitivity,
            "discrimination": self.discrimination,
            "contingency": self.contingency,
            "patients": self.patients,
            "cohort": self.cohort,
            "flow": self.flow,
            "left_out": self.left_out,
            **({} if self.given is None else self.given.tables()),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the family and every table as plain values, missing numbers as None."""
        return {
            "family": self.family.name,
            "title": self.family.title,
            "alpha": self.family.alpha,
            "reference": self.family.reference,
            "bins": self.bins,
            "test": " and ".join(test.name for test in self.tests),
            **({"region": self.region} if self.region else {}),
            **{name: to_records(table) for name, table in self.tables().items()},
        }

    def summary(self) -> str:
        """Return the primary tests as a short text table, with what is asked and can be shown."""
        table = self._shown().to_string(
            index=False, na_rep="", float_format=lambda value: f"{value:.3g}"
        )
        return f"{table}\n{self._what_n_can_show()}"

    def _what_n_can_show(self) -> str:
        tested = self.associations[self.associations["p"].notna()]
        exploratory = int((tested["exploratory"] != "").sum())
        name, title = self.family.name, self.family.title
        asked = f"Hypotheses {name}." if name == title else f"Hypotheses {name}: {title}."
        if not exploratory:
            return asked
        return (
            f"{asked}\n{exploratory} of {counted(len(tested), 'test')} can only be exploratory: "
            "with so few patients, only very large effects can be found (columns n_per_level, "
            "detectable, large and exploratory of associations)."
        )

    def plot(self) -> "Figure":
        """Draw the effect of every hypothesis with its interval.

        Returns
        -------
        Figure
            A row per hypothesis with a line per kind of mask, in a panel per kind of effect. In a
            notebook it shows itself.
        """
        from lggshape.figures.forest import forest_plot

        return forest_plot([self._panel(test) for test in self.tests], self.masks)

    def _panel(self, test: Test) -> "ForestPanel":
        """Return the effects of the hypotheses that a test decided about."""
        from lggshape.figures.forest import ForestPanel, ForestRow

        effects: dict[Any, Any] = {
            (row.feature, row.label, row.masks): (row.effect, row.effect_low, row.effect_high)
            for row in self.associations.itertuples(index=False)
        }
        rows = [
            ForestRow(
                f"{feature_symbol(one.feature)} × {one.label}",
                [effects[one.feature, one.label, masks] for masks in self.masks],
            )
            for one in self.family.hypotheses
            if self.test_of(one) is test
        ]
        limits = None if test.is_ratio else test.effect_limits
        return ForestPanel(rows, test.effect, test.no_effect, limits, test.is_ratio)

    def __repr__(self) -> str:
        rows = self.associations
        count, holding = len(rows), int((rows["p_bonferroni"] <= self.family.alpha).sum())
        tests = " and ".join(test.name for test in self.tests)
        region = f", region: {self.region}" if self.region else ""
        return (
            f"Study({self.family.name!r}, {tests}, {self.bins} bins, masks: "
            f"{', '.join(self.masks)}{region}; {holding} of {count} hold after correction)"
        )

    def _repr_html_(self) -> str:
        table = self._shown().to_html(
            index=False, border=0, na_rep="", float_format="{:.3g}".format, max_rows=60
        )
        return f"<p><b>{escape(self.family.title)}</b>, {escape(repr(self))}</p>{table}"

    def _shown(self) -> pd.DataFrame:
        return self.associations[_SHOWN]
