"""What happens if the masks, the images or the outlines are disturbed."""

from lggshape.report import columns
from lggshape.report.blocks import Section, Table, Text
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.buda2019.report.columns import (
    AUC,
    CLUSTER,
    FEATURE,
    LABEL,
    PREDICTOR,
    N,
    P,
    V,
)
from lggshape.studies.buda2019.report.findings import Findings, p_strips
from lggshape.studies.buda2019.report.summary import PARTS

_LENGTH = (
    "Both the jitter of the outlines and the fields behind drawn masks are white noise, smoothed "
    "by a Gaussian. Its sigma is called their length. Two points at that distance have a "
    "correlation of 0.78, at twice the distance of 0.37."
)


def robustness(findings: Findings) -> Section:
    """Return the section on how much the features change with the mask."""
    blocks = [
        Table.of(
            findings.tables["robustness"],
            "Features of manual masks compared with those of the same masks after a change. "
            "ICC(A,1) with bootstrap intervals; for the jitter, the medians over five draws.",
            "robustness",
            FEATURE, columns.words("change", "change"), columns.words("patients", "patients"), N,
            columns.interval("ICC (95 %)", "icc", "low", "high"),
            columns.number("median relative change", "median_relative_change", 3),
        ),
        Text(_LENGTH, "note"),
    ]  # fmt: skip
    return Section("robustness", "Robustness", blocks)


def noise(findings: Findings) -> Section:
    """Return the section on what noise on the images does."""
    agreement = findings.tables["noise_agreement"]
    level = columns.number("noise", "noise", 1)
    realisation = columns.count("realisation", "realisation")
    blocks = [
        Text(
            "Noise was added to the images that the networks receive. Its level is in standard "
            "deviations of each sequence. The paper reports a mean Dice of 0.82 without noise, of "
            "0.81 with 10 % and of 0.79 with 20 %. Its median Dice is 0.85 in all three."
        ),
        *PARTS["noise"](findings.evidence),
        Table.of(
            findings.tables["noise"], "Dice at each level.", "noise",
            level, realisation, N, columns.number("mean Dice", "dice_mean", 3),
            columns.number("median", "dice_median", 3), columns.count("below 0.5", "below_half"),
            columns.count("empty", "empty"),
        ),
        Table.of(
            findings.tables["noise_associations"], "The tests at each level.", "noise_associations",
            columns.words("noise", "analysis"), FEATURE, LABEL, N, P, V,
        ),
        Table.of(
            findings.tables["noise_areas"], "Areas under the curve at each level.", "noise_areas",
            columns.words("noise", "analysis"), PREDICTOR, CLUSTER, N, AUC,
        ),
        Table.of(
            agreement[agreement["measure"] == "ICC(A,1)"], "ICC with the manual features.",
            "noise_agreement",
            level, realisation, FEATURE, N,
            columns.interval("ICC (95 %)", "estimate", "low", "high"),
        ),
    ]  # fmt: skip
    return Section("noise", "Noise", blocks)


def uncertainty(findings: Findings) -> Section:
    """Return the section on what the uncertainty of the masks does."""
    draws = findings.tables["draws"].rename(columns={"draws": "masks"})
    first = draws["masks"].iloc[0]
    primary = findings.tables["associations"]
    own = primary[primary["masks"] == AUTOMATIC].assign(masks=first)
    figure = p_strips(draws[draws["masks"] == first], own, findings.family)
    description = "p of every hypothesis over the draws; that of the masks themselves is outlined"
    stability = findings.tables["stability"]
    blocks = [
        Text(
            "Masks were drawn at random from the calibrated probabilities. Each voxel is inside as "
            "often as its probability says, and neighbouring voxels are correlated. The stability "
            "is the share of draws in which p stays below alpha after correction."
        ),
        *PARTS["draws"](findings.evidence),
        Text(
            "The stability is not the probability that an association is real. A drawn mask has "
            "more error than the mask itself, which tends to make p larger. The spreads of the "
            "features are not intervals for the values that a better mask would have. The number "
            "of draws by networks and flips is limited by the patient with the fewest of them.",
            "note",
        ),
        findings.gallery.keep(figure, description, "stability"),
        Table.of(
            stability, "The hypotheses over the draws.", "stability",
            columns.words("draws by", "draws"), FEATURE, LABEL, columns.count("draws", "count"),
            columns.p("p, median", "p_median"), columns.p("2.5 %", "p_low"),
            columns.p("97.5 %", "p_high"), columns.number("V, median", "effect_median"),
            columns.number("stability", "stability"),
            columns.number("below the paper's bound", "below_reported"),
        ),
        Table.of(
            findings.tables["feature_spreads"],
            "The features over the draws. Shift: median draw minus the mask's own value, median "
            "over patients. Outside: share of patients whose own value is outside the range from "
            "2.5 to 97.5 % of their draws. Width: width of this range, divided by the standard "
            "deviation between patients.",
            "feature_spreads",
            columns.words("draws by", "draws"), FEATURE, columns.count("patients", "patients"),
            columns.number("shift", "shift", 4), columns.number("outside", "outside"),
            columns.number("width", "width"),
        ),
        Text(_LENGTH, "note"),
    ]  # fmt: skip
    return Section("uncertainty", "Uncertainty", blocks)
