"""Augmentation: how many variants there are, what they keep, and what of chance is in them."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml

from stargal.constants import FWHM_PER_SIGMA
from stargal.learning.augment import Augmentation, convolved, moved
from stargal.survey.fields import PIXEL_ARCSEC

DEFAULT = Path(__file__).parents[3] / "config/config.yaml"

CONFIGURED = {
    name: Augmentation(**block) for name, block in yaml.safe_load(DEFAULT.read_text())["augmentations"].items()
}
SKY = np.array([0.04, 0.013, 0.025, 0.037, 0.15])
SEEING = np.full((1, 5), 1.3)


def draw(augmentation, patches, seed=0, seeing=1.3):
    return augmentation.draw(patches, np.random.default_rng(seed), SKY, np.full((len(patches), 5), seeing))


def patches_of(n, size=25, seed=0):
    return np.random.default_rng(seed).normal(size=(n, size, size, 5)).astype(np.float32)


def star(size=25, sigma=1.4, flux=100.0):
    axis = np.arange(size) - size // 2
    light = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / sigma**2)
    return np.repeat((flux * light / light.sum())[None, ..., None], 5, axis=3).astype(np.float32)


def width(patch):
    """Standard deviation along a column, by moments, pixels."""
    profile = patch.sum(axis=1)
    axis = np.arange(len(profile)) - len(profile) // 2
    return np.sqrt(np.sum(profile * axis**2) / profile.sum())


@pytest.mark.parametrize(
    "name, combinations, distinct",
    [("rotation", 4, 4), ("reflection", 3, 3), ("brightness", 2, 2), ("blur", 2, 2), ("combination", 48, 40)],
)
def test_the_reports_variants_are_counted_honestly(name, combinations, distinct):
    """Three further rotations, two reflections, and of the 48 combinations 40."""
    augmentation = CONFIGURED[name]
    assert len(list(augmentation.variants())) == combinations
    assert augmentation.count_distinct() == distinct
    patch = patches_of(1)
    random = np.random.default_rng(0)
    variants = np.array(list(augmentation.variants()))
    made = augmentation.make(variants, np.repeat(patch, combinations, axis=0), random, SKY, SEEING)
    assert len({variant.tobytes() for variant in made}) == distinct


def test_turned_and_mirrored_patches_are_the_eight_of_the_square():
    patch = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1)
    eight = {np.rot90(side, k).tobytes() for side in (patch[0, :, :, 0], patch[0, :, :, 0].T) for k in range(4)}
    turns, mirrors = np.array(list(itertools.product(range(4), range(3)))).T
    made = [square.tobytes() for square in moved(np.repeat(patch, 12, axis=0), turns, mirrors)[..., 0]]
    assert set(made) == eight and len(made) == 12


def test_every_variant_is_drawn_equally_often():
    patches = np.broadcast_to(patches_of(1), (4000, 25, 25, 5))
    drawn = draw(CONFIGURED["rotation"], patches)
    four = moved(patches[:4], np.arange(4), np.zeros(4, int))
    counts = [np.sum(np.all(drawn == one, axis=(1, 2, 3))) for one in four]
    assert sum(counts) == 4000 and min(counts) > 900


@pytest.mark.parametrize("name", [name for name, one in CONFIGURED.items() if len(list(one.variants())) > 1])
def test_the_same_chance_gives_the_same_variants_and_no_data_stays_no_data(name):
    patches = patches_of(50)
    patches[:, :, 20:] = np.nan
    first = draw(CONFIGURED[name], patches.copy())
    np.testing.assert_array_equal(first, draw(CONFIGURED[name], patches))
    assert first.shape == patches.shape and first.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(first).sum(axis=(1, 2, 3)), 5 * 25 * 5)
    assert not np.array_equal(first, draw(CONFIGURED[name], patches, seed=1), equal_nan=True)


def test_artificial_patches_are_not_counted_among_the_variants():
    """They replace the patch before it is varied, and are drawn elsewhere."""
    assert CONFIGURED["gaussian_mixture"].generated == 0.5
    assert CONFIGURED["gaussian_mixture"].count_distinct() == 1
    assert Augmentation(rotations=True, generated=0.5, components=8).count_distinct() == 4
    patches = patches_of(3)
    np.testing.assert_array_equal(draw(CONFIGURED["gaussian_mixture"], patches), patches)


def test_an_offset_is_one_number_a_band_and_scales_as_said():
    flat = np.zeros((4000, 3, 3, 5), np.float32)
    for augmentation, sigma in ((CONFIGURED["brightness"], np.full(5, 0.1)), (CONFIGURED["brightness_sky"], 0.5 * SKY)):
        drawn = draw(augmentation, flat)
        assert np.all(drawn == drawn[:, :1, :1])
        offset = drawn[:, 0, 0]
        shifted = offset[:, 0] != 0
        assert 0.45 < shifted.mean() < 0.55
        np.testing.assert_allclose(offset[shifted].std(axis=0), sigma, rtol=0.07)
        assert abs(np.corrcoef(offset[shifted].T)[0, 1]) < 0.1


def test_a_blur_keeps_the_flux_and_adds_its_width():
    blurred = convolved(star(), np.full((1, 5), 2.0))
    assert blurred.sum() == pytest.approx(500, rel=2e-3)
    assert width(blurred[0, :, :, 2]) == pytest.approx(np.hypot(1.4, 2.0), rel=0.02)


def test_a_wider_seeing_keeps_the_noise_of_the_sky():
    random = np.random.default_rng(1)
    sky = (random.normal(size=(300, 25, 25, 5)) * SKY).astype(np.float32)
    variant = np.tile([0, 0, 0, 1], (300, 1))
    seeing = np.full((300, 5), 1.4 * FWHM_PER_SIGMA * PIXEL_ARCSEC)
    widened = Augmentation(widen=2).make(variant, sky, random, SKY, seeing)
    np.testing.assert_allclose(widened.std(axis=(0, 1, 2)), SKY, rtol=0.02)
    blurred = Augmentation(blur=1).make(variant, sky, random, SKY, seeing)
    assert np.all(blurred.std(axis=(0, 1, 2)) < 0.35 * SKY)  # the report's blur takes the noise away with the rest
    stars = np.repeat(star(), 300, axis=0)
    factors = [
        width(patch) / 1.4 for patch in Augmentation(widen=2).make(variant, stars, random, 0 * SKY, seeing)[..., 2]
    ]
    assert min(factors) > 0.99 and 1.9 < max(factors) < 2.05 and np.mean(factors) == pytest.approx(1.5, abs=0.06)


def test_where_the_seeing_is_not_known_nothing_is_widened():
    patches = patches_of(20)
    np.testing.assert_array_equal(draw(Augmentation(widen=2), patches, seeing=np.nan), patches)


def test_examples_are_never_the_patch_itself():
    patch = patches_of(1)
    for name, count in {"rotation": 3, "reflection": 2, "brightness": 2, "blur": 1, "combination": 3}.items():
        examples = CONFIGURED[name].examples(patch, np.random.default_rng(0), SKY, SEEING)
        assert len(examples) == count
        assert not any(np.array_equal(example, patch[0]) for example in examples)
        assert len({example.tobytes() for example in examples}) == count
