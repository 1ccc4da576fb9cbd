"""The numbers by which a simulated and the real sky are compared."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from made_sky import FWHM, SIGMA, Drawn, make_frame
from stargal.evaluation import realism
from stargal.photometry.planes import Plane, prepare_planes
from stargal.survey.fields import PIXEL_ARCSEC


def made_sources(seed: int = 0) -> list[Drawn]:
    rng = np.random.default_rng(seed)
    cells = [(60 + 70 * column, 60 + 70 * row) for row in range(6) for column in range(9)]
    return [
        Drawn(x + rng.uniform(-5, 5), y + rng.uniform(-5, 5), 10 ** rng.uniform(0.5, 2), 0.0 if index % 3 else 3.5)
        for index, (x, y) in enumerate(cells)
    ]


@pytest.fixture(scope="module")
def described():
    frames = {band: make_frame(made_sources(), band) for band in "gr"}
    return realism.describe_field(frames, 3)


def value(described: pd.DataFrame, quantity: str, band: str = "r", where: str = "") -> float:
    rows = described[(described["quantity"] == quantity) & (described["band"] == band) & (described["bin"] == where)]
    assert len(rows) == 1
    return rows["value"].iloc[0]


def test_noise_and_psf_of_a_made_frame(described):
    assert value(described, "sky sigma") == pytest.approx(SIGMA, rel=0.05)
    # The adaptive width of a double Gaussian is a few per cent above its core's.
    assert value(described, "PSF FWHM") == pytest.approx(FWHM * PIXEL_ARCSEC, rel=0.08)
    assert value(described, "binned noise 2") == pytest.approx(1, abs=0.05)
    assert value(described, "detections 5 sigma") == pytest.approx(54, abs=8)


def test_counts_of_a_made_frame(described):
    sources = made_sources()
    assert value(described, "count star") == pytest.approx(sum(s.radius == 0 for s in sources), abs=4)
    assert value(described, "count galaxy") == pytest.approx(sum(s.radius > 0 for s in sources), abs=3)
    assert value(described, "PSF / model star", where="17-19") == pytest.approx(1, abs=0.02)
    assert value(described, "PSF / model galaxy", where="17-19") < 0.87
    assert value(described, "flux g / r star", "g") == pytest.approx(1, abs=0.03)


def test_correlated_noise_shows():
    rng = np.random.default_rng(0)
    white = rng.normal(size=(600, 700)).astype(np.float32)
    assert realism.binned_noise(white, 4) == pytest.approx(1, abs=0.03)
    assert realism.binned_noise(gaussian_filter(white, 0.6), 4) > 1.3


def test_wings_show():
    """A PSF with more of its light far out, at the same core."""
    frame = make_frame(made_sources(1), "r")
    plane = prepare_planes({"r": frame}, 3)["r"]
    image = plane.psf.images.copy()
    described = realism.describe_plane(plane, frame.image)
    pixels = np.hypot(*np.mgrid[-18:19, -18:19])
    image[0] = image[0] / 1.05 + 0.05 * (pixels > 7) / (pixels > 7).sum()
    broader = Plane(**(vars(plane) | {"psf": type(plane.psf)(image, plane.psf.stars)}))
    assert value(realism.describe_plane(broader, frame.image), "PSF wings") > value(described, "PSF wings") + 0.03


def test_pairs_of_sources_at_random_places_and_of_companions():
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 2048, 3000), rng.uniform(0, 1489, 3000)
    described = realism.describe_pairs(x, y, (1489, 2048))
    assert list(described["bin"]) == ["2-4 arcsec", "4-8 arcsec", "8-20 arcsec"]
    np.testing.assert_allclose(described["value"], 1, atol=0.12)
    # Every tenth source has a companion at 3 arcsec.
    closer = realism.describe_pairs(np.append(x, x[::10] + 3 / PIXEL_ARCSEC), np.append(y, y[::10]), (1489, 2048))
    assert value(closer, "pairs", where="2-4 arcsec") > 1.5
    assert value(closer, "pairs", where="8-20 arcsec") == pytest.approx(1, abs=0.1)


def test_few_sources_make_no_pairs():
    assert realism.describe_pairs(np.array([3.0]), np.array([4.0]), (100, 100)).empty


def test_share_of_pairs_within_a_separation():
    points = np.random.default_rng(3).uniform(size=(2, 100_000, 2)) * [30, 20]
    apart = np.linalg.norm(points[0] - points[1], axis=1)
    for separation in (2.0, 8.0, 19.0):
        measured = (apart < separation).mean()
        assert realism.share_within(np.array(separation), 20, 30) == pytest.approx(measured, abs=0.004)


def test_no_detection_is_no_error():
    count, radius = realism.detections(np.zeros((50, 50), np.float32), 1.0, 5.0)
    assert count == 0 and np.isnan(radius)


def descriptions(sigma: float, stars: list[float]) -> list[pd.DataFrame]:
    return [
        pd.DataFrame(
            [
                {"quantity": "sky sigma", "band": "r", "bin": "", "value": sigma},
                {"quantity": "count star", "band": "r", "bin": "19-20", "value": count},
            ]
        )
        for count in stars
    ]


def test_comparison_of_medians():
    table = realism.realism_table(descriptions(0.0245, [10, 30, 300]), descriptions(0.02, [20, 22, 24])).set_index(
        "quantity"
    )
    assert table.loc["sky sigma", "ratio"] == pytest.approx(1.225)
    assert not table.loc["sky sigma", "within"]
    assert table.loc["count star", "ratio"] == pytest.approx(30 / 22)
    assert table.loc["count star", "bar"] == 1.5 and table.loc["count star", "within"]


def test_descriptions_read_from_csv_give_the_same_table(described, tmp_path):
    """Where nothing is binned, pandas reads a missing bin."""
    described.to_csv(tmp_path / "a.csv", index=False)
    table = realism.realism_table([described], [described])
    assert len(table) == len(described) and table["bin"].tolist() == described["bin"].tolist()
    read = [pd.read_csv(tmp_path / "a.csv")]
    pd.testing.assert_frame_equal(realism.realism_table(read, read), table)
