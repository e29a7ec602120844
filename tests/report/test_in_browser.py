"""The report in a browser: what a reader sees and does, in a wide and a narrow window."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.browser import Browser, opened_browser
from lggshape.association import Family, Hypothesis, associate
from lggshape.report import write_report

PATIENTS = [f"P{number:02}" for number in range(40)]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of forty patients with long tables and names that are too long."""
    rng = np.random.default_rng(4)
    keys = {"case": PATIENTS, "patient": PATIENTS, "masks": "manual"}
    names = ["margin_fluctuation", "volume", "solidity"]
    features = pd.DataFrame(keys | {name: rng.uniform(1, 2, 40) for name in names})
    levels = ["mutant", "a wild type with a name that is longer than any axis has room for"]
    labels = {"idh": rng.choice(levels, 40), "age": rng.integers(20, 80, 40)}
    labels |= {f"label_{number}": rng.choice(list("abc"), 40) for number in range(4)}
    hypotheses = [Hypothesis(name, label) for name in names for label in labels]
    study = associate(
        features,
        pd.DataFrame({"patient": PATIENTS} | labels),
        Family("mine", "Shapes of forty", tuple(hypotheses)),
    )
    return write_report(study, tmp_path_factory.mktemp("report") / "out")


@pytest.fixture(scope="module")
def shared_browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser, report: Path) -> Browser:
    shared_browser.resize(1280)
    shared_browser.open(report)
    shared_browser.complaints()
    return shared_browser


def unfold(browser: Browser) -> None:
    """Open all that is folded, and wait until the tables are ready."""
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    browser.wait("!document.querySelector('table[data-rows]:not(.dataTable)')")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_and_only_tables_scroll_sideways(browser: Browser, width: int) -> None:
    browser.resize(width)
    unfold(browser)
    assert browser.overflowing() == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, theme: str) -> None:
    choose_theme(browser, theme)
    unfold(browser)
    assert browser.violations() == []


def choose_theme(browser: Browser, theme: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    Select(browser.driver.find_element(By.ID, "theme")).select_by_value(theme)


def test_the_colours_can_be_chosen(browser: Browser) -> None:
    shade = "return getComputedStyle(document.body).backgroundColor"
    for theme, expected in (("dark", "rgb(18, 23, 29)"), ("light", "rgb(255, 255, 255)")):
        choose_theme(browser, theme)
        assert browser.run(shade) == expected


def test_a_long_table_is_filtered_and_sorted_by_its_numbers(browser: Browser) -> None:
    unfold(browser)
    table = "document.querySelector('table[data-name=sensitivity]')"
    shown = f"[...{table}.tBodies[0].rows].map(row => row.cells[1].textContent)"
    assert browser.run(f"return {shown}.length") == 12
    browser.run(
        f"const input = {table}.closest('.dt-container').querySelector('input[type=search]');"
        "input.value = 'idh'; input.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    browser.wait(f"{shown}.every(label => label === 'idh')")
    browser.run(f"{table}.tHead.querySelectorAll('th')[2].click()")
    cells = f"return [...{table}.tBodies[0].rows].map(row => row.cells[2].dataset.order)"
    values = [float(value) for value in browser.run(cells)]
    assert values == sorted(values)


def test_the_contents_stay_in_view_and_fold_in_a_narrow_window(browser: Browser) -> None:
    top = "return document.getElementById('contents').getBoundingClientRect().top"
    browser.run("scrollTo(0, 3000)")
    assert browser.run(top) == 0
    browser.resize(390)
    visible = "document.getElementById('contents').checkVisibility()"
    assert not browser.run(f"return {visible}")
    browser.run("document.querySelector('button.menu').click()")
    browser.wait(visible)
    browser.run("document.querySelector('#contents a').click()")
    browser.wait(f"!{visible}")


def test_without_scripts_the_page_holds_the_same_numbers(report: Path) -> None:
    with opened_browser(scripts=False) as browser:
        browser.open(report)
        assert browser.run("return document.querySelectorAll('.dt-container').length") == 0
        browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
        shown = browser.run("return document.body.innerText")
        rows = pd.read_csv(report.parent / "associations.csv")
        assert all(f"{row.effect:.2f} ({row.effect_low:.2f}" in shown for row in rows.itertuples())
