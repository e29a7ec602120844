"""Cox regression of survival on a feature."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lggshape.association.kinds_of_test import CHECK, NOWHERE, Detectable, Result, Test, short_name
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.errors import InputError
from lggshape.labels import Kind, Label
from lggshape.statistics import detectable_hazard_ratio, kaplan_meier
from lggshape.statistics.survival import CoxTerm, cox

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggshape.figures import SurvivalGroup

_LABELLED_TIMES = 5

_LARGE = 1.67
"""Azuero's large ratio of two groups, 2.8, per standard deviation of two equal groups: its root."""


class CoxRegression(Test):
    """Cox regression of survival on a feature, in units of its standard deviation."""

    name = "cox"
    title = "Cox regression"
    kinds = frozenset({Kind.SURVIVAL})
    statistic = "z"
    effect = "hazard ratio per SD"
    effect_limits = (0.0, np.inf)
    no_effect = 1.0
    references = (
        "Cox DR. Regression models and life-tables. Journal of the Royal Statistical Society B "
        "1972; 34: 187-220.",
        "Efron B. The efficiency of Cox's likelihood function for censored data. Journal of the "
        "American Statistical Association 1977; 72: 557-565.",
        "Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted "
        "residuals. Biometrika 1994; 81: 515-526.",
        "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. Journal of the "
        "American Statistical Association 1958; 53: 457-481.",
        "Hsieh FY, Lavori PW. Sample-size calculations for the Cox proportional hazards regression "
        "model with nonbinary covariates. Controlled Clinical Trials 2000; 21: 552-560.",
        "Azuero A. A note on the magnitude of hazard ratios. Cancer 2016; 122: 1298-1299.",
    )
    power = (
        "That of the hazard ratio comes from the number of events (Hsieh and Lavori); a ratio of 1 "
        "divided by it is as likely to be found. A large ratio is 1.67 per standard deviation: "
        "that is 2.8 between two equal groups (Azuero), or Cohen's d = 0.8 of the logarithm of the "
        "time."
    )

    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        """Test the feature by Wald's test of its coefficient."""
        found, result = _fitted(pair)
        if found is None:
            return result
        z = found.coefficient / found.standard_error
        return result._replace(statistic=z, p=found.p)

    def variations(
        self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence
    ) -> Mapping[str, Result]:
        """Test the feature by the likelihood ratio, and check that hazards are proportional."""
        found, result = _fitted(pair)
        if found is None:
            return {}
        check = Result("proportional_hazards", result.n, events=result.events)
        return {
            "p by the likelihood ratio": result._replace(
                test="cox_likelihood_ratio", p=found.p_likelihood_ratio
            ),
            f"{CHECK}proportional hazards": check._replace(p=found.p_proportional),
        }

    def detectable(self, pair: TestedPair, *, bins: int, alpha: float, power: float) -> Detectable:
        """Return the smallest hazard ratio of so many events."""
        events = int(pair.happened[pair.complete].sum())
        return Detectable(detectable_hazard_ratio(events, alpha=alpha, power=power), _LARGE)

    def direction(self, effect: float, label: Label) -> str:
        """Return whether higher values mean an earlier or a later event."""
        return f"Higher values mean {'an earlier' if effect > 1 else 'a later'} event."

    def methods(self, bins: int) -> str:
        """Describe the test and its effect."""
        return (
            "The time to the event was regressed on each feature in a Cox model, with ties by "
            "Efron's method. The hazard ratio is that of a standard deviation of the feature more; "
            "1 is no effect. Its p and interval are Wald's. That hazards are proportional was "
            "checked by the score test of Grambsch and Therneau against Kaplan-Meier time: a "
            "small p means that the ratio changes with time. The figures show Kaplan-Meier curves "
            "of the patients above the median of the feature and of the "
            "others; the median split is for the eye, and no test uses it."
        )

    def figure(
        self, pair: TestedPair, *, bins: int, value_name: str, targets: Mapping[str, str] = NOWHERE
    ) -> "Figure":
        """Draw Kaplan-Meier curves of the patients above the median of the feature and others."""
        from matplotlib.ticker import MaxNLocator

        from lggshape.figures import survival_curves

        values, times = pair.feature[pair.complete], pair.label[pair.complete]
        median = float(np.median(values))
        above = values > median
        low, high = ("up to the median", "above it")
        if not above.any():
            # Most patients have the highest value.
            above, low, high = values == median, "below the median", "at it"
        end = float(times.max())
        ticks = np.asarray(MaxNLocator(_LABELLED_TIMES).tick_values(0.0, end))
        moments = [float(tick) for tick in ticks if 0 <= tick <= end]
        return survival_curves(
            [
                _group(pair, chosen, f"{words} ({median:.3g})" if words == low else words, moments)
                for chosen, words in ((~above, low), (above, high))
            ],
            moments=moments,
            time_name=f"{short_name(pair.hypothesis.label)} (in the unit of the table)",
            group_name=value_name,
        )


def _fitted(pair: TestedPair) -> tuple[CoxTerm | None, Result]:
    """Return what the model says of the feature, and the result that it makes, without a p."""
    complete = pair.complete
    n = int(complete.sum())
    happened = pair.happened[complete]
    result = Result("cox", n, events=int(happened.sum()))
    if reason := pair.untestable:
        return None, result._replace(reason=reason)
    feature = pair.feature[complete]
    standardised = (feature - feature.mean()) / feature.std(ddof=1)
    try:
        model = cox(
            pair.label[complete],
            happened,
            standardised[:, None],
            names=[pair.hypothesis.feature],
            level=CONFIDENCE,
        )
    except InputError as error:
        return None, result._replace(reason=str(error))
    term = model.terms[0]
    ratio = term.hazard_ratio
    return term, result._replace(
        effect=ratio.estimate, effect_low=ratio.low, effect_high=ratio.high
    )


def _group(
    pair: TestedPair, chosen: "np.ndarray[tuple[int], np.dtype[np.bool_]]", name: str,
    moments: list[float],
) -> "SurvivalGroup":  # fmt: skip
    from lggshape.figures import SurvivalGroup

    times = pair.label[pair.complete][chosen]
    happened = pair.happened[pair.complete][chosen]
    curve = kaplan_meier(times, happened)
    events = int(happened.sum())
    return SurvivalGroup(
        f"{name}: n = {len(times)}, {events} events",
        np.append(curve.times, curve.end),
        np.append(curve.surviving, curve.surviving[-1]),
        curve.censored,
        curve.at(curve.censored),
        [int((times >= moment).sum()) for moment in moments],
    )
