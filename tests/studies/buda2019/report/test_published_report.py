"""The published report of the replication in a browser: 110 patients, all tables and figures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.browser import Browser, opened_browser

REPORT = Path(__file__).resolve().parents[4] / "reports" / "buda2019" / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as found:
        found.resize(1280)
        found.open(REPORT)
        yield found


def test_the_report_is_small_enough_to_send() -> None:
    assert REPORT.stat().st_size < 5 * 2**20


def test_it_has_at_most_fifteen_printed_pages(browser: Browser) -> None:
    assert 5 < browser.pages() <= 15


def test_a_patient_is_marked_in_all_figures(browser: Browser) -> None:
    browser.run("location.hash = '#patient-TCGA_CS_4941'")
    browser.wait("document.querySelectorAll('a.marked').length > 5")
    assert browser.run("return document.getElementById('patient-TCGA_CS_4941').checkVisibility()")


def test_nothing_is_cut_in_wide_and_narrow_and_axe_finds_nothing(browser: Browser) -> None:
    browser.resize(390)
    browser.unfold()
    assert browser.overflowing() == []
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    assert browser.complaints() == []
    # In a narrow window, and for colours, axe looks at small reports of the same blocks.
    assert browser.faults_of_unfolded(1280, colours=False) == []
