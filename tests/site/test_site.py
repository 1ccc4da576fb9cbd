"""The built site (`make docs`): whole, without requests to other hosts, and with the notebook's results."""

import re

import pytest

from configurations import ROOT

SITE = ROOT / "docs/_build/html"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """HTML of the pages, by path."""
    found = {path.relative_to(SITE).as_posix(): path.read_text() for path in SITE.rglob("*.html")}
    found = {name: page for name, page in found.items() if not name.startswith("_static/")}
    assert len(found) > 100, "run `make docs`"
    return found


def test_every_page_of_the_sources_is_there(pages):
    sources = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.ipynb")]
    expected = {
        path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        for path in sources
        if "_build" not in path.parts
    }
    assert len(expected) > 20 and expected <= set(pages)


def test_links_within_the_site_lead_somewhere(pages):
    missing = set()
    for name, page in pages.items():
        for target in re.findall(r'(?:href|src)="([^"#?:]+)[^":]*"', page):
            if not (SITE / name).parent.joinpath(target).exists():
                missing.add((name, target))
    assert missing == set()


def test_pages_load_nothing_from_elsewhere(pages):
    loaded = r'<(?:script|img|iframe)[^>]+src="https?:|<link[^>]+rel="stylesheet"[^>]+href="https?:'
    assert [name for name, page in pages.items() if re.search(loaded, page)] == []


def test_the_notebook_shows_its_results(pages):
    page = pages["tutorial/own_pixels.html"]
    assert float(re.search(r"right: (\d\.\d+)", page)[1]) > 0.98
    assert len(re.findall(r'<img[^>]+src="[^"]*_images/[^"]+\.png"', page)) == 2
    assert "Simulated sky" in page and "Traceback" not in page


def test_the_reference_has_the_keys_and_the_functions(pages):
    assert "skies.{name}.origin" in pages["reference/configuration.html"]
    assert 'id="stargal.imaging.align.align_field"' in pages["reference/api/stargal.imaging.align.html"]
    assert 'id="stargal.learning.pixels.Classifier.at"' in pages["reference/api/stargal.learning.pixels.html"]
