"""How the results were made, and what they cannot show."""

from collections.abc import Iterator
from importlib.metadata import version

from lggshape import shape
from lggshape.association import FEWEST, POWER, REFERENCES_OF_POWER, Study, corrected_alpha
from lggshape.names import counted
from lggshape.report import wording
from lggshape.report.adjustment import REFERENCES
from lggshape.report.blocks import Column, Points, Section, Table, code
from lggshape.report.closing import methods_section
from lggshape.report.selection import labels_with_groups, tested_features

_OF_AREAS = (
    "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated "
    "receiver operating characteristic curves. Biometrics 1988; 44: 837-845.",
    "Brunner E, Munzel U. The nonparametric Behrens-Fisher problem: asymptotic theory and a "
    "small-sample approximation. Biometrical Journal 2000; 42: 17-25.",
)
_OF_CORRECTION = (
    "Benjamini Y, Hochberg Y. Controlling the false discovery rate. Journal of the Royal "
    "Statistical Society B 1995; 57: 289-300.",
)


def methods(study: Study) -> Section:
    """Return the section on the methods, with their text and the references to copy."""
    features = [shape.FEATURES[name] for name in tested_features(study) if name in shape.FEATURES]
    table = Table.of(
        features,
        "The tested features.",
        "",
        Column("feature", lambda feature: wording.plain(feature.name), "text"),
        Column("symbol", lambda feature: feature.symbol, "text"),
        Column("definition", lambda feature: feature.definition, "long"),
        Column("source", lambda feature: feature.source, "long"),
        Column("found to be associated with", lambda f: f.literature or "—", "long"),
    )
    return methods_section(
        _opening(study), list(_paragraphs(study)), _references(study), [table] if features else []
    )


def _opening(study: Study) -> str:
    """Return what was measured and tested, as the methods of a paper begin."""
    patients = counted(study.data["patient"].nunique(), "patient")
    features = "; ".join(
        f"{wording.plain(name)}: {shape.FEATURES[name].definition[:1].lower()}"
        f"{shape.FEATURES[name].definition[1:].removesuffix('.')}"
        for name in tested_features(study)
        if name in shape.FEATURES
    )
    return (
        f"Features of tumour shape were tested in {patients} ({' and '.join(study.masks)} masks) "
        f"with lggshape {version('lggshape')}"
        + (f". The features are {features}" if features else "")
        + f". They were tested against {', '.join(study.labels)}."
    )


def _paragraphs(study: Study) -> Iterator[str]:
    """Yield how the hypotheses were tested and corrected."""
    family = study.family
    for test in study.tests:
        yield f"{test.title}. {test.methods(study.bins)}"
    for test in study.other_tests:
        yield f"{test.title}, as a sensitivity analysis. {test.methods(study.bins)}"
    yield (
        f"The p-values are corrected over the family “{family.name}”, separately for each kind "
        f"of mask. Verdicts use the Bonferroni correction at {family.alpha:g}."
    )
    yield _what_n_can_show(study)
    if labels_with_groups(study):
        yield (
            "Intervals of the AUC are DeLong's on the logit scale, with Student's t on "
            "Satterthwaite's degrees of freedom (Brunner and Munzel)."
        )


def _references(study: Study) -> list[str]:
    own = [study.family.reference] if study.family.reference else []
    tests = [*study.tests, *study.other_tests]
    cited = dict.fromkeys(reference for test in tests for reference in test.references)
    areas = _OF_AREAS if labels_with_groups(study) else ()
    given = REFERENCES if study.given is not None else ()
    return [*own, *cited, *REFERENCES_OF_POWER, *areas, *given, *_OF_CORRECTION]


def _what_n_can_show(study: Study) -> str:
    return (
        "The smallest effect that a test could have shown is the one that it finds with a "
        f"probability of {POWER:g} in as many patients, at {corrected_alpha(study.family):.2g}, "
        "the level after Bonferroni correction. "
        + " ".join(test.power for test in study.tests if test.power)
        + " These formulas are for many patients, so they are rough for a few. A test is called "
        "exploratory if that effect is larger than a large one, or if it has fewer than "
        f"{FEWEST} patients outside the largest level, or fewer than {FEWEST} events (Peduzzi et "
        "al.). What such tests find is likely to be overestimated (Button et al.)."
    )


def limits(study: Study) -> Section:
    """Return the section on what the results cannot show."""
    points = [
        "An association is not a cause.",
        "A small p-value does not mean a large effect: read the interval beside it.",
        "Groups of different labels overlap. Hypotheses on related labels are not independent "
        "pieces of evidence.",
        "On a pixel grid, even a disc has a rough margin. For small tumours, interpret the "
        "features of the margin with care.",
        "The p-values depend on the conventions of the features (slice, contour, bins, corners of "
        "the voxels). " + code("lggshape features") + " has options for other conventions.",
        *_exploratory(study),
        *study.family.notes,
        "Patients without a label or a feature are left out of the tests that need it. If at "
        "least five lack a label, the section on the data compares them with the others.",
    ]  # fmt: skip
    return Section("limits", "Limits", [Points(points)])


def _exploratory(study: Study) -> list[str]:
    """Return which of the tested features are exploratory, if any is."""
    names = [
        wording.plain(name)
        for name in tested_features(study)
        if name in shape.FEATURES and shape.FEATURES[name].is_exploratory
    ]
    if not names:
        return []
    return [
        f"Exploratory features: {', '.join(names)}. Few studies have tested them, so what is found "
        "with them has to be confirmed in other patients."
    ]
