"""What the tables of a replication say, in words."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lggshape.association import Family
from lggshape.report import wording
from lggshape.report.wording import interval_text, number_text, p_equals, p_text
from lggshape.studies.buda2019.factors import OURS, THEIRS
from lggshape.studies.buda2019.names import AUTOMATIC, BEVR, MANUAL, MF

_CHANGED = {
    "ellipsoid": "their ellipsoid",
    "component": "every island",
    "in_plane": "their radial signature",
    "test": "their test",
    "masks": "masks disturbed by noise",
}


def missed_claims(claims: pd.DataFrame) -> Iterator[str]:
    """Say of each bound that automatic masks miss what manual ones give, and what n can show."""
    key = ["feature", "label", "claim"]
    manual = claims[claims["masks"] == MANUAL].set_index(key)
    own = claims[(claims["masks"] == AUTOMATIC) & ~claims["reached"]]
    row: Any
    for row in own[own["claim"].str.startswith("p")].itertuples():
        name = f"{wording.symbol(row.feature)} × {row.label}"
        text = (
            f"{name}: p {p_equals(row.found)}, V {interval_text(row.effect, row.low, row.high)} "
            f"(n = {row.n}); with this n, a V of {number_text(row.detectable_v)} would have been "
            "found with 80 % power."
        )
        place: Any = (row.feature, row.label, row.claim)
        if place in manual.index:
            other = manual.loc[place]
            reason = (
                "so the automatic masks are not the reason"
                if not other["reached"]
                else "so it is the automatic masks that miss it"
            )
            v = interval_text(other["effect"], other["low"], other["high"])
            text += f" On manual masks p {p_equals(other['found'])}, V {v}: {reason}."
        yield text


def fragility(spans: pd.DataFrame) -> Iterator[str]:
    """Say how far the effect of each reported hypothesis moves under all changes."""
    row: Any
    for row in spans[spans["below_reported"].notna()].itertuples():
        yield (
            f"{wording.symbol(row.feature)} × {row.label}, {row.masks} masks: V "
            f"{number_text(row.effect)}; over the changes {number_text(row.effect_low)} "
            f"({row.lowest}, n = {row.lowest_n:.0f}) to {number_text(row.effect_high)}, with all "
            f"patients from {number_text(row.effect_low_of_all)}. p is below the paper's bound in "
            f"{row.below_reported:.0f} of {row.analyses} analyses."
        )


def beyond_idh(adjusted: pd.DataFrame, mutants: pd.DataFrame, family: Family) -> Iterator[str]:
    """Say what is left of each reported hypothesis given IDH and other covariates."""
    row: Any
    for h in (h for h in family.hypotheses if h.reported_below is not None):
        rows = _about(adjusted, h.feature, h.label).set_index("model")
        within = _about(mutants, h.feature, h.label)
        parts = [
            f"{model} {interval_text(row['effect'], row['effect_low'], row['effect_high'])} "
            f"(p {p_equals(row['p'])})"
            for model, row in rows.iterrows()
        ]
        for row in within.itertuples():
            v = interval_text(row.effect, row.effect_low, row.effect_high)
            parts.append(f"V within IDH mutation {v} (p {p_equals(row.p)}, n = {row.n})")
        yield (
            f"{wording.symbol(h.feature)} × {h.label}, automatic masks, partial R²: "
            f"{'; '.join(parts)}."
        )


def wild_types(counts: pd.DataFrame) -> str:
    """Say in which cluster most IDH wild types are."""
    most = counts.iloc[int(counts["patients"].argmax())]
    return (
        f"Of the {counts['patients'].sum()} IDH wild types with a {most['label']}, "
        f"{most['patients']} are in {most['level']}."
    )


def outlines(agreement: pd.DataFrame) -> str:
    """Say which way margin fluctuation of automatic masks is off."""
    rows = agreement[(agreement["feature"] == MF) & (agreement["measure"] == "bias")]
    row: Any = rows.iloc[0]
    values = "{} ({} to {})".format(*(number_text(v, 4) for v in (row.estimate, row.low, row.high)))
    if row.high < 0:
        said = "are smoother than manual ones"
    elif row.low > 0:
        said = "are rougher than manual ones"
    else:
        said = "are neither smoother nor rougher than manual ones beyond chance"
    return f"Automatic outlines {said}: MF differs by {values}."


def spread(spreads: pd.DataFrame) -> Iterator[str]:
    """Say how the drawn masks lie beside the masks themselves."""
    row: Any
    for row in spreads[spreads["feature"] == BEVR].itertuples():
        yield (
            f"BEVR, draws by {row.draws}: the median draw lies {row.shift:+.3f} from the mask's "
            f"own value (median over patients), which {100 * row.outside:.0f} % of the patients "
            "have outside their spread."
        )


def failed_attempt(table: pd.DataFrame, one: pd.DataFrame) -> Iterator[str]:
    """Say what each choice of the failed attempt does to the association."""
    choices = ["ellipsoid", "component", "in_plane", "test"]
    own = table[(table["masks"] == MANUAL) & (table[choices] == THEIRS).all(axis=1)].iloc[0]
    yield (
        f"A check of our reading of its code: all its choices on manual masks give p "
        f"{p_text(own['p_ellipsoid'])} and an AUC of {number_text(own['auc'], 3)} "
        "(published: 0.0005 and 0.764)."
    )
    ours = one[one["start"] == OURS]
    start = ours[ours["changed"] == "nothing"].iloc[0]
    effects = "; ".join(
        f"{_CHANGED[row['changed']]}: {_outcome(row)}"
        for _, row in ours[ours["changed"] != "nothing"].iterrows()
    )
    yield f"From our choices on automatic masks ({_outcome(start)}), one changed: {effects}."
    theirs = one[one["start"] == THEIRS]
    start = theirs[theirs["changed"] == "nothing"].iloc[0]
    effects = "; ".join(
        f"{'our masks' if row['changed'] == 'masks' else _CHANGED[row['changed']] + ' undone'}: "
        f"{_outcome(row)}"
        for _, row in theirs[theirs["changed"] != "nothing"].iterrows()
    )
    yield f"From all its choices on {start['masks']} masks ({_outcome(start)}): {effects}."
    lowest = table.iloc[int(table["auc"].argmin())]
    yield (
        f"The lowest AUC of all {len(table)} combinations: {_outcome(lowest)}; the attempt "
        "reports 0.455 and r -0.01. Patients whose disturbed mask is empty are left out, so n "
        "differs."
    )


def _outcome(row: Any) -> str:
    r = "" if pd.isna(row["pearson"]) else f", r {number_text(row['pearson'])}"
    return f"p {p_text(row['p_ellipsoid'])}, AUC {number_text(row['auc'])}{r}"


def _about(table: pd.DataFrame, feature: str, label: str) -> pd.DataFrame:
    chosen = (table["masks"] == AUTOMATIC) & (table["feature"] == feature)
    return table[chosen & (table["label"] == label)]
