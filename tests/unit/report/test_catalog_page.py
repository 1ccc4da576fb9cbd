"""What the page of the catalogues shows: number counts, diagrams, words of flags, and charts with equal bytes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stargal.report import catalogs

ROOT = Path(__file__).parents[3]


def flux(magnitude):
    """Nanomaggies of an AB magnitude."""
    return 10 ** (0.4 * (22.5 - magnitude))


def catalog(count=8, **columns):
    """Primary stars and galaxies in turn, r of 20.2 and g - r of 0.5, with given columns."""
    magnitudes = dict(zip("ugriz", (21.5, 20.7, 20.2, 20.0, 19.9), strict=True))
    table = pd.DataFrame(
        {
            "id": [f"source-{i}" for i in range(count)],
            **{name: np.arange(count, dtype=float) for name in ("ra", "dec", "x", "y")},
            "primary": True,
            "class": ["star", "galaxy"] * (count // 2),
            "flags": 0,
            "unlike_training": 0,
            "probability_star": 0.5,
            "probability_scatter": 0.01,
            "snr": 30.0,
            **{f"modelMag_{band}": np.full(count, value, np.float32) for band, value in magnitudes.items()},
            "modelFlux_r": flux(magnitudes["r"]),
        }
    )
    return table.assign(**columns)


def test_the_columns_used_are_those_of_the_made_catalogue():
    assert sorted(catalogs.USED) == sorted(catalog().columns)


def test_number_counts_are_per_magnitude_and_square_degree():
    sources = catalogs.Sources(2)
    sources.add(catalog(primary=[True] * 6 + [False] * 2))
    sources.add(catalog(2, **{"class": "unclassified", "modelFlux_r": [flux(20.4), -0.1]}))
    (row,) = sources.number_counts().to_dict("records")
    assert (row["low"], row["high"]) == (20.0, 20.5)
    assert (row["star"], row["galaxy"], row["unclassified"]) == (3, 3, 1)
    area = 2 * (1361 * 0.396 / 3600) * (2048 * 0.396 / 3600)
    assert row["density_star"] == pytest.approx(3 / (0.5 * area))
    assert sources.total() == {"star": 3, "galaxy": 3, "unclassified": 2}


def test_catalogues_without_sources_have_no_counts():
    sources = catalogs.Sources(1)
    sources.add(catalog(0))
    assert sources.number_counts().empty and sources.drawn() == 0
    assert [len(x) for x, _ in sources.diagram("ug").values()] == [0, 0]


def test_diagrams_hold_what_is_bright_enough_in_their_bands():
    sources = catalogs.Sources(1)
    sources.add(catalog(4, modelMag_u=[21.5, 22.1, np.nan, 21.0]))
    drawn = {name: {kind: len(x) for kind, (x, _) in sources.diagram(name).items()} for name in catalogs.DIAGRAMS}
    assert drawn == {
        "magnitude": {"galaxy": 2, "star": 2},
        "ug": {"galaxy": 1, "star": 1},
        "gr": {"galaxy": 2, "star": 2},
    }
    ug, gr = sources.diagram("ug")["star"]
    assert ug.tolist() == pytest.approx([0.8]) and gr.tolist() == pytest.approx([0.5])
    colour, magnitude = sources.diagram("magnitude")["star"]
    assert colour.tolist() == pytest.approx([0.5] * 2) and magnitude.tolist() == pytest.approx([20.2] * 2)


def test_what_is_drawn_does_not_grow_with_the_fields(monkeypatch):
    monkeypatch.setattr(catalogs, "POINTS", 100)
    sources = catalogs.Sources(10)
    for _ in range(10):
        sources.add(catalog(50))
    assert sources.drawn() == 100 and sum(sources.total().values()) == 500


def test_flags_have_words():
    flags = [0, 1 << 28, (1 << 18) | (1 << 2) | (1 << 28), 0]
    words = catalogs.flag_words(catalog(4, flags=flags, unlike_training=[0, 16, 32, 6]))
    assert words.tolist() == [
        "",
        "unlike training: crowded",
        "unlike training: saturated; EDGE, SATURATED",
        "unlike training: noise, magnitude",
    ]


def test_a_viewer_has_the_brightest_sources_and_what_is_uncertain(monkeypatch):
    table = catalogs.viewer_table(catalog(4, probability_star=[0.05, 0.1, 0.5, 0.95], unlike_training=[0, 1, 0, 0]))
    assert table["uncertain"].tolist() == [False, True, True, False]
    assert table["flagged"].tolist() == [False, True, False, False]
    monkeypatch.setattr(catalogs, "VIEWED_SOURCES", 2)
    table = catalogs.viewer_table(catalog(4, modelMag_r=[np.nan, 19, 21, 18]))
    assert table["id"].tolist() == ["source-1", "source-3"]


def test_fields_on_both_sides_of_0_h_lie_together():
    corners = catalogs.unwrap({"a": [[359.9, 1], [0.1, 1]], "b": [[0.3, 1], [0.5, 1]]})
    ra = np.concatenate([one[:, 0] for one in corners.values()])
    assert np.ptp(ra) == pytest.approx(0.6)


PROGRAM = """
import sys, numpy as np, pandas as pd
from stargal.report import catalogs, charts
from stargal.report.viewer import embed
table = pd.read_parquet(sys.argv[1])
sources = catalogs.Sources(1)
sources.add(table)
corners = catalogs.unwrap({"one": [[10.0, 1.0], [10.2, 1.0], [10.2, 1.1], [10.0, 1.1]]})
made = [charts.footprints(corners), charts.number_counts(sources.number_counts())]
made += [charts.diagram(name, sources.diagram(name)) for name in catalogs.DIAGRAMS]
for number, chart in enumerate(made):
    print(embed(chart, f"chart-{number}"))
"""


@pytest.mark.parametrize("count", [8, 0])
def test_charts_are_the_same_each_time(tmp_path, count):
    catalog(count).to_parquet(tmp_path / "table.parquet")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "table.parquet")]
    once, again = (
        subprocess.run(command, check=True, cwd=ROOT / "workflow", stdout=subprocess.PIPE, text=True).stdout
        for _ in range(2)
    )
    assert once == again
    assert [json.loads(line)["target_id"] for line in once.splitlines()] == [f"chart-{i}" for i in range(5)]
