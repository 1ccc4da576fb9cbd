"""The page in a real browser: nothing but itself is asked for, its tables are the files', its viewer works."""

import json
import re
import shutil
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def browser(project: Project) -> Iterator[Chrome]:
    """The page of the finished project, open in headless Chromium."""
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
        browser.get(project.result("report.html").as_uri())
        WebDriverWait(browser, WAIT).until(lambda _: elements(browser, "canvas"))
        yield browser
    finally:
        browser.quit()


@pytest.fixture(scope="module")
def predictions(project: Project) -> pd.DataFrame:
    """What the best experiment says of the test field."""
    table = pd.read_parquet(project.result("models/regularized_large/seed1/predictions.parquet"))
    table = table[table["field"] == TEST].set_index("id")
    return table.assign(wrong=(table["probability"] > 0.5) != table["label"])


def elements(browser: Chrome, selector: str) -> list[Any]:
    return browser.execute_script(INSIDE, selector)


def words_of(browser: Chrome, name: str) -> str:
    """The text of a Bokeh Div."""
    return browser.execute_script("return Bokeh.documents[0].get_model_by_name(arguments[0]).text", name)


def press(browser: Chrome, label: str) -> None:
    """Click the button of the viewer that says `label`."""
    [button] = [found for found in elements(browser, ".bk-btn") if found.text == label]
    button.click()


def counted(browser: Chrome, count: int) -> bool:
    """Whether the viewer says before long that it shows so many sources."""
    return WebDriverWait(browser, WAIT).until(lambda _: words_of(browser, "count").startswith(f"{count} of "))


def test_nothing_but_the_page_is_asked_for(browser: Chrome, project: Project):
    page = project.result("report.html").as_uri()
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert page in asked
    assert [url for url in asked if url != page and not url.startswith(("data:", "blob:"))] == []


def test_the_console_tells_of_no_fault(browser: Chrome):
    log = browser.get_log("browser")
    assert any("document idle" in entry["message"] for entry in log)  # the log is read at all
    assert [entry for entry in log if entry["level"] in ("SEVERE", "WARNING")] == []


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


def test_a_phone_need_not_scroll_sideways(browser: Chrome):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        wide = "return document.documentElement.scrollWidth"
        WebDriverWait(browser, WAIT).until(lambda _: browser.execute_script(wide) <= 390)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
