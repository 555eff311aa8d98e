"""The report in a real headless browser: sort, filter, click, compare, by pointer and keys."""

import time

import pytest

from results.database import open_database
from screen.report import report_html
from screen.stored import load_campaign
from tests.screen.chromium import EXECUTABLE, Chromium
from tests.screen.conftest import fill

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="needs chromium, which is not installed")

PART = "document.querySelector('[data-screen=collectors]')"
ROWS = "[...document.querySelectorAll('table.ranking tbody tr:not([hidden])')]"
NAMES = f"{ROWS}.map(r => r.querySelector('th').textContent + r.cells[3].textContent).join(' ')"
RANK, BINDING = (f"document.querySelectorAll('table.ranking thead th')[{i}]" for i in (1, 7))
SCATTER = f"{PART}.querySelector('.scatter')"
POINTS = f"{SCATTER}.data.flatMap(t => t.text).sort().join()"
CHOSEN = f"{PART}.querySelector('.panel h3').textContent"
INK = "(selector => document.querySelector(selector).toDataURL())"


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    with open_database(fill(folder / "results.db")) as database:
        html = report_html(load_campaign(database), database)
    report = folder / "report.html"
    report.write_text(html, encoding="utf-8")
    with Chromium(folder / "profile") as browser:
        browser.command(
            "Emulation.setDeviceMetricsOverride",
            width=1280,
            height=720,
            deviceScaleFactor=1,
            mobile=False,
        )
        browser.open(report, "document.documentElement?.dataset.ready === 'true'")
        yield browser


@pytest.fixture
def page(opened):
    """The open report as it was at first; afterwards, nothing may stand in its console."""
    opened.evaluate(f"{BINDING}.querySelector('button').click()")
    opened.evaluate(f"{RANK}.querySelector('button').click()")
    opened.evaluate("document.querySelector('.filters').reset()")
    opened.evaluate("document.querySelectorAll('.compare:checked').forEach(b => b.click())")
    opened.evaluate("new Promise(r => setTimeout(r, 50))")
    yield opened
    assert opened.problems == []


def type_into(page, name, text):
    page.evaluate(
        f"(f => {{ f.value = {text!r}; f.dispatchEvent(new Event('input', {{bubbles: true}})) }})"
        f"(document.querySelector('.filters').elements[{name!r}])"
    )
    settled(page)


def settled(page, plot=SCATTER):
    """Wait for the drawing of a plot."""
    page.evaluate(f"Promise.resolve(drawing.get({plot})).then(() => true)")


def mouse(page, kind, where):
    """Move, press or release the mouse there."""
    moved = kind == "mouseMoved"
    page.command(
        "Input.dispatchMouseEvent",
        type=kind,
        x=where[0],
        y=where[1],
        button="none" if moved else "left",
        clickCount=0 if moved else 1,
    )


def until(page, expression, again=lambda: None):
    """Wait until an expression holds, doing ``again`` what leads there."""
    end = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"{expression} never held"
        page.evaluate("new Promise(r => setTimeout(r, 250))")
        again()


def test_sorts_by_click_and_back(page):
    assert page.evaluate(NAMES) == "Au(111) Cu(111) Cu(100)"
    assert "Li binding" in page.evaluate(f"{BINDING}.textContent")
    page.evaluate(f"{BINDING}.querySelector('button').click()")
    assert page.evaluate(NAMES) == "Au(111) Cu(100) Cu(111)"
    assert page.evaluate(f"{BINDING}.getAttribute('aria-sort')") == "ascending"
    page.evaluate(f"{BINDING}.querySelector('button').click()")
    assert page.evaluate(NAMES) == "Cu(111) Cu(100) Au(111)"
    assert page.evaluate(f"{BINDING}.getAttribute('aria-sort')") == "descending"
    assert page.evaluate(f"{RANK}.getAttribute('aria-sort')") is None


def test_sorts_by_keyboard(page):
    page.evaluate(f"{BINDING}.querySelector('button').focus()")
    page.press("Enter", 13, "\r")
    page.press("Enter", 13, "\r")
    assert page.evaluate(NAMES) == "Cu(111) Cu(100) Au(111)"
    page.press("Tab", 9)
    assert "Adatom barrier" in page.evaluate("document.activeElement.textContent")


def test_words_filter_table_scatter_and_cards(page):
    type_into(page, "text", "cu 100")
    assert page.evaluate(NAMES) == "Cu(100)"
    assert page.evaluate(POINTS) == "Cu (100)"
    assert page.evaluate("document.querySelectorAll('article:not([hidden])').length") == 1
    assert page.evaluate("document.querySelector('.count').textContent") == "1 of 5 shown"


def test_a_condition_filters_by_value_and_goes_again(page):
    page.evaluate("document.querySelector('.add-condition').click()")
    page.evaluate("document.querySelector('.condition .quantity').value = 'li_binding'")
    page.evaluate("document.querySelector('.condition .side').value = 'most'")
    assert page.evaluate("document.activeElement.className") == "bound"
    page.command("Input.insertText", text="-0.2")
    settled(page)
    assert page.evaluate(NAMES) == "Au(111) Cu(100)"
    assert page.evaluate("document.querySelector('.count').textContent") == "3 of 5 shown"
    page.evaluate("document.querySelector('.condition button').click()")
    assert page.evaluate("document.querySelector('.count').textContent") == "5 of 5 shown"


def test_status_filter_shows_what_is_listed_apart(page):
    type_into(page, "status", "apart")
    assert page.evaluate(NAMES) == ""
    apart = "document.querySelectorAll('table.apart tbody tr:not([hidden])').length"
    assert page.evaluate(apart) == 2


def test_scatter_shows_any_two_quantities_with_their_errors(page):
    assert page.evaluate(POINTS).count("(") == 5
    assert page.evaluate(f"{SCATTER}.data[0].error_y.array[0]") == 0.02
    page.evaluate(
        "(s => { s.value = 'adatom_barrier'; s.dispatchEvent(new Event('change')) })"
        f"({PART}.querySelector('select[name=x]'))"
    )
    settled(page)
    assert "Adatom barrier (eV)" in page.evaluate(f"{SCATTER}.layout.xaxis.title.text")
    assert page.evaluate(f"{SCATTER}.data[0].x[0]") == 0.12
    assert page.evaluate(f"{SCATTER}.data[0].error_x.array[0]") == 0.004
    assert page.evaluate(POINTS).count("(") == 4  # one has no barrier


def test_a_click_on_a_point_shows_its_structure(page):
    page.evaluate(f"{PART}.querySelector('.choose').click()")
    assert page.evaluate(CHOSEN) == "Au (111)"
    before = page.evaluate(f"{INK}('canvas.viewer')")
    settled(page)

    def point():
        """Where the point is, brought into the middle of the window at once."""
        return page.evaluate(
            f"""(() => {{
              {SCATTER}.scrollIntoView({{block: 'center', behavior: 'instant'}});
              const i = {SCATTER}.data.findIndex(t => t.text.includes('Ni (111)'));
              const trace = {SCATTER}.querySelectorAll('.scatterlayer .trace')[i];
              const box = trace.querySelector('.point').getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )

    def enter():
        """Plotly tells of a point when the mouse comes to it, not while it rests there."""
        x, y = point()
        mouse(page, "mouseMoved", (x - 60, y + 80))
        page.evaluate("new Promise(r => setTimeout(r, 150))")
        mouse(page, "mouseMoved", (x, y))

    enter()
    until(page, "!document.getElementById('hover').hidden", enter)
    where = point()
    assert "Ni (111)" in page.evaluate("document.getElementById('hover').textContent")
    assert page.evaluate("document.querySelectorAll('#hover svg path').length") == 1
    mouse(page, "mousePressed", where)
    mouse(page, "mouseReleased", where)
    until(page, f"{CHOSEN} !== 'Au (111)'")
    assert page.evaluate(CHOSEN) == "Ni (111)"
    assert page.evaluate(f"{INK}('canvas.viewer')") != before
    assert "below a threshold" in page.evaluate(f"{PART}.querySelector('.place').textContent")
    until(page, "document.querySelectorAll('.panel .curves .main-svg').length > 0")


def test_keyboard_chooses_steps_and_turns(page):
    page.evaluate(f"{PART}.querySelectorAll('.choose')[1].focus()")
    page.press("Enter", 13, "\r")
    assert page.evaluate(CHOSEN) == "Cu (111)"
    page.evaluate(f"{PART}.querySelector('.panel .next').focus()")
    page.press(" ", 32, " ")
    assert page.evaluate(CHOSEN) == "Cu (100)"
    page.evaluate("document.querySelector('canvas.viewer').focus()")
    before = page.evaluate(f"{INK}('canvas.viewer')")
    page.press("ArrowRight", 39)
    turned = page.evaluate(f"{INK}('canvas.viewer')")
    page.press("+", 187)
    assert len({before, turned, page.evaluate(f"{INK}('canvas.viewer')")}) == 3
    page.press("0", 48)
    assert page.evaluate(f"{INK}('canvas.viewer')") == before


def test_everything_to_click_is_reached_by_tab_and_has_a_name(page):
    names = page.evaluate(
        """[...document.querySelectorAll('button, input, select, a, summary, canvas[tabindex]')]
        .filter(e => e.checkVisibility())
        .map(e => [
          e.tabIndex >= 0, (e.ariaLabel || e.labels?.[0]?.textContent || e.textContent).trim()
        ])
        """
    )
    assert len(names) > 30
    assert all(reached and name for reached, name in names)


def test_two_candidates_side_by_side(page):
    boxes = f"[...{PART}.querySelectorAll('input.compare')]"
    page.evaluate(f"{boxes}[0].click()")
    assert page.evaluate("document.querySelectorAll('.side-by-side').length") == 0
    page.evaluate(f"{boxes}[1].focus()")
    page.press(" ", 32, " ")
    heads = "[...document.querySelectorAll('.side-by-side thead th')]"
    assert page.evaluate(f"{heads}.map(h => h.textContent).join()") == ",Au (111),Cu (111)"
    text = page.evaluate("document.querySelector('.side-by-side').textContent")
    assert "1.400 ± 0.020" in text
    assert "0.900 ± 0.020" in text
    assert page.evaluate("document.querySelectorAll('.side-by-side .bar .error').length") > 4
    assert "Au (111) ahead of Cu (111): " in page.evaluate(
        "document.querySelector('.verdicts').textContent"
    )
    settled(page, "document.querySelector('.compared .plot')")
    assert page.evaluate("document.querySelectorAll('.compared .scatterlayer .trace').length") == 2
    assert len(page.evaluate(f"{INK}('.side-by-side canvas')")) > 5000
    page.evaluate("document.querySelector('.clear-comparison').click()")
    assert page.evaluate("document.querySelectorAll('.side-by-side').length") == 0


def test_every_plot_is_drawn(page):
    count = page.evaluate("document.querySelectorAll('.plot').length")
    assert count == 9  # scatter, hop of the chosen one, places, pairs, profiles, four of bars
    assert page.evaluate("document.querySelectorAll('.plot:has(.main-svg)').length") == count
    traces = "document.querySelectorAll('#collectors-profiles .scatterlayer .trace').length"
    assert page.evaluate(traces) == 4


def test_cards_draw_their_structures_when_seen(page):
    page.evaluate("document.querySelector('article canvas').scrollIntoView({block: 'center'})")
    until(page, "stills.has(document.querySelector('article canvas'))")
    assert len(page.evaluate(f"{INK}('article canvas')")) > 5000


def test_the_theme_reaches_plots_and_structures(page):
    colour = "document.querySelector('#collectors-profiles .xtitle').style.fill"
    before = page.evaluate(colour), page.evaluate(f"{INK}('canvas.viewer')")
    page.evaluate("document.getElementById('theme').click()")
    settled(page, "document.getElementById('collectors-profiles')")
    after = page.evaluate(colour), page.evaluate(f"{INK}('canvas.viewer')")
    page.evaluate("document.getElementById('theme').click()")
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_nothing_is_wider_than_the_window_of_a_small_laptop(page):
    assert page.evaluate("innerWidth") == 1280
    page.evaluate("document.querySelector('input[name=columns]').click()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_prints_light_and_complete(page):
    theme = "String(document.documentElement.dataset.theme)"
    page.evaluate(f"addEventListener('beforeprint', () => globalThis.onPaper = {theme})")
    before = page.evaluate(theme)
    answer = page.command("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
    assert len(answer["data"]) > 50_000
    assert page.evaluate("onPaper") == "light"
    assert page.evaluate(theme) == before
