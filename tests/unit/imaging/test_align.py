"""Alignment of simulated fields with known offsets, and of real fields from a mirror."""

import numpy as np
import pytest

from made_archive import (
    SHIFT,
    UNTOLD,
    MadeField,
    frame_path,
    make_header,
    make_image,
    make_sources,
    projection,
)
from stargal.errors import StargalError
from stargal.imaging.align import (
    SATURATION_DN,
    STARS_FOR_ORDER,
    align_band,
    align_field,
    describe_alignment,
    fit_offsets,
)
from stargal.imaging.astrometry import Tan, scaled_pixels
from stargal.imaging.cube import NO_DATA, SATURATED
from stargal.imaging.frames import Frame, read_frame
from stargal.imaging.stars import find_stars, sky_noise
from stargal.survey.fields import BANDS, COLUMNS, ROWS, Field

FIELD = Field(301, 1000, 1, 100)
LABELLED = [Field(301, 3918, 3, 213), Field(301, 4510, 4, 30), Field(40, 4192, 4, 300), Field(40, 6377, 4, 399)]
REAL = [*LABELLED, Field(301, 1035, 6, 17)]


def made_frame(sources: MadeField, band: str) -> Frame:
    return Frame(band, make_image(sources, band), make_header(FIELD, band), Tan(projection(FIELD, band)))


@pytest.fixture(scope="module")
def made():
    sources = make_sources(FIELD)
    return sources, {band: made_frame(sources, band) for band in BANDS}


@pytest.fixture(scope="module")
def cube(made):
    _, frames = made
    return align_field(FIELD, frames["r"], [frames[band] for band in "zugi"], "ugriz")


def test_reference_pixels_stay(made, cube):
    np.testing.assert_array_equal(cube.image[2], made[1]["r"].image)
    assert not cube.mask[2].any()


def test_offsets_from_astrometry_are_corrected(cube):
    for row in cube.alignment:
        if row["band"] == "r":
            continue
        assert row["x_offset_before"] == pytest.approx(UNTOLD[row["band"]][0], abs=0.02)
        assert row["y_offset_before"] == pytest.approx(UNTOLD[row["band"]][1], abs=0.02)
        assert np.hypot(row["x_offset"], row["y_offset"]) < 0.02
        assert row["flux_ratio"] == pytest.approx(1.0, abs=0.002)
        assert 0.99 < row["fwhm_ratio"] < 1.005
        assert row["order"] == sum(row["stars"] >= need for need in STARS_FOR_ORDER) - 1


def test_without_refinement_astrometry_is_unchanged(made):
    _, frames = made
    cube = align_field(FIELD, frames["r"], [frames[band] for band in "ugiz"], "ugriz", refine=False)
    for row in cube.alignment:
        assert row["order"] == -1
        assert row["x_offset"] == pytest.approx(row["x_offset_before"], abs=0.01)


def test_with_too_few_stars_astrometry_is_unchanged(made):
    sources, _ = made
    few = MadeField(sources.x[:8], sources.y[:8], sources.label[:8], np.full(8, 100.0))
    reference, band = made_frame(few, "r"), made_frame(few, "g")
    stars = find_stars(reference.image, sky_noise(reference.image))
    assert 0 < len(stars.x) < STARS_FOR_ORDER[0]
    _, _, report = align_band(reference, stars, band, "lanczos3", refine=True)
    assert report["order"] == -1


def test_missing_pixels_are_nan_and_masked(cube):
    for index, band in enumerate("ugriz"):
        missing = np.isnan(cube.image[index])
        np.testing.assert_array_equal((cube.mask[index] & NO_DATA).astype(bool), missing)
        if band != "r":
            assert missing[-int(SHIFT[band][1]) :].all()
    assert (cube.image == 0).mean() < 0.2  # quantised noise contains zeros; more would be padding


def test_saturated_pixels_are_masked(made):
    sources, frames = made
    image = frames["g"].image.copy()
    y, x = int(sources.y[0] + SHIFT["g"][1]), int(sources.x[0] + SHIFT["g"][0])
    image[y, x] = 1.1 * SATURATION_DN * frames["g"].nmgy_per_dn
    others = [frames[band] for band in "uiz"] + [Frame("g", image, frames["g"].header, frames["g"].astrometry)]
    mask = align_field(FIELD, frames["r"], others, "ugriz").mask[1] & SATURATED
    assert mask[int(sources.y[0]), int(sources.x[0])]
    assert mask.astype(bool).sum() == 49


def test_bands_follow_the_requested_order(made, cube):
    _, frames = made
    other = align_field(FIELD, frames["r"], [frames[band] for band in "ugiz"], "irgzu")
    np.testing.assert_array_equal(other.image[0], cube.image[3])
    assert other.header["BANDS"] == "irgzu"


def test_missing_and_duplicate_bands_are_rejected(made):
    _, frames = made
    with pytest.raises(StargalError, match="no frame of band z"):
        align_field(FIELD, frames["r"], [frames[band] for band in "ugi"], "ugriz")
    with pytest.raises(StargalError, match="band u comes twice"):
        align_field(FIELD, frames["r"], [frames[band] for band in "uugi"], "ugriz")


def test_fit_is_robust_and_cross_validated():
    """The fit is robust to outliers; left-out differences are those of fits without the fold of the star."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, COLUMNS, 60), rng.uniform(0, ROWS, 60)
    u, v = scaled_pixels(x, y)
    offset = 0.1 + 0.05 * u - 0.08 * v + rng.normal(0, 0.02, 60)
    offset[:5] += 1.0
    refinement = fit_offsets(x, y, offset, offset)
    assert refinement.order == 2
    assert refinement.dx[0, 0] == pytest.approx(0.1, abs=0.03)
    assert refinement.dx[1, 0] == pytest.approx(0.05, abs=0.03)
    assert refinement.dy[0, 1] == pytest.approx(-0.08, abs=0.03)
    assert 0 < np.abs(refinement.left_out_dx).max() < 0.05


def test_summary_has_json_types(cube):
    report = describe_alignment(cube)
    assert [band["band"] for band in report["bands"]] == list("ugriz")
    assert np.shape(report["footprint"]) == (4, 2)
    assert all(isinstance(value, str | int | float | None) for band in report["bands"] for value in band.values())


@pytest.mark.parametrize("field", REAL, ids=lambda field: field.name)
def test_real_fields_meet_the_limits(mirror, field):
    """Check offsets of stars left out of the fit, fluxes and widths on real sky."""
    frames = (read_frame(frame_path(mirror, field, band)) for band in "ugiz")
    cube = align_field(field, read_frame(frame_path(mirror, field, "r")), frames, "ugriz")
    for row in cube.alignment:
        bar = 0.08 if row["band"] == "u" else 0.03
        assert abs(row["x_offset"]) <= bar and abs(row["y_offset"]) <= bar, row
        assert row["flux_ratio"] == pytest.approx(1, abs=0.002)
        assert row["fwhm_ratio"] <= 1.005
        assert row["astrometry"] == ("asTrans" if field.rerun == 301 else "TAN")
