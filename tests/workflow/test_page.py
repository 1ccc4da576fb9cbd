"""The pages in a real browser: they ask for nothing else, their tables are the files', their viewers work.

`browser` shows the report, `catalogs` the page of the catalogues; both are in one Chromium, on a tab each.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from conftest import Project

TEST = "301-001000-1-0130"
WAIT = 60
"""Seconds; a machine may be busy."""

INSIDE = """
const found = (root) => [...root.querySelectorAll("*")].flatMap(
  (node) => [...(node.matches(arguments[0]) ? [node] : []), ...(node.shadowRoot ? found(node.shadowRoot) : [])])
return found(document)
"""
"""Elements that match a selector, those within Bokeh's shadow trees included."""


PAGES = ("report.html", "catalogs.html")
SCREENS = [(1300, "light"), (1300, "dark"), (420, "light"), (420, "dark")]
MOST_BYTES = 5_000_000

OUTSIDE = """
const width = document.documentElement.clientWidth
const inside = (node) => {
  for (let up = node; up; up = up.parentElement ?? up.getRootNode().host)
    if (!up.matches("html, body") && getComputedStyle(up).overflowX != "visible") return true
  return false
}
return [...document.querySelectorAll("body *")].filter((node) => {
  const box = node.getBoundingClientRect()
  const beyond = box.right > width + 1 || box.left < -1
  return node.checkVisibility() && box.width > 0 && beyond && !inside(node.parentElement)
}).map((node) => `${node.tagName} ${node.id} ${node.className}`)
"""
"""Elements that reach beyond the window, other than those that scroll within a box of their own."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chrome]:
    """Headless Chromium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium and chromedriver on the path (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1200,1400"):
        options.add_argument(f"--{argument}")
    options.add_argument("--force-prefers-reduced-motion")  # a page that still scrolls would be clicked beside
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def open_page(browser: Chrome, page: Path, viewers: int) -> None:
    """Open a page and wait for what Bokeh draws."""
    browser.get(page.as_uri())
    drawn = "return window.Bokeh ? Bokeh.documents.filter((one) => one.is_idle).length : 0"
    WebDriverWait(browser, WAIT).until(lambda _: browser.execute_script(drawn) == viewers)


@pytest.fixture(scope="module")
def report_tab(chromium: Chrome, project: Project) -> str:
    """The tab with the report of the finished project."""
    open_page(chromium, project.result("report.html"), 1)
    return chromium.current_window_handle


@pytest.fixture
def browser(chromium: Chrome, report_tab: str) -> Chrome:
    """The report of the finished project."""
    chromium.switch_to.window(report_tab)
    return chromium


@pytest.fixture(scope="module")
def catalogs_tab(chromium: Chrome, report_tab: str, project: Project) -> str:
    """The tab with the page of the catalogues."""
    chromium.switch_to.new_window("tab")
    open_page(chromium, project.result("catalogs.html"), 6)
    return chromium.current_window_handle


@pytest.fixture
def catalogs(chromium: Chrome, catalogs_tab: str) -> Chrome:
    """The page of the catalogues."""
    chromium.switch_to.window(catalogs_tab)
    return chromium


@pytest.fixture(scope="module")
def predictions(project: Project) -> pd.DataFrame:
    """What the best experiment says of the test field."""
    table = pd.read_parquet(project.result("models/regularized_large/seed1/predictions.parquet"))
    table = table[table["field"] == TEST].set_index("id")
    return table.assign(wrong=(table["probability"] > 0.5) != table["label"])


def elements(browser: Chrome, selector: str) -> list[Any]:
    return browser.execute_script(INSIDE, selector)


NAMED = """
const named = (name) => Bokeh.documents.map((one) => one.get_model_by_name(name)).find((one) => one)
"""
"""A function for a model of any chart or viewer of the page."""


def words_of(browser: Chrome, name: str) -> str:
    """The text of a Bokeh Div."""
    return browser.execute_script(f"{NAMED} return named(arguments[0]).text", name)


def press(browser: Chrome, label: str) -> None:
    """Click the button of the viewer that says `label`."""
    [button] = [found for found in elements(browser, ".bk-btn") if found.text == label]
    button.click()


def counted(browser: Chrome, count: int) -> bool:
    """Whether the viewer says before long that it shows so many sources."""
    return WebDriverWait(browser, WAIT).until(lambda _: words_of(browser, "count").startswith(f"{count} of "))


@pytest.mark.parametrize("page", PAGES)
def test_nothing_but_the_page_is_asked_for_and_nothing_fails(chromium: Chrome, project: Project, page: str):
    chromium.switch_to.new_window("tab")
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    open_page(chromium, project.result(page), 1 if page == "report.html" else 6)
    address = project.result(page).as_uri()
    messages = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert address in asked
    assert [url for url in asked if url != address and not url.startswith(("data:", "blob:"))] == []
    log = chromium.get_log("browser")
    assert any("document idle" in entry["message"] for entry in log)  # the log is read at all
    assert [entry for entry in log if entry["level"] in ("SEVERE", "WARNING")] == []
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])


def test_tables_hold_the_numbers_of_their_files(browser: Chrome, project: Project):
    script = """
    return Object.fromEntries([...document.querySelectorAll("table[data-file]")].map((table) => [table.dataset.file,
      [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => [cell.textContent,
        [...cell.querySelectorAll("data")].map((number) => [number.value, number.textContent])]))]))
    """
    shown = browser.execute_script(script)
    assert {"footprints.csv", "alignment.csv", "scores.csv", "scores_by_magnitude.csv", "sources.csv"} <= set(shown)
    for name, rows in shown.items():
        table = pd.read_csv(project.result(f"tables/{name}"), dtype=str, keep_default_na=False).drop(columns="sky")
        assert len(rows) == len(table)
        for row, (_, record) in zip(rows, table.iterrows(), strict=True):
            values = [value for _, numbers in row for value, _ in numbers]
            words = [text for text, numbers in row if not numbers]
            assert sorted([*values, *words]) == sorted([*record[record != ""], *[w for w in words if not w]])
            for value, text in (number for _, numbers in row for number in numbers):
                decimals = len(text.partition(".")[2])
                assert abs(float(value) - float(text)) <= 0.5001 * 10.0**-decimals


def test_the_headline_is_the_best_experiments(browser: Chrome, project: Project):
    scores = pd.read_csv(project.result("tables/scores.csv"))
    best = scores.query("classifier == 'regularized_large' and bucket == 'test' and against == 'photo'").iloc[0]
    script = "return [...document.querySelectorAll('[data-score]')].map((e) => [e.dataset.score, e.textContent])"
    assert dict(browser.execute_script(script)) == {name: f"{best[name]:.3f}" for name in ("accuracy", "mcc")}


def test_what_rule_all_makes_is_on_the_page(browser: Chrome, project: Project):
    script = "return [...document.querySelectorAll('figcaption code')].map((code) => code.textContent)"
    shown = set(browser.execute_script(script))
    made = [path for path in project.result("figures").rglob("*") if path.suffix in (".svg", ".png")]
    assert {str(path.relative_to(project.result("."))) for path in made} <= shown
    images = "return [...document.images].filter((image) => !(image.complete && image.naturalWidth)).length"
    assert browser.execute_script(images) == 0


def test_filters(browser: Chrome, predictions: pd.DataFrame):
    everything = len(predictions)
    assert counted(browser, everything)
    press(browser, "wrong")
    assert counted(browser, int(predictions["wrong"].sum()))
    press(browser, "uncertain")
    shown = predictions["probability"].round(4).astype(float)  # the page holds 32 bits and compares 64
    assert counted(browser, int(shown.between(0.1, 0.9, inclusive="neither").sum()))
    press(browser, "none")
    assert counted(browser, 0)
    press(browser, "all")
    middle = round(float(predictions["model_mag_r"].median()), 1) + 0.005  # between two magnitudes as rounded
    limits = "Bokeh.documents[0].get_model_by_name('limits')"
    browser.execute_script(f"window.limits = {limits}.value; {limits}.value = [window.limits[0], {middle}]")
    fainter = predictions["model_mag_r"].astype(float).round(2) > middle
    assert 0 < fainter.sum() < everything and counted(browser, everything - int(fainter.sum()))
    browser.execute_script(f"{limits}.value = window.limits")
    assert counted(browser, everything)


def test_a_click_tells_of_the_source(browser: Chrome, project: Project, predictions: pd.DataFrame):
    """A source well apart from others: its words, and that its patch is the one shown."""
    sources = pd.read_parquet(project.result(f"sources/catalog/{TEST}.parquet"))
    x, y = sources["x"].to_numpy(), sources["y"].to_numpy()
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + np.diag(np.full(len(x), np.inf))
    index = int(np.argmax(np.where((x > 300) & (x < 1700) & (y > 300) & (y < 1200), apart.min(axis=1), 0)))
    # Bokeh puts the frame's pixel of a position; the canvas says where the frame is.
    script = f"""
    const plot = Bokeh.documents[0].get_model_by_name("field {TEST}")
    const view = Bokeh.index.find_one(plot)
    view.el.scrollIntoView({{block: "center", behavior: "instant"}})
    const box = view.el.getBoundingClientRect()
    return [box.left + view.frame.x_scale.compute({x[index]}), box.top + view.frame.y_scale.compute({y[index]})]
    """
    across, down = browser.execute_script(script)
    actions = ActionChains(browser)
    actions.w3c_actions.pointer_action.move_to_location(round(across), round(down))
    actions.w3c_actions.pointer_action.click()
    actions.perform()
    name = sources["id"].iloc[index]
    WebDriverWait(browser, WAIT).until(lambda _: name in words_of(browser, "details"))
    words = words_of(browser, "details")
    assert f"Probability of a star {predictions.loc[name, 'probability']:.4f}" in words
    assert f"<span>r<br>{sources['model_mag_r'].iloc[index]:.2f}</span>" in words
    assert re.search(rf"labelled (star|galaxy) \({sources['label'].iloc[index]}\)", words)
    [patch] = WebDriverWait(browser, WAIT).until(lambda _: elements(browser, ".patch"))
    style = "const s = getComputedStyle(arguments[0]); return [s.backgroundPositionX, s.backgroundPositionY]"
    column, line = (float(re.search(r"[\d.]+", part)[0]) / 100 for part in browser.execute_script(style, patch))
    assert column == pytest.approx(index % 16 / 15, abs=1e-4)
    assert line == pytest.approx(index // 16 / (-(-len(sources) // 16) - 1), abs=1e-4)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_small_and_can_be_read_without_its_pictures(project: Project, page: str):
    html = project.result(page).read_text()
    assert len(html.encode()) < MOST_BYTES
    assert '<html lang="en">' in html and '<meta name="viewport"' in html
    assert "needs JavaScript" in re.search(r"<noscript>(.*?)</noscript>", html, re.S)[1]
    alternatives = re.findall(r'<img [^>]*alt="([^"]*)"', html) + re.findall(r'role="img" aria-label="([^"]*)"', html)
    assert len(alternatives) >= 5 and min(map(len, alternatives)) > 40


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_the_window_and_follows_the_theme(
    request: pytest.FixtureRequest, page: str, width: int, scheme: str
):
    browser = request.getfixturevalue("browser" if page == "report.html" else "catalogs")
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    theme = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", theme)
    try:
        wide = "return document.documentElement.scrollWidth"
        WebDriverWait(browser, WAIT).until(lambda _: browser.execute_script(wide) <= width)
        assert browser.execute_script(OUTSIDE) == []
        paper, ink = browser.execute_script(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        )
        lightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 765 for colour in (paper, ink)]
        assert abs(lightness[0] - lightness[1]) > 0.7
        assert (lightness[0] < 0.5) == (scheme == "dark")
        pictures = browser.execute_script(
            "return [...document.images].map((one) => [one.clientWidth, getComputedStyle(one).backgroundColor])"
        )
        assert all(0 < across <= width for across, _ in pictures)
        assert {plate for _, plate in pictures} <= {"rgb(255, 255, 255)" if scheme == "dark" else "rgba(0, 0, 0, 0)"}
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_page_of_the_catalogues_counts_what_they_hold(catalogs: Chrome, project: Project):
    table = pd.read_parquet(project.result(f"catalogs/{TEST}.parquet"))
    own = table[table["primary"]]
    counts = "return [...document.querySelectorAll('[data-count]')].map((one) => [one.dataset.count, one.textContent])"
    shown = dict(catalogs.execute_script(counts))
    plurals = {"stars": "star", "galaxies": "galaxy", "unclassified": "unclassified"}
    assert {kind: int(text) for kind, text in shown.items()} == {
        word: int((own["class"] == kind).sum()) for word, kind in plurals.items()
    }
    cells = "(row) => [...row.cells].map((cell) => cell.textContent)"
    rows = f"return [...document.querySelectorAll('#numbers tbody tr')].map({cells})"
    numbers = np.array(catalogs.execute_script(rows), float)
    magnitude = 22.5 - 2.5 * np.log10(own["modelFlux_r"].where(own["modelFlux_r"] > 0))
    drawn = magnitude.between(12, 25, inclusive="left")
    for column, kind in zip((2, 4, 6), plurals.values(), strict=True):
        assert numbers[:, column].sum() == ((own["class"] == kind) & drawn).sum()
    assert "SDSS imaging (made)" in catalogs.title
    assert catalogs.execute_script("return document.querySelector('h1 + p').textContent").count(str(len(own))) == 1


def test_marks_of_the_catalogue_can_be_chosen_and_scale_with_the_picture(catalogs: Chrome, project: Project):
    table = pd.read_parquet(project.result(f"catalogs/{TEST}.parquet"))
    classified = table[table["class"] != "unclassified"]
    assert counted(catalogs, len(classified))  # unclassified sources are hidden at first
    press(catalogs, "stars")
    assert counted(catalogs, int((classified["class"] == "galaxy").sum()))
    press(catalogs, "stars")
    press(catalogs, "flagged")
    assert counted(catalogs, int((classified["unlike_training"] != 0).sum()))
    press(catalogs, "uncertain")
    assert counted(catalogs, int(classified["probability_star"].between(0.1, 0.9).sum()))
    press(catalogs, "all")
    size = f"""{NAMED}
    const plot = named("field {TEST}")
    const marks = plot.renderers.find((one) => one.glyph.type == "Scatter")
    return [marks.glyph.size.value, plot.inner_width, marks.glyph.line_alpha]
    """
    before, across, _ = catalogs.execute_script(size)
    assert before == pytest.approx(20 * across / 2048)
    catalogs.execute_script(f"{NAMED} named('field {TEST}').x_range.setv({{start: 0, end: 400}})")
    WebDriverWait(catalogs, WAIT).until(lambda _: catalogs.execute_script(size)[0] == 20)
    catalogs.execute_script(f"{NAMED} named('field {TEST}').x_range.setv({{start: -0.5, end: 2047.5}})")


def test_a_click_tells_of_a_source_of_the_catalogue(catalogs: Chrome, project: Project):
    table = pd.read_parquet(project.result(f"catalogs/{TEST}.parquet"))
    row = int(np.flatnonzero(table["class"] != "unclassified")[0])
    select = f"{NAMED} named('field {TEST}').renderers.at(-1).data_source.selected.indices = [arguments[0]]"
    catalogs.execute_script(select, row)
    WebDriverWait(catalogs, WAIT).until(lambda _: table["id"].iloc[row] in words_of(catalogs, "details"))
    words = words_of(catalogs, "details")
    assert f"Probability of a star {table['probability_star'].iloc[row]:.3f}" in words
    assert f"<span>r<br>{table['modelMag_r'].iloc[row]:.2f}</span>" in words
    assert table["class"].iloc[row] in words and "lags" in words
