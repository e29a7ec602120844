"""The report of synthetic patients: every section, of tables that the modules themselves make."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, associate, read_study_family
from lggshape.files import write_table
from lggshape.labels import Labels, read_labels
from lggshape.phantoms import draw_patients
from lggshape.studies.buda2019.analyses import prediction
from lggshape.studies.buda2019.analyses.agreement import agreement_table, area_differences
from lggshape.studies.buda2019.analyses.confounding import (
    adjusted_table,
    binary_models,
    survival_models,
    wild_types,
    within_mutants,
)
from lggshape.studies.buda2019.analyses.factors import OURS, THEIRS, factor_table, one_at_a_time
from lggshape.studies.buda2019.analyses.paper import claims_table, cohort_table, table_3
from lggshape.studies.buda2019.analyses.sensitivity import (
    run_analyses,
    span_table,
    with_other_tests,
)
from lggshape.studies.buda2019.analyses.uncertainty import (
    draw_tests,
    feature_intervals,
    spread_table,
    stability_table,
)
from lggshape.studies.buda2019.names import ASD, BEVR, MF, OFFSETS
from lggshape.studies.buda2019.phantom_labels import clinical_table, cluster_table
from lggshape.studies.buda2019.report import write_report_files
from lggshape.studies.buda2019.roles import read_roles

COUNT = 60
IRREGULARITY = np.linspace(0, 1, COUNT)
IDH = "idh_1p19q_buda_table2"
PRIMARY = (
    "features",
    "outlines",
    "claims",
    "flow",
    "cohort",
    "evaluation",
    "associations",
    "table_3",
)

Tables = dict[str, pd.DataFrame]


class Page(HTMLParser):
    """Collect what a browser would load and show, section by section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {}
        self.files: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.sections[str(dict(attrs)["id"])] = ""
        if tag not in {"meta", "img", "br", "wbr", "link", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "section" in self.open:
            self.sections[list(self.sections)[-1]] += data
        if self.open and self.open[-1] == "code":
            self.files.add(data)


@pytest.fixture(scope="module")
def family() -> Family:
    """Return the four hypotheses on RNA clusters and IDH: a preset that takes no time."""
    preset = read_study_family("buda2019")
    kept = (preset.hypotheses[0], *preset.hypotheses[4:7])
    return replace(preset, hypotheses=kept)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Labels:
    """Return the labels of sixty patients, each more irregular than the one before."""
    rng = np.random.default_rng(12)
    table = cluster_table(draw_patients(IRREGULARITY, rng=rng), rng=rng)
    folder = tmp_path_factory.mktemp("labels")
    write_table(folder / "labels.csv", table.drop(columns=IDH))
    write_table(folder / "idh.csv", table[["Patient", IDH]])
    write_table(folder / "clinical.csv", clinical_table(table, rng=rng))
    return read_labels([folder / f"{name}.csv" for name in ("labels", "idh", "clinical")])


@pytest.fixture(scope="module")
def tables(labels: Labels, family: Family) -> Tables:
    """Make all tables of a replication; what needs images is made up in the form of its module."""
    rng = np.random.default_rng(13)
    roles = read_roles()
    patients = sorted(labels.patients, key=lambda name: name[-4:])

    def measured(kind: str, noise: float) -> pd.DataFrame:
        error = rng.normal(0, noise, (4, COUNT))
        keys = {"case": patients, "patient": patients, "masks": kind, "reason": ""}
        values = {
            ASD: 0.2 + 0.1 * IRREGULARITY + error[0], OFFSETS: 0.2 + 0.1 * IRREGULARITY + error[1],
            MF: 0.1 + 0.05 * IRREGULARITY + error[2], BEVR: 0.7 - 0.4 * IRREGULARITY + error[3],
            "volume": np.exp(9 + error[0]), "slices": np.arange(COUNT) % 9 + 3,
        }  # fmt: skip
        return pd.DataFrame(keys | values)

    features = pd.concat([measured("automatic", 0.03), measured("manual", 0.02)])
    automatic, manual = (features[features["masks"] == k] for k in ("automatic", "manual"))
    study = associate(features, labels, family)
    found: Tables = {
        "features": features,
        **{name: study.tables()[name] for name in ("associations", "flow", "contingency")},
        "claims": claims_table(
            study.associations, study.contingency, study.discrimination, family, roles
        ),
        "table_3": table_3(features, study.discrimination, labels, family, roles),
        "cohort": cohort_table(features, labels, pd.Series(dtype=str), family, roles),
        "agreement": agreement_table(features, (ASD, MF, BEVR, "volume")),
        "area_differences": area_differences(features, labels, family),
        "evaluation": pd.DataFrame(
            [["dice", 60, 0.871, 0.85, 0.89, 0.9, 0.88, 0.92]],
            columns=[
                "score", "n", "mean", "mean_low", "mean_high", "median", "median_low",
                "median_high",
            ],
        ),
    }  # fmt: skip
    found["outlines"] = pd.DataFrame(
        [["p1", 0.5, 3, kind, 1, *point]
         for kind in ("automatic", "manual") for point in ([0, 0], [0, 5], [5, 5])],
        columns=["patient", "dice", "slice", "masks", "part", "row", "column"],
    )  # fmt: skip
    analyses = [a for table in (automatic, manual) for a in with_other_tests(table)]
    found["sensitivity"], found["sensitivity_areas"] = run_analyses(
        analyses, labels, family, jobs=1
    )
    found["sensitivity_spans"] = span_table(found["sensitivity"], family)
    nowhere = pd.Series(dtype=str)
    found["adjusted"] = adjusted_table(
        features, labels, family, roles, nowhere, permutations=9, replicates=50, jobs=1
    )
    found["within_mutants"] = within_mutants(features, labels, family, roles, jobs=1)
    found["wild_types"] = wild_types(features, labels, roles)
    found["binary_models"] = binary_models(features, labels, roles, nowhere)
    found["survival"] = survival_models(automatic, labels, roles, nowhere)
    found["robustness"] = pd.DataFrame(
        [[ASD, "eroded by a pixel", "all", 60, 0.912, 0.88, 0.94, 0.0312]],
        columns=[
            "feature", "change", "patients", "n", "icc", "low", "high", "median_relative_change",
        ],
    )  # fmt: skip
    tested = run_analyses(analyses[:1], labels, family, jobs=1)
    found["noise"] = pd.DataFrame(
        [[0.1, 2, 60, 0.812, 0.83, 3, 1]],
        columns=["noise", "realisation", "n", "dice_mean", "dice_median", "below_half", "empty"],
    )
    found["noise_associations"], found["noise_areas"] = tested
    found["noise_agreement"] = found["agreement"].assign(noise=0.1, realisation=2)
    draws = pd.concat([automatic.assign(draw=draw, dice=0.8) for draw in (1, 2)])
    found["draws"] = draw_tests(draws, "fields", labels, family, jobs=1)
    found["stability"] = stability_table(found["draws"], family)
    found["feature_spreads"] = spread_table(feature_intervals(draws, "fields", automatic))
    by_rule = {
        f"{name}:{rule}": features[name] for name in (ASD, MF, BEVR) for rule in (OURS, THEIRS)
    }
    both = pd.concat([features.assign(component=rule, **by_rule) for rule in (OURS, THEIRS)])
    plain = both.assign(realisation=1)[["masks", "realisation", "patient", "component", *by_rule]]
    found["failed_attempt"] = factor_table(
        plain, plain[plain["masks"] == "manual"], labels, family, roles
    )
    found["failed_attempt_one_at_a_time"] = one_at_a_time(
        found["failed_attempt"], {OURS: "automatic", THEIRS: "manual"}
    )
    found["failed_attempt_masks"] = pd.DataFrame(
        [[0.7, 1, 0.702, 0.75, 4, True], [0.7, 2, 0.708, 0.76, 3, True]],
        columns=["noise", "realisation", "dice_mean", "dice_median", "below_tenth", "reached"],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "REPETITIONS", 1)
        patch.setattr(prediction, "PREDICTORS", {"age": ("age",)})
        found["prediction"], found["decision_curves"] = prediction.predict(
            automatic, labels, roles, nowhere, jobs=1
        )
    return found


Write = Callable[[Mapping[str, pd.DataFrame], Path], Page]


@pytest.fixture(scope="module")
def write(family: Family, labels: Labels) -> Write:
    """Return a function that writes a report and reads it again."""

    def write(tables: Mapping[str, pd.DataFrame], folder: Path) -> Page:
        write_report_files(tables, family, labels, folder)
        return Page((folder / "report.html").read_text(encoding="utf-8"))

    return write


@pytest.fixture(scope="module")
def report(
    tables: Tables, write: Write, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Page, Path]:
    folder = tmp_path_factory.mktemp("report")
    # As they come from the files of the steps: an empty text is missing there.
    read = {}
    for name, table in tables.items():
        write_table(folder / f"{name}.csv", table)
        read[name] = pd.read_csv(folder / f"{name}.csv")
    return write(read, folder), folder


def test_the_page_stands_alone_invariant(report: tuple[Page, Path]) -> None:
    page, folder = report
    assert page.open == []
    assert not [tag for tag, _ in page.tags if tag in {"link", "iframe", "img"}]
    assert all(attributes.get("src") is None for _, attributes in page.tags)
    targets = {str(a["href"]) for tag, a in page.tags if tag == "a"}
    assert all((folder / target).exists() for target in targets if not target.startswith("#"))


def test_every_section_is_there_and_named_in_the_contents(report: tuple[Page, Path]) -> None:
    page, _ = report
    assert list(page.sections) == [
        "answer", "patients", "masks", "tests", "agreement", "mask-sets", "sensitivity",
        "confounding", "robustness", "noise", "uncertainty", "failed-attempt", "prediction",
        "people", "checklists",
    ]  # fmt: skip
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links[: len(page.sections) + 1] == ["#main", *(f"#{name}" for name in page.sections)]


def test_every_table_names_a_file_that_lies_beside_it(report: tuple[Page, Path]) -> None:
    page, folder = report
    named = {name.removesuffix(".csv") for name in page.files if name.endswith(".csv")}
    # All but those that stand behind others, or in a figure.
    unnamed = {"features", "outlines", "contingency", "draws"} | {
        "decision_curves", "sensitivity_areas",
    }  # fmt: skip
    written = {path.stem for path in folder.glob("*.csv")}
    assert named == written - unnamed


def test_every_figure_has_a_description_and_lies_beside_it(report: tuple[Page, Path]) -> None:
    page, folder = report
    images = [a for tag, a in page.tags if tag == "svg" and "class" not in a]
    assert all(image["aria-label"] for image in images)
    names = {path.stem for path in (folder / "figures").glob("*.svg")}
    assert names == {path.stem for path in (folder / "figures").glob("*.png")}
    assert not [path for path in (folder / "figures").iterdir() if path.is_dir()]
    assert len(names) == len(images)
    assert {f"figures/{name}.svg" for name in names} < page.files
    assert {"table-3", "sensitivity", "stability", "agreement-volume", "decision-R2"} <= names


def test_the_answer_counts_what_is_reached_on_automatic_masks_analytic(
    tables: Tables, write: Write, tmp_path: Path
) -> None:
    claims = tables["claims"]
    own = claims["masks"] == "automatic"
    # Three bounds, for the hypothesis on IDH has none, and the area of the ellipsoid.
    assert own.sum() == 4
    for reached, sentence in (
        (True, "automatic masks match 4 and manual masks match 0."),
        (False, "automatic masks match 0 and manual masks match 4."),
    ):
        changed = claims.assign(reached=reached).where(own, claims.assign(reached=not reached))
        changed["reached"] = changed["reached"].astype(bool)
        page = write({"claims": changed}, tmp_path / str(reached))
        assert f"Of the 4 values that the paper reports, {sentence}" in page.sections["answer"]


def test_numbers_stand_in_the_page_as_in_the_tables(
    report: tuple[Page, Path], tables: Tables
) -> None:
    page, _ = report
    row = tables["table_3"].query("masks == 'automatic' and level == 'R2'").iloc[0]
    area = f"{row['auc']:.2f} ({row['auc_low']:.2f} to {row['auc_high']:.2f})"
    assert area in page.sections["tests"]
    assert "0.87 (0.85 to 0.89)" in page.sections["masks"]
    assert "0.912" not in page.sections["robustness"]
    assert "0.91 (0.88 to 0.94)" in page.sections["robustness"]
    assert "0.031" in page.sections["robustness"]
    assert "0.812" in page.sections["noise"]
    assert "0.702" in page.sections["failed-attempt"]
    assert "detectable" in page.sections["answer"]


@pytest.mark.usefixtures("undrawn")
def test_what_was_not_done_is_left_out(tables: Tables, write: Write, tmp_path: Path) -> None:
    page = write({name: tables[name] for name in PRIMARY}, tmp_path)
    assert list(page.sections) == ["answer", "patients", "masks", "tests", "people", "checklists"]
    names = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    # All hypotheses, their sets of masks, outlines, Table 3, and the three features that are
    # tested against RNA clusters.
    assert names == {
        "hypotheses",
        "evidence",
        "outlines",
        "table-3",
        *(
            f"{kind}-{name}-RNASeqCluster"
            for kind in ("automatic", "manual")
            for name in ("ASD", "BEVR", "MF")
        ),
    }


def test_without_survival_there_is_no_table_of_it(
    tables: Tables, write: Write, tmp_path: Path
) -> None:
    empty = tables | {"survival": tables["survival"][:0]}
    names = ("adjusted", "within_mutants", "wild_types", "binary_models", "survival")
    page = write({name: empty[name] for name in names}, tmp_path)
    assert list(page.sections) == ["confounding", "checklists"]
    assert "Cox" not in page.sections["confounding"]


@pytest.mark.usefixtures("undrawn")
def test_a_cluster_without_patients_and_a_claim_that_cannot_be_tested_are_shown(
    tables: Tables, write: Write, labels: Labels, tmp_path: Path
) -> None:
    primary = {name: tables[name] for name in PRIMARY}
    features, third, claims = primary["features"], primary["table_3"].copy(), primary["claims"]
    clusters = features["patient"].map(labels["RNASeqCluster"].values)
    third.loc[third["level"] == "R4", ["auc", "auc_low", "auc_high"]] = np.nan
    missing = claims.assign(reached=False)
    missing[["found", "effect", "low", "high", "detectable_v"]] = np.nan
    changed = {"features": features[clusters != "R4"], "table_3": third, "claims": missing}
    page = write(primary | changed, tmp_path)
    assert "automatic masks match 0" in page.sections["answer"]
    assert "nan" not in " ".join(page.sections.values()).lower().split()


def test_two_reports_are_the_same_to_the_byte_invariant(
    tables: Tables, family: Family, labels: Labels, tmp_path: Path
) -> None:
    chosen = {name: tables[name] for name in ("flow", "cohort", "evaluation", "outlines")}
    for name in ("one", "two"):
        write_report_files(chosen, family, labels, tmp_path / name)
    one, two = (tmp_path / name / "report.html" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.usefixtures("undrawn")
def test_an_earlier_run_is_shown_beside_this_one(
    tables: Tables, family: Family, labels: Labels, tmp_path: Path
) -> None:
    names = (
        "features", "associations", "table_3", "sensitivity", "sensitivity_areas",
        "sensitivity_spans",
    )  # fmt: skip
    chosen = {name: tables[name] for name in names}
    write_report_files(chosen, family, labels, tmp_path, earlier=chosen)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "0 of the 60 patients are in another quartile" in page.sections["mask-sets"]
    assert "automatic masks, first run" in page.sections["mask-sets"]


@pytest.mark.usefixtures("undrawn")
def test_text_from_data_is_escaped(tables: Tables, write: Write, tmp_path: Path) -> None:
    nasty = "<script>alert('x')</script>&"
    page = write(
        {name: tables[name] for name in ("flow", "cohort")}
        | {"cohort": tables["cohort"].assign(level=nasty)},
        tmp_path,
    )
    assert nasty in page.sections["patients"]
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 2  # the page's own


def test_the_head_has_title_authors_and_cohort(
    tables: Tables, family: Family, labels: Labels, tmp_path: Path
) -> None:
    chosen = {name: tables[name] for name in ("features", "flow", "cohort")}
    write_report_files(chosen, family, labels, tmp_path, title="Ours", authors=["A. One"])
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>Ours</h1>" in text
    assert '<p class="authors">A. One</p>' in text
    assert "<dd>60 patients, automatic and manual masks</dd>" in text
