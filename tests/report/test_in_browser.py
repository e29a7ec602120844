"""The report in a browser: what a reader sees and does, in a wide and a narrow window."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.browser import Browser, opened_browser
from lggshape.association import Family, Hypothesis, associate
from lggshape.association.exclusions import exclude
from lggshape.case import Case
from lggshape.report.document import write_report_files
from lggshape.shape.portrait import portray

PATIENTS = [f"P{number:02}" for number in range(14)]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of two masks of 14 patients, with long tables and names."""
    rng = np.random.default_rng(4)
    keys = {"case": PATIENTS, "patient": PATIENTS}
    names = ["margin_fluctuation", "volume", "solidity", "lacunarity", "sphericity"]
    values = pd.DataFrame(keys | {name: rng.uniform(1, 2, 14) for name in names})
    features = pd.concat([values.assign(masks=kind) for kind in ("manual", "automatic")])
    levels = ["mutant", "a wild type with a name that is longer than any axis has room for"]
    labels = {"idh": rng.choice(levels, 14), "age": rng.integers(20, 80, 14)}
    labels |= {f"label_{number}": rng.choice(list("abc"), 14) for number in range(2)}
    # Groups in just more rows than a table shows at once, and a number.
    groups = [label for label in labels if label != "age"]
    hypotheses = [Hypothesis(name, label) for name in names for label in groups][:13]
    hypotheses.append(Hypothesis(names[0], "age"))
    study = associate(
        features,
        pd.DataFrame({"patient": PATIENTS} | labels),
        Family("mine", "Shapes of 14", tuple(hypotheses)),
    )
    out = tmp_path_factory.mktemp("report") / "out"
    mask = np.zeros((3, 30, 30), dtype=bool)
    drawn = {}
    for number, name in enumerate(PATIENTS):
        mask[1, 4 : 9 + number // 2, 3:20] = True
        found = portray({kind: Case(name, name, mask=mask) for kind in ("manual", "automatic")})
        assert found is not None
        drawn[name] = found._replace(dice=0.99 - number / 60)
    write_report_files(study, out, portraits=drawn)
    return out / "report.html"


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


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_and_axe_finds_nothing_in_light_and_dark(
    shared_browser: Browser, report: Path, width: int
) -> None:
    assert shared_browser.faults(report, width) == []


def test_the_colours_can_be_chosen(browser: Browser) -> None:
    shade = "return getComputedStyle(document.body).backgroundColor"
    for theme, expected in (("dark", "rgb(18, 23, 29)"), ("light", "rgb(255, 255, 255)")):
        browser.choose_theme(theme)
        assert browser.run(shade) == expected


def test_a_long_table_is_filtered_and_sorted_by_its_numbers(browser: Browser) -> None:
    browser.unfold()
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


def test_a_column_is_filtered_by_the_keyboard(browser: Browser) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    browser.unfold()
    table = browser.driver.find_element(By.CSS_SELECTOR, "table[data-name=sensitivity]")
    named = {
        element.accessible_name: element
        for element in table.find_elements(By.CSS_SELECTOR, "thead input, thead select")
    }
    title = "Filter other test: kruskal wallis: p"
    rows = "[...document.querySelector('table[data-name=sensitivity]').tBodies[0].rows]"
    every = browser.run(f"return {rows}.map(row => Number(row.cells[2].textContent))")
    Select(named[f"{title}: how to compare"]).select_by_value("lessOrEqual")
    middle = float(np.median(every))
    named[title].send_keys(str(middle))
    browser.wait(f"{rows}.every(row => Number(row.cells[2].textContent) <= {middle})")
    named["Filter label"].send_keys("label_1")
    browser.wait(f"{rows}.every(row => row.cells[1].textContent === 'label_1')")
    assert browser.violations(within="table[data-name=sensitivity]") == []


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


def test_a_point_opens_the_patient_and_marks_them_in_all_figures(browser: Browser) -> None:
    point = "document.querySelector('#hypotheses .drawing a')"
    name = browser.run(f"return {point}.getAttribute('href')").removeprefix("#")
    title = browser.run(f"return {point}.querySelector('title').textContent")
    assert title.startswith(name.removeprefix("patient-"))
    browser.run(f"{point}.focus()")
    assert browser.run(f"return document.activeElement === {point}")
    browser.run(f"{point}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
    browser.wait(f"document.getElementById('{name}').checkVisibility()")
    figures = browser.run("return document.querySelectorAll('figure:has(> svg a)').length")
    browser.wait(f"document.querySelectorAll('a.marked').length === {figures}")
    assert browser.overflowing() == []
    # It is marked where the point is.
    assert browser.run(
        f"const box = {point}.getBoundingClientRect(), middle = box.x + box.width / 2;"
        f"{point}.classList.remove('marked'); {point}.blur();"
        f"const own = {point}.getBoundingClientRect();"
        "return Math.abs(own.x + own.width / 2 - middle) < 0.5 && own.width < box.width"
    )
    assert browser.violations(within=f"#{name}") == []
    browser.run(f"document.querySelector('#{name} a[href=\"#nobody\"]').click()")
    browser.wait(f"!document.getElementById('{name}').checkVisibility()")
    browser.wait("!document.querySelector('a.marked')")


def test_a_patient_is_found_by_name(browser: Browser) -> None:
    from selenium.webdriver.common.by import By

    browser.driver.find_element(By.ID, "find").send_keys("P07\n")
    browser.wait("document.getElementById('patient-P07').checkVisibility()")
    browser.resize(390)
    assert browser.overflowing() == []
    assert browser.complaints() == []


def test_marked_masks_are_saved_as_a_table_that_associate_takes(
    browser: Browser, tmp_path: Path
) -> None:
    browser.wait("document.querySelector('#people table.dataTable')")
    first = browser.run("return document.querySelector('#people tbody a').textContent")
    assert first == PATIENTS[-1]  # the lowest Dice
    browser.save_to(tmp_path)
    browser.run(
        "for (const row of [...document.querySelectorAll('#people tbody tr')].slice(0, 2))"
        "  row.querySelector('input').click();"
        "document.querySelectorAll('#people .dt-button')[1].click()"
    )
    path = tmp_path / "exclusions.csv"
    for _ in range(50):
        if path.exists() and path.stat().st_size:
            break
        time.sleep(0.1)
    saved = pd.read_csv(path)
    assert saved["patient"].tolist() == PATIENTS[:-3:-1]
    assert saved["reason"].tolist() == [f"Dice 0.7{end} between two masks" for end in (7, 9)]
    features = pd.DataFrame({"case": PATIENTS, "patient": PATIENTS})
    assert len(exclude(features, path)[0]) == 12


def test_methods_and_references_can_be_copied(browser: Browser) -> None:
    allowed = {"permissions": ["clipboardReadWrite"]}
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", allowed)
    browser.unfold()
    button = "document.querySelector('#methods [data-copy]')"
    browser.run(f"{button}.click()")
    browser.wait(f"{button}.textContent === 'Copied'")
    text = browser.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[arguments.length - 1])"
    )
    assert text.startswith(
        "Features of tumour shape were tested in 14 patients (manual and automatic"
    )
