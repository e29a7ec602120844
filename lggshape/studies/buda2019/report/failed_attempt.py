"""Which choice of an attempt that failed breaks the association."""

from lggshape.report import columns
from lggshape.report.blocks import Section, Table, Text
from lggshape.studies.buda2019.report.columns import MASKS, N
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.summary import PARTS

_COLUMNS = (
    MASKS, columns.count("realisation", "realisation"),
    columns.words("ellipsoid", "ellipsoid"), columns.words("component", "component"),
    columns.words("in the plane", "in_plane"), columns.words("test", "test"), N,
    columns.interval("AUC of 1/BEVR for R2 (95 %)", "auc", "auc_low", "auc_high"),
    columns.p("p, BEVR", "p_ellipsoid"), columns.p("p, MF", "p_margin"),
    columns.number("Pearson's r with manual", "pearson"), columns.number("ICC", "icc"),
)  # fmt: skip


def failed_attempt(findings: Findings) -> Section:
    """Return the section on the attempt that failed."""
    blocks = [
        *PARTS["failed attempt"](findings.evidence),
        Text(
            "Its choices and those of this study were exchanged one at a time. Ours: the "
            "minimum-volume ellipsoid, one component, the 2D features of this study, and a test of "
            "quartiles against all clusters. Theirs: an ellipsoid in principal axes, all "
            "components, features of its radial signature, and tests of the values above the "
            "median against one cluster at a time, of which the smallest p is taken."
        ),
        Table.of(
            findings.tables["failed_attempt_one_at_a_time"], "One choice changed. Patients whose "
            "disturbed mask is empty are left out, so n differs.",
            "failed_attempt_one_at_a_time",
            columns.words("from", "start"), columns.words("changed", "changed"), *_COLUMNS,
        ),
        Table.of(
            findings.tables["failed_attempt_masks"],
            "Noise was raised until the mean Dice of all voxels above a probability of one half "
            "was at most 0.71 over the realisations of a level. The attempt had a mean of 0.707, a "
            "median of 0.808, and six patients missed. The last level stands for its masks. The "
            "other levels were added after the last level was seen to be lower than intended.",
            "failed_attempt_masks",
            columns.number("noise", "noise", 1), columns.count("realisation", "realisation"),
            columns.number("mean Dice", "dice_mean", 3),
            columns.number("median", "dice_median", 3), columns.count("below 0.1", "below_tenth"),
            columns.yes("low enough", "reached"),
        ),
        Table.of(
            findings.tables["failed_attempt"], "All combinations.", "failed_attempt", *_COLUMNS
        ),
    ]  # fmt: skip
    return Section("failed-attempt", "Why an attempt failed", blocks)
