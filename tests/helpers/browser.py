"""A browser without a window, for tests of what a page does; tests are skipped without one."""

import base64
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[2] / ".node/node_modules/axe-core/axe.min.js"
"""`npm install --prefix .node axe-core` puts it there."""

_NARROW = 800  # pixels

_OF_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules of axe that look at colours."""

_REPEATED = (
    ".card:nth-of-type(n+4):not(:last-of-type), .patient:nth-of-type(n+5), "
    "tbody tr:nth-child(n+9), svg a:nth-of-type(n+9)"
)
"""What is like those before it, of which axe looks at each in turn."""

_OVERFLOWING = """
const width = document.documentElement.clientWidth, found = [];
for (const element of document.querySelectorAll("body *")) {
  if (element.closest(".wide, .skip, .unseen, svg *")) continue;
  const box = element.getBoundingClientRect();
  if (box.width && box.right > width + 1) found.push(element.outerHTML.slice(0, 120));
}
return found;"""


class Browser:
    """Chromium, driven by Selenium."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.run = driver.execute_script

    def resize(self, width: int, height: int = 900) -> None:
        """Show the page at a width in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a file."""
        self.driver.get("about:blank")
        self.driver.get(f"{path.as_uri()}{fragment}")

    def wait(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds."""
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.driver, 20, poll_frequency=0.05).until(
            lambda _: self.run(f"return {condition}")
        )

    def unfold(self) -> None:
        """Open all that is folded, and wait until the tables are ready."""
        self.run("for (const one of document.querySelectorAll('details')) one.open = true")
        self.wait("!document.querySelector('table[data-rows]:not(.dataTable)')")

    def choose_theme(self, theme: str) -> None:
        """Show the page in light or dark colours."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support.select import Select

        Select(self.driver.find_element(By.ID, "theme")).select_by_value(theme)

    def faults(self, path: Path, width: int) -> list[str]:
        """Open a page at a width, unfold it, and return what is wrong with it.

        Colours do not depend on the width, so axe looks at them in a wide window only, in light and
        in dark. Nothing else depends on the theme.
        """
        self.resize(width)
        self.complaints()  # those of the page before
        self.open(path)
        self.unfold()
        return self.faults_of_unfolded(width, colours=width > _NARROW)

    def faults_of_unfolded(self, width: int, *, colours: bool) -> list[str]:
        """Show the page at a width and return what is wrong with it, `colours` too if asked."""
        self.resize(width)
        scrolled = self.run("return document.documentElement.scrollWidth") > width
        beyond = self.overflowing()
        self.run(
            "for (const one of document.querySelectorAll(arguments[0])) one.remove()", _REPEATED
        )
        self.choose_theme("light")
        inaccessible = self.violations(but=() if colours else _OF_COLOURS)
        if colours:
            self.choose_theme("dark")
            inaccessible += self.violations(only=_OF_COLOURS)
        return [
            *self.complaints(),
            *beyond,
            *["scrolls sideways"] * scrolled,
            *inaccessible,
        ]

    def save_to(self, folder: Path) -> None:
        """Put what the page saves into a folder."""
        how = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", how)

    def overflowing(self) -> list[str]:
        """Return what reaches beyond the right edge of the page, but tables."""
        found: list[str] = self.run(_OVERFLOWING)
        return found

    def pages(self) -> int:
        """Return the number of pages of A4 that the page prints on."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69}
        printed = self.driver.execute_cdp_cmd("Page.printToPDF", size)["data"]
        return len(re.findall(rb"/Type\s*/Page[^s]", base64.b64decode(printed)))

    def complaints(self) -> list[str]:
        """Return what the console of the browser shows since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def violations(
        self, *, within: str = "", only: Sequence[str] = (), but: Sequence[str] = ()
    ) -> list[str]:
        """Return what axe finds to be inaccessible, by some of its rules or by all but some.

        It looks at what a selector chooses, or at the whole page.
        """
        if not AXE.exists():
            pytest.skip("axe-core is missing: npm install --prefix .node axe-core")
        # Run by the protocol of the browser, which the policy of the page does not bind.
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(arguments[0], arguments[1]).then(found => done(found.violations))",
            within or "html",
            {
                "resultTypes": ["violations"],
                "rules": {name: {"enabled": False} for name in but},
                **({"runOnly": list(only)} if only else {}),
            },
        )
        return [
            f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
            for one in found
            for node in one["nodes"]
        ]


@contextmanager
def opened_browser(*, scripts: bool = True) -> Iterator[Browser]:
    """Start a browser, and end it afterwards."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium or chromedriver is missing: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        made.set_script_timeout(120)
        if not scripts:
            off = {"value": True}
            made.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", off)
        yield Browser(made)
    finally:
        made.quit()
