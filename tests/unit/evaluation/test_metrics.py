"""Scores against scikit-learn and hand-made cases, their intervals, and what is not defined."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from stargal.errors import StargalError
from stargal.evaluation import metrics
from stargal.survey.labels import require_both_classes


def sample(n=400, seed=0, decimals=None):
    """Labels, and probabilities that are right on average; rounded, they have ties."""
    random = np.random.default_rng(seed)
    probability = random.uniform(0.01, 0.99, n)
    labels = (random.uniform(size=n) < probability).astype(np.int8)
    return labels, probability if decimals is None else probability.round(decimals)


@pytest.mark.parametrize("decimals", [None, 1])
def test_scores_are_those_of_scikit_learn(decimals):
    labels, probability = sample(decimals=decimals)
    called = probability > 0.5
    expected = {
        "accuracy": sklearn.metrics.accuracy_score(labels, called),
        "mcc": sklearn.metrics.matthews_corrcoef(labels, called),
        "roc_auc": sklearn.metrics.roc_auc_score(labels, probability),
        "average_precision": sklearn.metrics.average_precision_score(labels, probability),
        "log_loss": sklearn.metrics.log_loss(labels, np.clip(probability, 1e-7, 1 - 1e-7)),
        "brier": sklearn.metrics.brier_score_loss(labels, probability),
        "recall_star": sklearn.metrics.recall_score(labels, called),
        "recall_galaxy": sklearn.metrics.recall_score(labels, called, pos_label=0),
    }
    found = metrics.score_predictions(labels, probability, resamples=100)
    assert tuple(found) == metrics.SCORE_COLUMNS
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    tn, fp, fn, tp = sklearn.metrics.confusion_matrix(labels, called).ravel()
    assert [found[cell] for cell in metrics.CELLS] == [tp, fn, fp, tn]


def test_roc_curve_is_that_of_scikit_learn():
    labels, probability = sample(decimals=1)
    expected = sklearn.metrics.roc_curve(labels, probability, drop_intermediate=False)[:2]
    for found, wanted in zip(metrics.roc_curve(labels, probability), expected, strict=True):
        np.testing.assert_allclose(found, wanted)


def test_weights_count_sources_several_times():
    labels, probability = sample(50, decimals=1)
    weights = np.random.default_rng(1).integers(0, 4, 50)
    scorer = metrics.Scorer(labels, probability)
    weighted = scorer.scores(weights[np.newaxis, scorer.order])
    repeated = metrics.score_predictions(np.repeat(labels, weights), np.repeat(probability, weights), resamples=100)
    assert {name: weighted[name][0] for name in metrics.SCORES} == pytest.approx(
        {name: repeated[name] for name in metrics.SCORES}
    )


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """Expected Brier score of a right probability p, uniform on (a, b): the mean of p (1 - p)."""
    p = np.linspace(0.01, 0.99, 100_001)
    truth = np.mean(p * (1 - p))
    records = [metrics.score_predictions(*sample(300, seed), resamples=200) for seed in range(200)]
    covered = np.mean([record["brier_low"] <= truth <= record["brier_high"] for record in records])
    assert 0.90 <= covered <= 0.985


def test_intervals_do_not_depend_on_the_block(monkeypatch):
    labels, probability = sample(100)
    whole = metrics.score_predictions(labels, probability, resamples=150)
    assert whole == metrics.score_predictions(labels, probability, resamples=150)
    monkeypatch.setattr(metrics, "BLOCK", 1000)
    assert metrics.score_predictions(labels, probability, resamples=150) == pytest.approx(whole)


def test_one_class_leaves_undefined_what_needs_both():
    found = metrics.score_predictions(np.ones(20, np.int8), np.linspace(0.1, 0.9, 20), resamples=100)
    undefined = ("mcc", "roc_auc", "average_precision", "recall_galaxy")
    assert all(np.isnan(found[name + end]) for name in undefined for end in ("", "_low", "_high"))
    assert found["accuracy"] == found["recall_star"] == 0.5


def test_a_constant_call_has_no_correlation():
    found = metrics.score_predictions(np.array([0, 1, 1]), np.full(3, 0.9), resamples=100)
    assert (found["mcc"], found["roc_auc"]) == (0, 0.5)


def test_no_sources_at_all():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics.score_predictions(np.array([], np.int8), np.array([]))
    assert tuple(found) == metrics.SCORE_COLUMNS
    assert found["sources"] == found["star_as_star"] == 0
    assert np.isnan(found["accuracy"])


def test_a_score_that_is_no_probability_has_no_logarithmic_loss():
    found = metrics.score_predictions(
        np.array([0, 1, 1]), np.array([-3.0, -0.2, 0.0]), threshold=-0.145, calibrated=False, resamples=100
    )
    assert (found["star_as_star"], found["star_as_galaxy"], found["roc_auc"]) == (1, 1, 1)
    assert np.isnan(found["log_loss"])
    assert np.isnan(found["brier"])


def test_bins_hold_their_lower_edge_and_nothing_outside():
    labels, probability = sample(6)
    magnitude = [13.9, 14, 17.9, 18, 20, np.nan]
    table = pd.DataFrame({"bucket": "test", "label": labels, "probability": probability, "model_mag_r": magnitude})
    table["truth"] = pd.array([1 - labels[0], *[pd.NA] * 5], dtype="Int8")
    records = metrics.score_buckets(table, "probability", edges=[14, 18, 20], resamples=100)
    names = ("against", "magnitude_low", "magnitude_high", "sources")
    found = [tuple(record[name] for name in names) for record in records]
    photo = [("photo", None, None, 6), ("photo", 14, 18, 2), ("photo", 18, 20, 1)]
    assert found == [*photo, ("truth", None, None, 1), ("truth", 14, 18, 0), ("truth", 18, 20, 0)]
    assert records[3]["stars"] == 1 - labels[0]


@pytest.mark.parametrize(("label", "missing"), [(0, "star"), (1, "galaxy")])
def test_a_set_of_one_class_is_named(label, missing):
    with pytest.raises(StargalError, match=f"training set small: no {missing} among 7 sources"):
        require_both_classes("training set small", np.full(7, label))


def test_reliability_of_a_hand_made_case():
    labels = np.array([0, 1, 1, 1])
    found = metrics.reliability(labels, np.array([0.05, 0.06, 0.92, 1.0]))
    np.testing.assert_allclose(found["probability"], [0.055, 0.96])
    np.testing.assert_allclose(found["stars"], [0.5, 1])
    assert list(found["sources"]) == [2, 2]


def test_wilson_of_a_textbook_case():
    """81 of 263: Newcombe 1998, Statistics in Medicine 17, 857, table I, method 3."""
    low, high = metrics.wilson(np.array([81 / 263]), np.array([263]))
    assert (low[0], high[0]) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_holds_the_share():
    """At 0 and 1 too, where rounding would leave it outside."""
    share, count = np.array([0.0, 1.0, 0.5, 1.0]), np.array([3, 7, 10, 10_000])
    low, high = metrics.wilson(share, count)
    assert (low <= share).all() and (share <= high).all()
    assert (low[1:] > 0).all() and (high[:1] < 1).all()
