"""Bad input ends a run with one clear line, leaves nothing half-written and loses nothing."""

import bz2
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import recfunctions

from conftest import FIELDS, Project
from made_archive import catalog_bytes, catalog_path, catalog_table, frame_bytes, frame_path, make_image, make_sources
from stargal.survey.fields import COLUMNS, ROWS, Field

TRAIN, OTHER = Field(301, 1000, 1, 100), Field(301, 1000, 1, 110)
SOURCES = catalog_table(TRAIN, make_sources(TRAIN), 1)


def replace(path: Path, content: bytes) -> None:
    """Write a file of its own: the archive's copy shares its bytes with the original."""
    path.unlink()
    path.write_bytes(content)


def removed(project: Project, *paths: str) -> None:
    """Remove the files below resources/made or results/made whose paths begin so."""
    for path in paths:
        for part in ("resources/made", "results/made"):
            for file in (project.folder / part).glob(f"{path}*"):
                file.unlink()


def refused(project: Project, expected: str, *targets: str, kept: tuple[str, ...] = ()) -> str:
    """A run fails, with exactly one line of error, which says what is expected; it leaves nothing but what it keeps."""
    done = project.snakemake(*targets)
    assert done.returncode != 0
    lines = {line for line in done.stdout.splitlines() if line.startswith("error: ")}
    assert len(lines) == 1 and expected in lines.pop(), done.stdout
    assert "Traceback" not in done.stdout
    leftovers = [path for path in project.folder.rglob("*") if path.name.endswith((".part", ".partial"))]
    assert {path.name for path in leftovers} == set(kept)
    return done.stdout


@pytest.mark.parametrize(
    "content, expected",
    [
        (lambda good: good[: len(good) // 2], "frame-g-001000-1-0100.fits.bz2"),
        (lambda good: b"<html><body>503</body></html>", "frame-g-001000-1-0100.fits.bz2"),
        (lambda good: bz2.compress(b"<html></html>"), "frame-g-001000-1-0100.fits.bz2"),
        (
            lambda good: frame_bytes(OTHER, "g", make_image(make_sources(OTHER), "g")),
            "frame-g-001000-1-0100.fits.bz2",
        ),
        (lambda good: frame_bytes(TRAIN, "g", np.full((ROWS, COLUMNS), np.nan, np.float32)), "pixel"),
    ],
    ids=["truncated", "html", "packed-html", "another-field", "all-nan"],
)
def test_bad_frame(broken, content, expected):
    """The other field of the same run is aligned all the same, of which one case is proof enough."""
    project, archive = broken
    path = frame_path(archive, TRAIN, "g")
    replace(path, content(path.read_bytes()))
    cubes = [
        f"results/made/aligned/{field.name}.fits" for field in ((TRAIN, OTHER) if expected == "pixel" else (TRAIN,))
    ]
    refused(project, expected, *cubes)
    assert not (project.folder / cubes[0]).exists()
    assert not (project.folder / "resources/made/frames/301/frame-g-001000-1-0100.fits.bz2").exists()
    assert all((project.folder / cube).exists() for cube in cubes[1:])


def test_missing_band(broken):
    project, archive = broken
    frame_path(archive, TRAIN, "i").unlink()
    came_before = ("frame-g-001000-1-0100.fits.bz2.part",)  # whole: the next run does not fetch it again
    refused(project, "frame-i-001000-1-0100.fits.bz2", f"results/made/aligned/{TRAIN.name}.fits", kept=came_before)


@pytest.mark.parametrize(
    "rows, expected",
    [
        (lambda rows: recfunctions.drop_fields(rows, ["RA"], usemask=False), "RA"),
        (lambda rows: rows[:0], "rows"),
    ],
    ids=["columns", "rows"],
)
def test_bad_catalog(finished, rows, expected):
    project, archive = finished
    removed(project, "catalogs/301/calibObj-001000-1-star", f"sources/catalog/{TRAIN.name}")
    replace(catalog_path(archive, TRAIN, "star"), catalog_bytes(rows(SOURCES)))
    refused(project, expected, f"results/made/sources/catalog/{TRAIN.name}.parquet")


def test_catalog_outside_the_frame(finished):
    project, archive = finished
    removed(project, "catalogs/301/cal", f"sources/catalog/{TRAIN.name}")
    for kind, label in (("star", 1), ("gal", 0)):
        rows = catalog_table(TRAIN, make_sources(TRAIN), label)
        rows["DEC"] += 3.0
        replace(catalog_path(archive, TRAIN, kind), catalog_bytes(rows))
    refused(project, "lies in the frame", f"results/made/sources/catalog/{TRAIN.name}.parquet")


def test_unreachable_host(broken):
    project, _ = broken
    project.config["archive"] = {"url": "http://127.0.0.1:9", "attempts": 1}
    project.write_config()
    refused(project, "127.0.0.1:9", "resources/made/frames/301/frame-g-001000-1-0100.fits.bz2")


def test_bucket_without_a_galaxy(finished):
    """A training set of stars alone: a field whose galaxies are not the run's primaries."""
    project, archive = finished
    removed(project, "catalogs/301/calibObj-001000-1-gal", "sources/catalog/3", "models/base_small/seed1/m")
    parts = []
    for field in FIELDS:
        rows = catalog_table(field, make_sources(field), 0)
        if field == TRAIN:
            rows["RESOLVE_STATUS"] = 256
        parts.append(rows)
    replace(catalog_path(archive, TRAIN, "gal"), catalog_bytes(np.concatenate(parts)))
    refused(project, "small", "results/made/models/base_small/seed1/model.keras")
    assert project.result(f"patches/catalog/15/{TRAIN.name}.npy").exists()


def test_corrupt_cube_and_patches(finished):
    """Files cut short by hand: no job goes on with them; once they are removed, they are made again."""
    project, _ = finished
    cube, patches = project.result(f"aligned/{TRAIN.name}.fits"), project.result(f"patches/catalog/15/{TRAIN.name}.npy")
    target = f"results/made/patches/catalog/15/{TRAIN.name}.npy"
    model = "results/made/models/base_small/seed1/model.keras"
    removed(project, "models/base_small/seed1/m")
    good = patches.read_bytes()
    os.truncate(patches, 5_000)
    refused(project, f"{TRAIN.name}.npy: its bytes are not those recorded", model)
    patches.unlink()
    os.truncate(cube, 30_000_000)
    refused(project, f"{TRAIN.name}.fits: its bytes are not those recorded", target)
    cube.unlink()
    project.run(target)
    assert patches.read_bytes() == good


@pytest.mark.parametrize(
    "row, expected",
    [
        ("301\t1000\t1\t131\ttrain", "share 128 rows of sky"),
        ("301\t1000\t1\t100\ttest", "listed twice"),
        ("301\t1000\t8\t150\ttrain", "camcol: found 8, allowed: a whole number from 1 to 6"),
    ],
)
def test_bad_table_of_fields(broken, row, expected):
    project, _ = broken
    with project.edited("config/fields.tsv", line=row):
        done = project.snakemake("-n")
    assert done.returncode != 0
    assert sum(expected in line for line in done.stdout.splitlines()) == 1, done.stdout


def test_bad_configuration(broken):
    project, _ = broken
    with project.configured(patches={"size": 24}):
        done = project.snakemake("-n")
    assert done.returncode != 0
    assert "made.yaml: patches.size: found 24, allowed: an odd number of pixels from 15 to 199" in done.stdout


def test_buckets_that_share_sky_of_two_runs(finished):
    """The numbers do not tell; the footprints do, before anything is trained."""
    project, archive = finished
    twin = Field(301, 1100, 1, 100)  # run 1100 is put at the right ascension of run 1000
    for band in "ugriz":
        path = frame_path(archive, twin, band)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(frame_bytes(twin, band, make_image(make_sources(TRAIN), band)))
    with project.edited("config/fields.tsv", line="301\t1100\t1\t100\ttest"):
        refused(project, "share 811 x 590 arcsec of sky", "results/made/tables/footprints.csv")
