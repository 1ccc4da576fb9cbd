"""SExtractor and PSFEx on a made frame; without them, no values but the reason."""

import shutil

import numpy as np
import pandas as pd
import pytest

from made_sky import Drawn, make_frame
from stargal.errors import StargalError
from stargal.photometry.extractor import classify_with_extractor
from stargal.photometry.planes import prepare_planes

INSTALLED = pytest.mark.skipif(
    not (shutil.which("source-extractor") and shutil.which("psfex")),
    reason="source-extractor or psfex is not installed",
)


@pytest.fixture(scope="module")
def field():
    """Sixty stars and sixty galaxies on a grid, and a detection where there is nothing."""
    random = np.random.default_rng(1)
    places = [(x, y) for x in range(50, 660, 50) for y in range(50, 470, 45)][:120]
    jitter, flux = random.uniform(-2, 2, (120, 2)), random.uniform(20, 60, 120)
    sources = [
        Drawn(x + dx, y + dy, float(light), 4.0 * (k % 2), 0.8)
        for k, ((x, y), (dx, dy), light) in enumerate(zip(places, jitter, flux, strict=True))
    ]
    frame = make_frame(sources, "r")
    positions = [(source.x, source.y) for source in sources] + [(75.0, 25.0)]
    table = pd.DataFrame(positions, columns=["x", "y"]).assign(id=[str(k) for k in range(len(positions))])
    return table, frame, prepare_planes({"r": frame}, 3)["r"]


@INSTALLED
def test_stars_and_galaxies_differ_in_both_classes(field, tmp_path):
    found = classify_with_extractor(*field, "source-extractor", "psfex", tmp_path)
    assert found["id"].to_list() == field[0]["id"].to_list() and found.attrs["skipped"] == {}
    star, galaxy, nothing = found[:-1:2], found[1:-1:2], found.iloc[-1]
    assert found[:-1].notna().all().all() and nothing[["class_star", "spread_model"]].isna().all()
    assert (star["spread_model"] < 0.003).mean() > 0.95 and (galaxy["spread_model"] > 0.003).mean() > 0.95
    assert star["class_star"].median() > 0.9 and galaxy["class_star"].median() < 0.1


@INSTALLED
def test_without_psfex_there_is_no_spread(field, tmp_path):
    found = classify_with_extractor(*field, "source-extractor", None, tmp_path)
    assert found.attrs["skipped"] == {"spread_model": "psfex is not installed"}
    assert found["class_star"].notna().sum() == 120 and found["spread_model"].isna().all()


def test_without_the_programs_there_is_the_reason(field, tmp_path):
    found = classify_with_extractor(*field, None, None, tmp_path)
    assert set(found.attrs["skipped"].values()) == {"source-extractor is not installed"}
    assert len(found) == 121 and found.drop(columns="id").isna().all().all()
    found.to_parquet(tmp_path / "extracted.parquet")
    assert pd.read_parquet(tmp_path / "extracted.parquet").attrs["skipped"] == found.attrs["skipped"]


def test_a_program_that_this_machine_lacks_is_one_line(field, tmp_path):
    with pytest.raises(StargalError, match=r"^no-such-program: not installed on this machine"):
        classify_with_extractor(*field, "no-such-program", None, tmp_path)


def test_a_program_that_is_another_is_one_line(field, tmp_path):
    with pytest.raises(StargalError, match=r"no default\.nnw below .*; reinstall SExtractor$"):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/sex").write_text("#!/bin/sh\n")
        (tmp_path / "bin/sex").chmod(0o755)
        classify_with_extractor(*field, str(tmp_path / "bin/sex"), None, tmp_path)
