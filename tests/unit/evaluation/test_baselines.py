"""Baselines: what each learns, and what it says where there is no magnitude."""

import numpy as np
import pandas as pd
import pytest

from stargal.evaluation import baselines


def sources(n=400, seed=0):
    """Bright sources are stars, faint ones galaxies."""
    random = np.random.default_rng(seed)
    magnitude = random.uniform(16, 22, n)
    return pd.DataFrame(
        {
            "label": (random.uniform(16, 22, n) > magnitude).astype(np.int8),
            "psf_mag_r": magnitude + 0.1,
            "model_mag_r": magnitude,
        }
    )


def test_each_baseline_scores_every_source():
    scores = baselines.score_sources(sources(), sources(50, seed=1), seed=1)
    assert list(scores) == list(baselines.BASELINES)
    assert scores.shape == (50, 4)
    assert np.all(np.isfinite(scores))


def test_labels_of_the_scored_sources_are_not_read():
    table = sources(50, seed=1)
    expected = baselines.score_sources(sources(), table, seed=1)
    pd.testing.assert_frame_equal(
        baselines.score_sources(sources(), table.assign(label=1 - table["label"]), seed=1), expected
    )


def test_majority_is_the_share_in_the_training_set():
    training = sources().assign(label=1)
    assert set(baselines.score_sources(training, sources(5, seed=1), seed=1)["majority"]) == {1.0}


def test_stars_by_magnitude_learns_the_trend():
    training = sources(4000)
    shares = baselines.StarsByMagnitude(training["model_mag_r"].to_numpy(), training["label"].to_numpy())
    np.testing.assert_allclose(shares(np.array([17.0, 19.0, 21.0])), [5 / 6, 0.5, 1 / 6], atol=0.08)


def test_stars_by_magnitude_keeps_sources_without_one_apart():
    magnitude = np.r_[np.full(60, 18.0), np.full(8, np.nan)]
    shares = baselines.StarsByMagnitude(magnitude, np.r_[np.ones(60), np.zeros(8)].astype(int))
    assert shares(np.array([18.0, np.nan])) == pytest.approx([61 / 62, 1 / 10])


def test_stars_by_magnitude_of_a_handful():
    shares = baselines.StarsByMagnitude(np.array([18.0, 19.0]), np.array([1, 0]))
    assert shares(np.array([15.0, 25.0, np.nan])) == pytest.approx([0.5, 0.5, 0.5])


def test_concentration_calls_as_photo_does():
    score = baselines.concentration(np.array([20.1, 20.2, np.nan, 20.0]), np.array([20.0, 20.0, 20.0, np.nan]))
    assert list(score > baselines.BASELINES["concentration"].threshold) == [True, False, False, False]
    assert score[2] == score[3] == -baselines.PHOTO_LIMIT
