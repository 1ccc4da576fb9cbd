"""Places of patches: what a patch shows, and where patches of sky lie."""

import numpy as np
import pandas as pd
import pytest

from stargal.dataset import places
from stargal.dataset.places import BOTH, SKY
from stargal.errors import StargalError
from stargal.survey.fields import COLUMNS, ROWS
from stargal.survey.labels import GALAXY, STAR, UNKNOWN


def table(*rows):
    """Catalogued sources: x, y, label."""
    return pd.DataFrame(rows, columns=["x", "y", "label"]).astype({"x": float, "y": float, "label": np.int8})


CATALOGUED = table((100, 100, STAR), (106, 100, GALAXY), (200, 100, GALAXY), (300, 100, STAR), (303, 104, UNKNOWN))


@pytest.mark.parametrize(
    ("x", "y", "shown"),
    [
        (100, 100, BOTH),  # the galaxy lies exactly on the radius
        (99.99, 100, STAR),
        (94, 100, STAR),
        (106.01, 100, GALAXY),
        (103, 103, BOTH),
        (200, 106, GALAXY),
        (200, 106.01, SKY),
        (204.25, 104.25, SKY),  # a circle, not a square
        (296, 100, STAR),
        (300, 100, UNKNOWN),
    ],
)
def test_the_class_depends_on_the_sources_within_the_radius(x, y, shown):
    assert places.what_is_shown([x], [y], CATALOGUED, radius=6) == [shown]


def test_without_sources_everything_is_sky():
    found = places.what_is_shown([1, 2], [3, 4], CATALOGUED.iloc[:0], radius=6)
    assert found.tolist() == [SKY, SKY] and found.dtype == np.int8


SIZE = 25


@pytest.fixture(scope="module")
def crowded():
    """A field of 1000 sources, a third of them stars, with a block without data in one band and a saturated pixel."""
    random = np.random.default_rng(3)
    x, y = random.uniform(0, COLUMNS - 1, 1000), random.uniform(0, ROWS - 1, 1000)
    sources = table(*zip(x, y, np.arange(1000) % 3 == 0, strict=True))
    sources["id"] = [f"source-{number}" for number in range(1000)]
    mask = np.zeros((5, ROWS, COLUMNS), np.uint8)
    mask[4, 300:700, 500:1500] = 1
    mask[2, 1000, 1000] = 2
    return sources, mask


def placed(crowded, seed=1):
    sources, mask = crowded
    return places.place_patches(sources, sources, mask, size=SIZE, random=np.random.default_rng(seed))


def test_sky_lies_away_from_sources_and_flagged_pixels_and_other_sky(crowded):
    sources, mask = crowded
    found = placed(crowded)
    sky = found[found["label"] == SKY]
    assert len(sky) == found["label"].value_counts()[GALAXY] > 500
    positions = sky[["x", "y"]].to_numpy()
    assert np.array_equal(positions, np.rint(positions)) and sky["id"].isna().all()
    apart = np.hypot(*(sources[["x", "y"]].to_numpy()[:, None] - positions).T)
    assert apart.min() > SIZE / 2
    assert apart.min() < SIZE / 2 + 1  # and the space is used
    steps = np.abs(positions[:, None] - positions).max(axis=2)
    assert steps[~np.eye(len(sky), dtype=bool)].min() >= SIZE
    half = SIZE // 2
    for x, y in positions.astype(int):
        assert 64 <= y < ROWS - 64
        cut = mask[:, y - half : y + half + 1, x - half : x + half + 1]
        assert cut.shape == (5, SIZE, SIZE) and not cut.any()


def test_sky_depends_on_the_seed(crowded):
    pd.testing.assert_frame_equal(placed(crowded), placed(crowded))
    assert not placed(crowded).equals(placed(crowded, seed=2))


def test_sky_without_space_is_omitted(crowded):
    sources, mask = crowded
    full = np.ones_like(mask)
    full[:, 700:725, 800:825] = 0
    random = np.random.default_rng(0)
    x, y = places.place_sky(full, sources.iloc[:0], 10, size=SIZE, random=random)
    assert (x.tolist(), y.tolist()) == ([812], [712])
    x, y = places.place_sky(full, table((812, 712, STAR)), 10, size=SIZE, random=random)
    assert len(x) == len(y) == 0


def test_every_source_has_a_patch_on_its_pixel():
    """Of three sources in a line the second is close to both others; the fourth is isolated."""
    rows = (500, 500, STAR), (510, 500, GALAXY), (522.5, 500, STAR), (900.4, 700.6, GALAXY)
    found = placed((table(*rows).assign(id=list("abcd")), np.zeros((5, ROWS, COLUMNS), np.uint8)))
    own = found[found["id"].notna()]
    assert own["id"].tolist() == ["a", "b", "c", "d"]
    assert own["label"].tolist() == [BOTH, BOTH, BOTH, GALAXY]
    assert own[["x", "y"]].iloc[-2:].to_numpy().tolist() == [[522, 500], [900, 701]]
    assert found["label"].tolist()[4:] == [SKY] * 3


def test_excluded_sources_count_and_are_not_sky():
    """A catalogued source that is not in `sources` has no patch but affects the class of others."""
    catalogued = table((500, 500, STAR), (503, 500, GALAXY), (600, 600, STAR), (700, 700, UNKNOWN), (900, 900, STAR))
    sources = catalogued.iloc[[0, 3, 4]].assign(id=list("abc"))
    mask = np.ones((5, ROWS, COLUMNS), np.uint8)
    mask[:, 580:621, 580:621] = 0
    random = np.random.default_rng(0)
    found = places.place_patches(sources, catalogued, mask, size=SIZE, random=random)
    assert found[["id", "label"]].to_numpy().tolist() == [["a", BOTH], ["c", STAR]]


def test_a_missing_class_is_named():
    with pytest.raises(StargalError, match=r"the training set: no patch that shows both among 3; add fields"):
        places.require_all_classes("the training set", np.array([SKY, STAR, GALAXY]))
