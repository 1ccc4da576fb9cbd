"""Measurement of a simulated sky with the methods of SDSS photo, and the resulting catalogue."""

import gzip
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from made_sky import Drawn, make_frame
from stargal.archive.verify import verify_catalog
from stargal.constants import MAD_TO_SIGMA
from stargal.dataset.sources import read_catalog
from stargal.errors import StargalError
from stargal.imaging.frames import read_frame
from stargal.io.files import record_of, sha256
from stargal.photometry.classify import photo_types
from stargal.photometry.detect import detect_peaks
from stargal.photometry.measure import measure_sources
from stargal.photometry.planes import prepare_planes, without_wings
from stargal.photometry.sources import tabulate_sources
from stargal.simulation import catalog
from stargal.survey import catalog as survey_catalog
from stargal.survey.catalog import CHILD, SATURATED
from stargal.survey.fields import BANDS, PIXEL_ARCSEC, STEP_ROWS, Field

FIELD = Field(301, 1000, 3, 50)


def made_sources() -> list[Drawn]:
    """Alternating stars and discs on an irregular grid, and two pairs of stars, 7 and 1.5 pixels apart."""
    rng = np.random.default_rng(5)
    sources = []
    for index, (row, column) in enumerate(np.ndindex(6, 9)):
        x, y = 60 + 70 * column + rng.uniform(-8, 8), 60 + 65 * row + rng.uniform(-8, 8)
        if index % 3:
            sources.append(Drawn(x, y, 10 ** rng.uniform(0.6, 2)))
        else:
            sources.append(Drawn(x, y, 10 ** rng.uniform(1.2, 2), rng.uniform(2.5, 5), rng.uniform(0.5, 1)))
    return [*sources, Drawn(200.3, 450, 30), Drawn(207.3, 450, 20), Drawn(450, 450.2, 30), Drawn(451.5, 450.2, 20)]


@pytest.fixture(scope="module")
def sources():
    return made_sources()


@pytest.fixture(scope="module")
def frames(sources):
    return {band: make_frame(sources, band) for band in "gri"}


@pytest.fixture(scope="module")
def measured(frames):
    planes = prepare_planes(frames, 3)
    found = measure_sources(planes, detect_peaks(planes))
    return found | {"type": photo_types(found, [0.005] * 5)}


@pytest.fixture(scope="module")
def table(measured, frames):
    rows = {name: values for name, values in measured.items() if name != "type"}
    return catalog.tabulate(rows, measured["type"], [0.005] * 5, [0.0] * 5, frames["r"].astrometry, FIELD)


def nearest(measured, sources) -> np.ndarray:
    """Index of the measured source nearest to each simulated one."""
    return np.array([np.argmin(np.hypot(measured["x"] - s.x, measured["y"] - s.y)) for s in sources])


def test_every_isolated_source_is_found_once(measured, sources):
    isolated = sources[:-4]
    found = nearest(measured, isolated)
    distance = np.hypot(measured["x"][found] - [s.x for s in isolated], measured["y"][found] - [s.y for s in isolated])
    assert len(set(found)) == len(isolated) and distance.max() < 0.6
    stars = np.array([s.radius == 0 for s in isolated])
    assert np.median(distance[stars]) < 0.05
    assert len(measured["x"]) < len(sources) + 5


@pytest.mark.parametrize("apart", [0.0, 0.01, 0.04])
def test_coincident_positions_are_each_measured(frames, apart):
    """As the source alone; the other sources are measured as without the repetition."""
    planes = prepare_planes(frames, 3)
    once = detect_peaks(planes)
    step = np.array([apart, apart])
    twice = replace(
        once,
        x=np.append(once.x, once.x[[3, 4]] + step),
        y=np.append(once.y, once.y[[3, 4]]),
        flags=np.append(once.flags, once.flags[[3, 4]]),
        band=np.append(once.band, once.band[[3, 4]]),
    )
    alone, both = measure_sources(planes, once), measure_sources(planes, twice)
    for name in ("psf", "model", "aperture"):
        np.testing.assert_allclose(both[name][: len(once.x)], alone[name], rtol=0.02, atol=0.05)
        np.testing.assert_allclose(both[name][len(once.x) :], alone[name][[3, 4]], rtol=0.02, atol=0.05)


@pytest.mark.parametrize("band", "gi")
def test_a_band_in_which_nothing_is_seen_gives_empty_measurements(frames, band):
    """The PSF is that of the band; no source is above 5 sigma in it. And a field without any source."""
    planes = prepare_planes(frames, 3)
    detections = detect_peaks(planes)
    noise = np.random.default_rng(2).normal(0, planes[band].sigma, planes[band].image.shape).astype(np.float32)
    planes[band] = replace(planes[band], image=noise)
    found = measure_sources(planes, detections)
    column = BANDS.index(band)
    assert np.isnan(found["moment"][:, column]).mean() > 0.9 and np.isfinite(found["psf"][:, column]).mean() > 0.9
    blank = {name: replace(plane, image=np.zeros_like(plane.image)) for name, plane in planes.items()}
    nothing = detect_peaks(blank)
    assert len(nothing.x) == 0
    empty = measure_sources(blank, nothing)
    assert empty["psf"].shape == (0, 5) and len(photo_types(empty, [0.005] * 5)) == 0
    dark = measure_sources(blank, detections)
    assert (dark["psf"][:, 2] == 0).all() and np.isnan(dark["moment"]).all()


def test_fluxes_of_stars_within_errors(measured, sources):
    stars = [s for s in sources[:-4] if s.radius == 0]
    found = nearest(measured, stars)
    true = np.array([s.flux for s in stars])
    for name in ("psf", "model"):
        flux, ivar = measured[name][found][:, 2], measured[f"{name}_ivar"][found][:, 2]
        assert np.median(flux / true) == pytest.approx(1, abs=0.02)
        # The error of the PSF is common to all stars; the rest is the estimated noise.
        pull = (flux / np.median(flux / true) - true) * np.sqrt(ivar)
        assert 0.6 < MAD_TO_SIGMA * np.median(np.abs(pull)) < 1.5


def test_types_and_concentration(measured, sources):
    isolated = sources[:-4]
    found = nearest(measured, isolated)
    stars = np.array([s.radius == 0 for s in isolated])
    excess = 2.5 * np.log10(measured["model"][found][:, 2] / measured["psf"][found][:, 2])
    assert np.abs(np.median(excess[stars])) < 0.02
    assert np.percentile(excess[~stars], 5) > 0.145
    assert (measured["type"][found] == np.where(stars, 6, 3)).mean() > 0.97


def test_model_flux_and_size_of_galaxies(measured, sources):
    galaxies = [s for s in sources[:-4] if s.radius > 0]
    found = nearest(measured, galaxies)
    ratio = measured["model"][found][:, 2] / [s.flux for s in galaxies]
    assert np.median(ratio) == pytest.approx(1, abs=0.06)
    size = measured["radius"][found] / PIXEL_ARCSEC / [s.radius for s in galaxies]
    assert np.median(size) == pytest.approx(1, abs=0.2)


def test_a_pair_is_separated_and_a_closer_one_is_not(measured, sources):
    apart, close = sources[-4:-2], sources[-2:]
    found = nearest(measured, apart)
    assert found[0] != found[1]
    assert (measured["flags"][found] & CHILD > 0).all()
    np.testing.assert_allclose(measured["psf"][found][:, 2], [30, 20], rtol=0.06)
    found = nearest(measured, close)
    assert found[0] == found[1]
    assert measured["model"][found[0], 2] == pytest.approx(50, rel=0.12)


def test_cosmic_rays_are_not_detected(frames, sources):
    image = frames["g"].image.copy()
    image[250, 33] += 2.0
    planes = prepare_planes(frames | {"g": replace(frames["g"], image=image)}, 3)
    found = detect_peaks(planes)
    assert np.hypot(found.x - 33, found.y - 250).min() > 5


def test_the_order_of_sources_does_not_depend_on_rounding(frames):
    """Peaks in r are whole pixels: those of one row are in the order of their columns on every processor."""
    found = detect_peaks(prepare_planes(frames, 3))
    of_r = found.band == BANDS.index("r")
    np.testing.assert_array_equal(found.x[of_r], np.rint(found.x[of_r]))
    np.testing.assert_array_equal(found.y[of_r], np.rint(found.y[of_r]))
    assert (np.lexsort((found.x, found.y)) == np.arange(len(found.x))).all()


def test_wings_of_bright_sources_are_subtracted():
    rng = np.random.default_rng(0)
    distance = np.hypot(np.arange(-150, 151), np.arange(-150, 151)[:, None])
    noise = rng.normal(0, 1, distance.shape)
    image = (noise + 2e4 * np.maximum(distance, 4) ** -2.5).astype(np.float32)
    left = without_wings(image, 1.0)
    near, ring = distance < 13, (distance > 18) & (distance < 55)
    np.testing.assert_array_equal(left[near], image[near])
    assert image[ring].mean() > 2 and abs(left[ring].mean()) < 0.3


def test_a_missing_band_is_nan(measured):
    assert np.isnan(measured["psf"][:, [0, 4]]).all()
    assert np.isfinite(measured["psf"][:, 1:4]).all()


def test_measurement_is_reproducible(frames, measured):
    planes = prepare_planes(frames, 3)
    again = measure_sources(planes, detect_peaks(planes))
    for name, values in again.items():
        np.testing.assert_array_equal(values, measured[name])


def test_too_few_stars_are_reported(frames):
    empty = make_frame([], "r")
    with pytest.raises(StargalError, match="band r: 0 stars"):
        prepare_planes({"r": empty}, 3)
    with pytest.raises(StargalError, match="no frame of band r"):
        prepare_planes({"g": frames["g"]}, 3)


@pytest.mark.parametrize(
    ("row", "number", "new_row"), [(63.9, 49, 1424.9), (64, 50, 64), (1424.9, 50, 1424.9), (1425, 51, 64)]
)
def test_field_of_the_overlap(row, number, new_row):
    found, shift = catalog.assign_field(np.array([row - 0.5]), 50)
    assert found[0] == number and row + shift[0] == pytest.approx(new_row)


def overlapping_tables() -> dict[int, pd.DataFrame]:
    """Two neighbouring fields with 200 common sources in shared rows, with little noise, and a distant field."""
    rng = np.random.default_rng(2)
    x, along = rng.uniform(0, 2048, 200), 51 * STEP_ROWS + rng.uniform(0, 128, 200)
    # Ten sources lie on the border of fields 50 and 51.
    along[:10] = 51 * STEP_ROWS + 63.5
    tables = {}
    for number in (50, 51, 80):
        y = along - STEP_ROWS * min(number, 51) + rng.normal(0, 0.05, 200)
        owner, shift = catalog.assign_field(y, number)
        rows = {"x": x + rng.normal(0, 0.05, 200), "y": y, "field": owner, "frame_field": number}
        rows |= {"row_r": y + 0.5 + shift, "column_r": x + 0.5, "truth_id": np.arange(200)}
        tables[number] = pd.DataFrame(rows)
    return tables


def test_sources_are_not_duplicated():
    tables = overlapping_tables()
    joined = catalog.join_fields({number: tables[number] for number in (50, 51)})
    assert sorted(joined["truth_id"]) == list(range(200))
    assert not joined.duplicated(["field", "number"]).any()
    alone = catalog.join_fields({50: tables[50]})
    assert sorted(alone["truth_id"]) == list(range(200))
    assert set(alone["field"]) == {50, 51}  # the number of the neighbour, if it is missing
    far = catalog.join_fields({50: tables[50], 80: tables[80]})
    assert len(far) == 400


def test_limits_differ_by_class():
    flux = 10 ** (0.4 * (22.5 - np.array([[23, 23, 22.4, 23, 23], [23, 22.6, 22.6, 22.6, 22.6]])))
    rows = {f"{name}_{band}": flux[:, index] for name in ("psf", "model") for index, band in enumerate(BANDS)}
    star, galaxy = pd.DataFrame(rows | {"type": 6}), pd.DataFrame(rows | {"type": 3})
    assert survey_catalog.within_limits(star, "star").tolist() == [True, False]
    dusty = star.assign(**{f"extinction_{band}": 0.2 for band in BANDS})
    assert survey_catalog.within_limits(dusty, "star").tolist() == [True, True]
    assert survey_catalog.within_limits(galaxy, "gal").tolist() == [False, False]
    assert not survey_catalog.within_limits(galaxy, "star").any()


def make_truth(sources, astrometry) -> pd.DataFrame:
    ra, dec = astrometry.to_sky([s.x for s in sources], [s.y for s in sources])
    columns = {"truth_id": 1000 + np.arange(len(sources)), "label": [int(s.radius == 0) for s in sources]}
    return pd.DataFrame(
        columns | {"ra": ra, "dec": dec} | {f"flux_{band}": [s.flux for s in sources] for band in BANDS}
    )


def test_truth_of_the_measured(table, sources, frames):
    before = table.copy()
    known = catalog.match_truth(table, make_truth(sources, frames["r"].astrometry), frames["r"].astrometry)
    pd.testing.assert_frame_equal(table, before)
    assert not set(known) & set(table)
    found = nearest({"x": table["x"].to_numpy(), "y": table["y"].to_numpy()}, sources)
    isolated = slice(0, -4)
    assert (known["truth_id"].to_numpy()[found][isolated] == 1000 + np.arange(len(sources))[isolated]).all()
    assert set(known["true_type"].to_numpy()[found][isolated]) == {3, 6}
    merged = known.iloc[found[-1]]
    assert merged["truth_id"] == 1000 + len(sources) - 2 and merged["blended_with"] == 1000 + len(sources) - 1
    assert (known["blended_with"].to_numpy()[found[-4:-2]] == -1).all()


def test_catalogue_file(table, sources, frames, tmp_path):
    joined = catalog.join_fields({50: table})
    rows = catalog.make_rows(joined[survey_catalog.within_limits(joined, "star")], FIELD)
    path = tmp_path / "calibObj-001000-3-star.fits.gz"
    catalog.write_calibobj(rows, path)
    first = path.read_bytes()
    verify_catalog(path, 1000, 3, "star")
    assert record_of(path).read_text() == f"{sha256(path)}  {path.name}\n"
    assert len(read_catalog(path, FIELD)) == len(rows) > 30
    catalog.write_calibobj(rows, path)
    assert path.read_bytes() == first
    with fits.open(path) as hdus:
        assert hdus[1].header["ORIGIN"] == "SIMULATED"
        assert hdus[1].columns.names == list(survey_catalog.FORMATS)
        assert hdus[1].columns.formats == list(survey_catalog.FORMATS.values())
        assert hdus[1].data.dtype.itemsize == 577
        assert (hdus[1].data["PSFFLUX"][:, 0] == -9999).all() and (hdus[1].data["PSFFLUX_IVAR"][:, 0] == 0).all()
    with pytest.raises(StargalError, match="no source"):
        catalog.write_calibobj(rows[:0], path)


def test_truth_is_in_additional_columns(table, sources, frames):
    known = catalog.match_truth(table, make_truth(sources, frames["r"].astrometry), frames["r"].astrometry)
    plain = catalog.make_rows(catalog.join_fields({50: table}), FIELD)
    told = catalog.make_rows(catalog.join_fields({50: pd.concat([table, known], axis=1)}), FIELD)
    assert set(told.dtype.names) - set(plain.dtype.names) == set(survey_catalog.TRUTH_FORMATS)
    for name in plain.dtype.names:
        np.testing.assert_array_equal(plain[name], told[name])


def test_detections_of_a_simulated_field_are_those_of_the_frames(measured, table, sources, frames):
    """From the stored measurement as from the images, with the classes beside them."""
    known = catalog.match_truth(table, make_truth(sources, frames["r"].astrometry), frames["r"].astrometry)
    listed = catalog.list_detections(pd.concat([table, known], axis=1), FIELD)
    ra, dec = frames["r"].astrometry.to_sky(measured["x"], measured["y"])
    direct = tabulate_sources(measured, ra, dec, measured["type"], FIELD)
    pd.testing.assert_frame_equal(listed.drop(columns=["label", "truth"]), direct, check_exact=False, rtol=1e-5)
    assert (listed["psf_flux_error_r"] > 0).all() and (listed["position_error"] > 0).all()
    assert set(listed["truth"].dropna()) == {0, 1}


def test_columns_match_a_real_file(mirror):
    path = next(mirror.glob("eboss/sweeps/*/301/calibObj-004510-4-star.fits.gz"))
    with gzip.open(path) as stream, fits.open(stream) as hdus:
        assert hdus[1].columns.names == list(survey_catalog.FORMATS)
        assert hdus[1].columns.formats == list(survey_catalog.FORMATS.values())


def test_photo_agrees_with_photo(mirror):
    """Compare fluxes, widths and positions of real stars with the SDSS catalogue of that field."""
    root = mirror / "eboss/photoObj/frames/301/4510/4"
    frames = {band: read_frame(root / f"frame-{band}-004510-4-0030.fits.bz2") for band in BANDS}
    planes = prepare_planes(frames, 4)
    measured = measure_sources(planes, detect_peaks(planes))
    types = photo_types(measured, [planes[band].calibration for band in BANDS])
    with fits.open(next(mirror.glob("eboss/sweeps/*/301/calibObj-004510-4-star.fits.gz"))) as hdus:
        rows = hdus[1].data[hdus[1].data["FIELD"] == 30]
    rows = rows[(rows["PSFFLUX"][:, 2] > 2) & (rows["OBJC_FLAGS"] & SATURATED == 0)]
    x, y = rows["COLC"][:, 2] - 0.5, rows["ROWC"][:, 2] - 0.5
    found = np.array([np.argmin(np.hypot(measured["x"] - a, measured["y"] - b)) for a, b in zip(x, y, strict=True)])
    offset = np.hypot(measured["x"][found] - x, measured["y"][found] - y)
    assert (offset < 1).mean() > 0.9
    found, rows = found[offset < 1], rows[offset < 1]
    for band in (1, 2, 3):
        bright = rows["PSFFLUX"][:, band] > 5
        ratio = measured["psf"][found, band][bright] / rows["PSFFLUX"][bright, band]
        assert np.median(ratio) == pytest.approx(1, abs=0.04)
        assert np.median(measured["psf_fwhm"][found, band] / rows["PSF_FWHM"][:, band]) == pytest.approx(1, abs=0.04)
    assert (types[found] == 6).mean() > 0.85
