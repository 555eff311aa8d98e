"""The report in a real headless browser."""

import pytest

from results.database import open_database
from screen.report import report_html
from screen.stored import load_campaign
from tests.screen.chromium import EXECUTABLE, Chromium
from tests.screen.conftest import fill

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="needs chromium, which is not installed")

TABLE = "document.getElementById('collectors-ranking-table')"
HOSTS = f"[...{TABLE}.querySelectorAll('tbody th')].map(c => c.textContent).join()"
RANK, BINDING = (f"{TABLE}.querySelectorAll('thead th')[{i}]" for i in (0, 4))


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    with open_database(fill(folder / "results.db")) as database:
        html = report_html(load_campaign(database), database)
    report = folder / "report.html"
    report.write_text(html, encoding="utf-8")
    with Chromium(folder / "profile") as browser:
        browser.open(report, "document.documentElement?.dataset.ready === 'true'")
        yield browser


@pytest.fixture
def page(opened):
    """The open report, sorted by rank; afterwards, nothing may stand in its console."""
    opened.evaluate(f"{BINDING}.querySelector('button').click()")
    opened.evaluate(f"{RANK}.querySelector('button').click()")
    yield opened
    assert opened.problems == []


def test_sorts_by_click_and_back(page):
    assert page.evaluate(HOSTS) == "Au,Cu,Cu"
    assert "Li binding" in page.evaluate(f"{BINDING}.textContent")
    page.evaluate(f"{BINDING}.querySelector('button').click()")
    assert page.evaluate(HOSTS) == "Au,Cu,Cu"
    assert page.evaluate(f"{BINDING}.getAttribute('aria-sort')") == "ascending"
    page.evaluate(f"{BINDING}.querySelector('button').click()")
    assert page.evaluate(HOSTS) == "Cu,Cu,Au"
    assert page.evaluate(f"{BINDING}.getAttribute('aria-sort')") == "descending"
    assert page.evaluate(f"{RANK}.getAttribute('aria-sort')") is None


def test_sorts_by_keyboard(page):
    page.evaluate(f"{BINDING}.querySelector('button').focus()")
    page.press("Enter", 13, "\r")
    page.press("Enter", 13, "\r")
    assert page.evaluate(HOSTS) == "Cu,Cu,Au"
    page.press("Tab", 9)
    assert "Adatom barrier" in page.evaluate("document.activeElement.textContent")


def test_every_plot_is_drawn(page):
    assert page.evaluate("document.querySelectorAll('.plot').length") == 6
    assert page.evaluate("document.querySelectorAll('.plot:has(.main-svg)').length") == 6
    assert (
        page.evaluate(
            "document.querySelectorAll('#collectors-profiles .scatterlayer .trace').length"
        )
        == 4
    )


def test_the_theme_reaches_the_plots(page):
    colour = "document.querySelector('#collectors-profiles .xtitle').style.fill"
    before = page.evaluate(colour)
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate(colour) != before


def test_nothing_is_wider_than_the_window_of_a_small_laptop(page):
    page.command(
        "Emulation.setDeviceMetricsOverride",
        width=1280,
        height=720,
        deviceScaleFactor=1,
        mobile=False,
    )
    assert page.evaluate("innerWidth") == 1280
    plots = "[...document.querySelectorAll('.plot')]"
    page.evaluate(f"Promise.all({plots}.map(Plotly.Plots.resize)).then(() => true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
