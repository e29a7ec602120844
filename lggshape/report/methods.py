"""How the results were made, what they cannot show, and what they were made from."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lggshape import shape
from lggshape.association import FEWEST, POWER, REFERENCES_OF_POWER, Study, corrected_alpha
from lggshape.provenance import InputFile
from lggshape.report import wording
from lggshape.report.adjustment import REFERENCES
from lggshape.report.blocks import (
    Block,
    Column,
    Facts,
    Heading,
    Points,
    Section,
    Table,
    Text,
    code,
)
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
    """Return the section on the methods."""
    family = study.family
    blocks: list[Block] = [
        *(Text(f"{test.title}. {test.methods(study.bins)}") for test in study.tests),
        *(
            Text(f"{test.title}, as a sensitivity analysis. {test.methods(study.bins)}")
            for test in study.other_tests
        ),
        Text(
            f"The p-values are corrected over the family “{family.name}”, separately for each kind "
            f"of mask. Verdicts use the Bonferroni correction at {family.alpha:g}."
        ),
    ]
    blocks.append(Text(_what_n_can_show(study)))
    if labels_with_groups(study):
        blocks.append(
            Text(
                "Intervals of the AUC are DeLong's on the logit scale, with Student's t on "
                "Satterthwaite's degrees of freedom (Brunner and Munzel)."
            )
        )
    features = [shape.FEATURES[name] for name in tested_features(study) if name in shape.FEATURES]
    if features:
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
        blocks.append(table)
    own = [family.reference] if family.reference else []
    tests = [*study.tests, *study.other_tests]
    cited = dict.fromkeys(reference for test in tests for reference in test.references)
    areas = _OF_AREAS if labels_with_groups(study) else ()
    given = REFERENCES if study.given is not None else ()
    points = [*own, *cited, *REFERENCES_OF_POWER, *areas, *given, *_OF_CORRECTION]
    blocks += [Heading("References"), Points(points)]
    return Section("methods", "Methods", blocks)


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


def provenance(study: Study, inputs: Sequence[InputFile], options: Mapping[str, Any]) -> Section:
    """Return the section on the files and options that the results were made from."""
    blocks: list[Block] = []
    if inputs:
        table = Table.of(
            inputs,
            "The inputs, with the hashes of their contents.",
            "",
            Column("file", lambda file: file.path, "long"),
            Column("SHA-256", lambda file: code(file.sha256), "long"),
        )
        blocks.append(table)
    if options:
        blocks.append(Facts([(name, str(value)) for name, value in options.items()]))
    names = Markup(", ").join(code(f"{name}.csv") for name in study.tables())
    blocks.append(
        Text(
            "Beside this file are the tables (" + names + "; together in "
            + code("results.json") + ") and, in "
            + code("figures/") + ", every figure as PNG and SVG. Times, host and versions are in "
            + code("run.json") + "."
        )
    )  # fmt: skip
    return Section("provenance", "Provenance", blocks)
