from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers.browser import Browser, opened_browser
from lggshape.case import FLAIR, Case
from lggshape.report.pictures import write_pictures
from lggshape.shape.portrait import portray
from lggshape.visualisation.case_figures import WrittenCase, write_cases

NAMES = [*(f"P{number} #1%" for number in range(3)), "without a tumour"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    image = np.random.default_rng(0).integers(0, 50, (3, 30, 30, 1)) + 100.0
    image[:, :3] = 0.0
    cases = []
    for number, name in enumerate(NAMES):
        mask = np.zeros((3, 30, 30), dtype=bool)
        if name != NAMES[-1]:
            mask[1, 8 : 14 + number, 8:20] = True
        cases.append(Case(name, f"<{name}>", image, mask, sequences=(FLAIR,)))
    written = write_cases(cases, folder, predicted=cases[:1], jobs=1)
    checks = {NAMES[1]: {"expected_dice": "0.91234", "check": "ok"}}
    write_pictures(written, folder, checks=checks)
    return folder / "index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


def test_cases_have_what_is_known_of_them_analytic(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.count("<dt>Dice</dt><dd>1.000</dd>") == 1
    assert text.count("<dt>Dice to expect</dt><dd>0.912</dd><dt>Check</dt><dd>ok</dd>") == 1
    assert "<b>&lt;P0 #1%&gt;</b>" in text
    assert "case without a tumour to have a mask with a tumour, found empty reference" in text


def test_of_many_cases_the_last_have_links_alone_analytic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lggshape.report.pictures.MOST_PICTURES", 1)
    mask = np.ones((1, 9, 9), dtype=bool)
    portrait = portray({"manual": Case("a", "a", mask=mask)}, measured=False)
    cases = [WrittenCase(name, name, "", portrait) for name in "abc"]
    write_pictures(cases, tmp_path, checks={})
    text = (tmp_path / "index.html").read_text("utf-8")
    assert text.count('class="slice"') == 1
    assert "After 1 pictures, there are only links." in text
    assert '<a href="c.svg">c</a>' in text


def test_links_lead_to_the_figures_without_scripts(page: Path) -> None:
    with opened_browser(scripts=False) as browser:
        browser.open(page)
        links = browser.run(
            "return [...document.querySelectorAll('.pictures a')].map(link => link.href)"
        )
        assert len(links) == 3 * 3
        for link in links[:3]:
            browser.driver.get(link)
            assert browser.run("return document.documentElement.tagName") == "svg"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_finds_no_fault(browser: Browser, page: Path, width: int) -> None:
    assert browser.faults(page, width) == []
