import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.described import wrongly_described
from lggshape.association import Family, Hypothesis, associate, read_study_family
from lggshape.errors import InputError
from lggshape.labels import read_labels
from lggshape.progress import Progress
from lggshape.provenance import InputFile
from lggshape.report import write_report
from lggshape.report.document import write_report_files

NASTY = "<script>alert('x')</script>&"


class Page(HTMLParser):
    """Collect what a browser would load and show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br", "link", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text += data


def make(
    folder: Path,
    family: Family,
    *,
    masks: tuple[str, ...] = ("manual",),
    more_labels: tuple[str, ...] = (),
) -> Page:
    random = np.random.default_rng(3)
    patients = [f"p{i}" for i in range(40)]
    columns = {
        name: random.normal(size=40) for name in dict.fromkeys(h.feature for h in family.hypotheses)
    }
    keys = {"case": patients, "patient": patients, "reason": ""}
    features = pd.concat([pd.DataFrame(keys | columns).assign(masks=kind) for kind in masks])
    codes = list(dict.fromkeys([*(h.label for h in family.hypotheses), *more_labels]))
    table = pd.DataFrame({"patient": patients} | {c: random.integers(1, 4, 40) for c in codes})
    path = folder / "labels.csv"
    if "nasty" in table:
        table["nasty"] = table["nasty"].map({1: NASTY, 2: "plain", 3: "other"})
    table.to_csv(path, index=False)
    study = associate(features, read_labels([path]), family)
    told: list[Progress] = []
    write_report_files(
        study,
        folder / "out",
        inputs=[InputFile("labels.csv", sha256="0" * 64, files=1)],
        options={"bins": 4},
        on_progress=told.append,
    )
    figures = len(list((folder / "out" / "figures").glob("*.svg")))
    assert told == [Progress("drawing", done, figures) for done in range(figures + 1)]
    return Page((folder / "out" / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def preset_page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Path]:
    folder = tmp_path_factory.mktemp("report")
    preset = read_study_family("buda2019")
    asked = preset.hypotheses[:2]
    about = {(one.feature, one.label) for one in asked}
    reported = tuple(one for one in preset.reported_aucs if (one.feature, one.label) in about)
    family = replace(preset, hypotheses=asked, reported_aucs=reported)
    # With them the table has the labels by which the codebook recognises it.
    more = ("MethylationCluster", "CNCluster", "COCCluster")
    page = make(folder, family, masks=("manual", "automatic"), more_labels=more)
    return page, folder / "out"


def test_the_page_stands_alone_invariant(preset_page: tuple[Page, Path]) -> None:
    page, folder = preset_page
    assert page.open == []
    assert not [tag for tag, _ in page.tags if tag in {"link", "iframe", "img"}]
    assert all(attributes.get("src") is None for _, attributes in page.tags)
    targets = {str(a["href"]) for tag, a in page.tags if tag == "a" and "href" in a}
    beside = {target for target in targets if not target.startswith("#")}
    assert all((folder / target).exists() for target in beside)
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {target[1:] for target in targets - beside} <= anchors


def test_every_figure_has_a_description_and_lies_beside_invariant(
    preset_page: tuple[Page, Path],
) -> None:
    page, folder = preset_page
    images = [attributes for tag, attributes in page.tags if tag == "svg"]
    # Two kinds of mask; two hypotheses and two labels with AUCs each, and one of all hypotheses.
    images = [image for image in images if image.get("class") is None]
    assert len(images) == 2 * (2 + 2) + 1
    assert all(image["aria-label"] for image in images)
    for ending in ("svg", "png"):
        assert len(list((folder / "figures").glob(f"*.{ending}"))) == len(images)


def test_what_was_published_stands_beside_what_was_found_paper(
    preset_page: tuple[Page, Path],
) -> None:
    page, _ = preset_page
    assert "The publication reports p < 0.0002" in page.text
    assert "0.78 (manual)" in page.text
    assert "0.80 (automatic)" in page.text
    assert "Buda M, Saha A, Mazurowski MA." in page.text


def test_without_covariates_nothing_is_adjusted(preset_page: tuple[Page, Path]) -> None:
    page, _ = preset_page
    sections = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert "hypotheses" in sections
    assert "adjusted" not in sections
    assert "Holm, adjusted" not in page.text


def test_both_kinds_of_mask_have_an_answer(preset_page: tuple[Page, Path]) -> None:
    page, _ = preset_page
    assert "Manual masks:" in page.text
    assert "Automatic masks:" in page.text
    assert len(re.findall("of 2 hypotheses hold", page.text)) == 2


@pytest.mark.usefixtures("undrawn")
def test_text_from_data_is_escaped(tmp_path: Path) -> None:
    family = Family("mine", NASTY, (Hypothesis("own_feature", "nasty"),))
    page = make(tmp_path, family)
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 2  # the page's own
    assert NASTY in page.text


@pytest.mark.usefixtures("undrawn")
def test_a_stated_direction_is_judged_analytic(tmp_path: Path) -> None:
    # The features grow with the patient's number, and the last half of the patients are in b.
    patients = [f"p{i:02}" for i in range(20)]
    rows = "".join(f"{name},{'ab'[i // 10]}\n" for i, name in enumerate(patients))
    (tmp_path / "labels.csv").write_text("patient,g\n" + rows)
    keys = {"case": patients, "patient": patients, "masks": "manual", "reason": ""}
    values = [float(i) for i in range(20)]
    features = pd.DataFrame(keys | {"x": values, "y": values})
    stated = (Hypothesis("x", "g", higher_in="b"), Hypothesis("y", "g", higher_in="a"))
    study = associate(
        features, read_labels([tmp_path / "labels.csv"]), Family("mine", "Mine", stated)
    )
    page = Page(write_report(study, tmp_path / "out").read_text(encoding="utf-8"))
    assert "expected in b. The direction is as expected" in page.text
    assert "expected in a. The direction is not as expected" in page.text
    assert page.text.count("most typical of b: its AUC against the rest is 1.00") == 2
    # The page names the tables that its numbers come from, and its record; they lie beside it.
    named = set(re.findall(r"\w+\.(?:csv|json)", page.text)) - {"labels.csv"}
    assert {"associations.csv", "results.json", "run.json"} < named
    assert named <= {path.name for path in (tmp_path / "out").iterdir()}
    assert wrongly_described(tmp_path / "out" / "datapackage.json") == []


@pytest.mark.usefixtures("undrawn")
def test_a_long_report_shows_the_smallest_p_and_exploratory_features_are_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lggshape.report.hypotheses.MOST_CARDS", 2)
    names = ("solidity", "volume", "lacunarity")
    page = make(tmp_path, Family("mine", "Mine", tuple(Hypothesis(name, "g") for name in names)))
    assert sum(a.get("class") == "card" for _, a in page.tags) == 2
    assert "Only the 2 hypotheses with the smallest p are shown, of 3" in page.text
    assert len(list((tmp_path / "out" / "figures").glob("*.svg"))) == 3 + 1 + 1
    assert "Exploratory features: solidity, lacunarity. Few studies" in page.text


@pytest.mark.usefixtures("undrawn")
def test_a_report_is_replaced_only_if_asked_and_nothing_else_is(tmp_path: Path) -> None:
    patients = [f"p{i}" for i in range(8)]
    keys = {"case": patients, "patient": patients, "masks": "manual", "reason": ""}
    features = pd.DataFrame(keys | {"x": np.arange(8.0)})
    labels = read_labels(pd.DataFrame({"patient": patients, "g": [i % 2 for i in range(8)]}))
    study = associate(features, labels, Family("mine", "Mine", (Hypothesis("x", "g"),)))
    (tmp_path / "report.html").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"found no .*\. Move what is there"):
            write_report(study, tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "mine"
    page = write_report(study, tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="overwrite"):
        write_report(study, tmp_path / "out")
    assert write_report(study, tmp_path / "out", overwrite=True) == page
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


@pytest.mark.usefixtures("undrawn")
def test_an_untestable_hypothesis_is_shown_without_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("patient,g\n" + "".join(f"p{i},{i % 2}\n" for i in range(8)))
    patients = [f"p{i}" for i in range(8)]
    keys = {"case": patients, "patient": patients, "masks": "manual", "reason": ""}
    features = pd.DataFrame(keys | {"flat": 1.0, "x": range(8)}).astype({"x": float})
    for names in (("flat", "x"), ("flat",)):
        family = Family("mine", "Mine", tuple(Hypothesis(name, "g") for name in names))
        study = associate(features, read_labels([path]), family)
        page = Page(write_report(study, tmp_path / f"out{len(names)}").read_text(encoding="utf-8"))
        assert "cannot be tested here" in page.text
        assert f"1 of {len(names)} could not be tested" in page.text


@pytest.mark.usefixtures("undrawn")
def test_names_of_files_are_short_and_differ_and_stay_in_the_folder(tmp_path: Path) -> None:
    long = "a" * 300
    hypotheses = (Hypothesis("x y", long), Hypothesis("x/y", long))
    make(tmp_path, Family("mine", "Mine", hypotheses), masks=("../x", ".. x"))
    names = [path.name for path in (tmp_path / "out" / "figures").glob("*.svg")]
    # Two hypotheses and one label with AUCs for two kinds of mask, and one of all hypotheses.
    assert len(names) == 2 * (2 + 1) + 1
    assert max(map(len, names)) < 150
    files = {path for path in tmp_path.rglob("*") if path.is_file()} - {tmp_path / "labels.csv"}
    assert {path.relative_to(tmp_path).parts[0] for path in files} == {"out"}


@pytest.mark.usefixtures("undrawn")
def test_published_bounds_stand_beside_fishers_test_on_quartiles_only(tmp_path: Path) -> None:
    family = Family("mine", "Mine", (Hypothesis("x", "g", reported_below=0.5),))
    random = np.random.default_rng(1)
    patients = [f"p{i}" for i in range(30)]
    pd.DataFrame({"patient": patients, "g": random.integers(0, 2, 30)}).to_csv(
        tmp_path / "labels.csv", index=False
    )
    keys = {"case": patients, "patient": patients, "masks": "nnU-Net", "reason": ""}
    features = pd.DataFrame(keys | {"x": random.normal(size=30)})
    labels = read_labels([tmp_path / "labels.csv"])
    for bins, said in ((4, True), (3, False)):
        study = associate(features, labels, family, bins=bins)
        page = Page(write_report(study, tmp_path / f"out{bins}").read_text(encoding="utf-8"))
        assert ("The publication reports p < 0.5" in page.text) is said
        assert "NnU-Net masks" in page.text


def test_the_page_describes_the_cohort_and_what_it_can_show(preset_page: tuple[Page, Path]) -> None:
    page, folder = preset_page
    assert "The patients by RNASeqCluster." in page.text
    assert "The same by miRNACluster" in page.text
    assert "all (n = 40)" in page.text
    assert "All tests can only be exploratory" in page.text
    assert "What this number of patients can show." in page.text
    assert "This test is exploratory: only effects of" in page.text
    assert "Peduzzi P, Concato J" in page.text
    rows = pd.read_csv(folder / "associations.csv")
    assert rows["n_per_level"].str.contains("; ").all()
    assert (folder / "cohort.csv").exists()
