"""Parts of the page: tables with the numbers of their files, headline, captions, and the viewer's pictures."""

import base64
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stargal.report import page, viewer

ROOT = Path(__file__).parents[3]
TABLE = """sky,classifier,seed,sources,accuracy,accuracy_sd,accuracy_low,accuracy_high,gap
made sky,base,1,1545,0.930744,0.012149,0.91843,0.943689,11803.4
made sky,majority,,1545,0.757929,,,,-0.25
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def sources():
    count = 20
    magnitudes = {f"model_mag_{band}": np.linspace(15, 23, count, dtype=np.float32) for band in "ugriz"}
    columns = {"ra": 10.0, "dec": 1.0, "x": np.arange(count) * 100.0, "y": 50.0, "label": np.arange(count) % 2}
    truth = pd.array([1, 0, *[pd.NA] * (count - 2)], dtype="Int8")
    return pd.DataFrame({"id": [f"source-{i}" for i in range(count)], **columns, "truth": truth, **magnitudes})


@pytest.fixture
def probability(sources):
    return pd.Series(np.linspace(0, 1, len(sources)), index=sources["id"]).sample(frac=1, random_state=1)


def test_cells_are_the_files_numbers(table):
    columns, rows = page.read_cells(table)
    assert columns == ["classifier", "seed", "sources", "accuracy", "gap"]
    first, second = (dict(zip(columns, row, strict=True)) for row in rows)
    assert first["accuracy"].value == "0.930744" and first["accuracy"].text == "0.9307"
    assert [end.value for end in first["accuracy"].interval] == ["0.91843", "0.943689"]
    assert (first["accuracy"].scatter.value, first["accuracy"].scatter.text) == ("0.012149", "0.0121")
    assert first["sources"].text == "1545" and first["gap"].text == "11803"
    assert first["classifier"].value is None
    assert second["seed"].text == "" and second["seed"].value is None
    assert second["accuracy"].interval is None and second["accuracy"].scatter is None
    assert second["gap"].value == "-0.25"


def test_headline_is_the_mean_over_the_seeds():
    keys = {"training_set": "large", "bucket": "test", "against": "photo"}
    numbers = {f"{score}{end}": 0.5 for score in page.HEADLINE_SCORES for end in ("", "_low", "_high")}
    rows = [{"classifier": "best", "seed": seed, **keys, **numbers, "mcc": mcc} for seed, mcc in ((1, 0.7), (2, 0.8))]
    rows.append({"classifier": "best", "seed": 1, **keys, **numbers, "mcc": 0.1, "bucket": "validation"})
    rows.append({"classifier": "coin", "seed": np.nan, **keys, **numbers, "training_set": np.nan, "mcc": 0.0})
    best, coin = page.headline(pd.DataFrame(rows))
    assert (best["classifier"], best["seeds"], best["truth"]) == ("best", 2, None)
    assert best["photo"]["mcc"]["value"] == pytest.approx(0.75)
    assert (coin["classifier"], coin["training_set"], coin["seeds"]) == ("coin", "", 0)


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (0.93, 0.92, 0.95, "above"),
        (0.923, 0.909, 0.936, "above"),  # the intervals overlap, that of the difference does not hold 0
        (0.92, 0.9, 0.94, "consistent"),
        (0.88, 0.86, 0.9, "consistent"),
        (0.875, 0.862, 0.889, "below"),
    ],
)
def test_a_difference_is_one_if_its_interval_does_not_hold_0(value, low, high, said):
    assert page.relation({"value": value, "low": low, "high": high}, page.REPORTED["accuracy"]).startswith(said)


def test_captions_are_sound():
    """docutils finds no fault in any of them."""
    captions = sorted((ROOT / "workflow/report").glob("*.rst"))
    assert len(captions) > 20
    for path in captions:
        assert page.render_rst(path).startswith("<p>"), path


def test_a_faulty_caption_is_refused(tmp_path):
    path = tmp_path / "caption.rst"
    path.write_text("An ``open literal")
    with pytest.raises(Exception, match=r"caption\.rst.*Inline literal"):
        page.render_rst(path)


def test_hashes_of_frames_and_catalogues(tmp_path):
    (tmp_path / "alignment.csv").write_text("sky,frame,sha256\nmade,frame-u.fits.bz2,aa\nmade,frame-g.fits.bz2,bb\n")
    (tmp_path / "star.sha256").write_text("cc  star.fits.gz\n")
    found = page.read_hashes(tmp_path / "alignment.csv", [tmp_path / "star.sha256"])
    assert found == {"frame-u.fits.bz2": "aa", "frame-g.fits.bz2": "bb", "star.fits.gz": "cc"}


def test_versions_are_those_installed():
    assert page.software_versions()["numpy"] == np.__version__
    assert {"python", "snakemake", "bokeh"} <= set(page.software_versions())


def test_a_source_is_described_by_its_own_probability(sources, probability):
    table = viewer.label_table(sources, probability)
    assert table["probability"].to_list() == np.linspace(0, 1, 20).round(4).tolist()
    assert table["called"].to_list() == [0] * 10 + [1] * 10
    assert table["wrong"].to_list() == [i % 2 != (i >= 10) for i in range(20)]
    assert table["truth"].to_list() == [1, 0] + [-1] * 18


def test_each_patch_has_its_place_on_the_sheet():
    """One bright square in band 2 of patch 17, which is in line 1, column 1."""
    patches = np.zeros((18, 15, 15, 5), np.float32)
    patches[17, 2:5, 3:6, 2] = 100
    patches[0, 0, 0, 0] = np.nan
    sheet = np.asarray(Image.open(io.BytesIO(viewer.encode_patches(patches, np.ones(5, np.float32)))).convert("L"))
    assert sheet.shape == (2 * 15, 16 * 5 * 15)
    rows, columns = np.nonzero(sheet > 150)
    assert (np.median(rows), np.median(columns)) == (15 + 14 - 3, 1 * 75 + 2 * 15 + 4)
    assert sheet[10:15, 0:5].max() < 90  # no data; row 0 is at the bottom


def test_the_picture_of_a_field_is_upside_up_and_named():
    picture = np.zeros((1489, 2048, 3), np.uint8)
    picture[:200, :200] = (255, 0, 0)
    content = viewer.encode_field(picture, "made sky")
    image = Image.open(io.BytesIO(content))
    assert image.info["comment"] == b"made sky"
    assert image.getpixel((50, 1400))[0] > 200 > 50 > image.getpixel((50, 50))[0]
    assert np.asarray(image)[-40:, -120:].max() > 200  # the name of the sky


PROGRAM = """
import io, sys, pandas as pd
from PIL import Image
from stargal.report import viewer
def png(size):
    stream = io.BytesIO()
    Image.new("L", size).save(stream, "PNG")
    return stream.getvalue()
table = pd.read_json(sys.argv[1])
made = {name: viewer.label_viewer(name, table, png((20, 10)), png((1200, 30)), "ugriz", 15) for name in sys.argv[2:]}
print(viewer.embed(viewer.in_tabs(made), "viewer"))
"""


def embedded(path, *fields):
    command = [sys.executable, "-c", PROGRAM, str(path), *fields]
    return subprocess.run(command, check=True, cwd=ROOT / "workflow", stdout=subprocess.PIPE, text=True).stdout


def test_the_viewer_is_the_same_each_time(sources, probability, tmp_path):
    viewer.label_table(sources, probability).to_json(tmp_path / "table.json")
    first = embedded(tmp_path / "table.json", "one", "two")
    assert first == embedded(tmp_path / "table.json", "one", "two")
    assert [first.count(f'"name": "{kind}"') for kind in ("Tabs", "TabPanel", "RangeSlider")] == [1, 2, 2]
    assert json.loads(first)["target_id"] == "viewer"


def test_bokeh_comes_with_its_licence():
    script = viewer.bokeh_scripts()
    assert "Redistribution and use in source and binary forms" in script
    packed = viewer.packed(script)
    assert gzip.decompress(base64.b64decode(packed)).decode() == script
    assert packed == viewer.packed(script) and len(packed) < 0.5 * len(script)


def test_a_picture_is_embedded_with_fewer_bytes(tmp_path):
    noise = np.random.default_rng(0).normal(40, 15, (200, 300, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "picture.png")
    kind, content = page.render_figure(tmp_path / "picture.png").split(";base64,")
    assert kind == "data:image/webp" and len(content) < 0.5 * (tmp_path / "picture.png").stat().st_size
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (300, 200)


def test_a_figure_is_described_by_the_first_sentence_of_its_caption(tmp_path):
    (tmp_path / "caption.rst").write_text("Scores of ``networks`` at r < 22,\nby field. More of it.\n")
    assert page.describe_figure(tmp_path / "caption.rst") == "Scores of networks at r < 22, by field."


def test_every_caption_is_used_and_there():
    """Captions are named by the rows of tables and figures, and by the rules that show their output."""
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    captions = {path.stem for path in (ROOT / "workflow/report").glob("*.rst")} - {"corrections"}
    assert len(captions) > 20
    for caption in captions:
        assert f'"{caption}"' in rules, caption
