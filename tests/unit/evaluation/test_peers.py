"""Our classifier beside others: who is scored on what."""

import numpy as np
import pandas as pd
import pytest

from stargal.evaluation import peers
from stargal.evaluation.metrics import Scorer

N = 200


def matched(seed):
    """Matched detections; every source but the last ten is in the survey's catalogue."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, N)
    known = pd.array(label, dtype="Int8")
    known[-10:] = pd.NA
    concentration = random.normal(0.4 * (1 - label), 0.15, N)
    spectra = pd.array(label, dtype="Int8")
    spectra[40:150] = pd.NA
    given = np.where(np.arange(N) < 60, np.clip(label + random.normal(0, 0.3, N), 0, 1), np.nan)
    return pd.DataFrame(
        {
            "id": [f"{seed}-{k}" for k in range(N)],
            "source": [f"s{seed}-{k}" if k < N - 10 else "" for k in range(N)],
            "photo_type": np.where(concentration > 0.145, 3, 6),
            "psf_mag_r": 20 + concentration,
            "model_mag_r": 20.0,
            "r": np.linspace(16, 23, N),
            "label": known,
            "truth": pd.array([pd.NA] * N, dtype="Int8"),
            "against spectra": spectra,
            "given theirs": given,
        }
    )


def catalog(table):
    return pd.DataFrame({"id": table["id"], "probability_star": np.where(table["photo_type"] == 6, 0.9, 0.1)})


def extracted(table, skipped=None):
    half = np.where(np.arange(N) % 2, 0.8, np.nan)
    found = pd.DataFrame({"id": table["id"], "class_star": half, "spread_model": half / 1000, "spread_error": 0.001})
    if skipped:
        found[["class_star", "spread_model"]] = np.nan
        found.attrs["skipped"] = skipped
    return found


def gathered(skipped=None, buckets=("validation", "test"), **more):
    fields = {bucket: matched(seed) for seed, bucket in enumerate(buckets)}
    catalogued = [table[table["source"] != ""] for bucket, table in fields.items() if bucket != "none"]
    predictions = [
        pd.DataFrame({"id": pd.concat([table["source"] for table in catalogued]), "probability": np.float32(share)})
        for share in (0.2, 0.4)
    ]
    settings = {
        "buckets": {bucket: bucket for bucket in fields},
        "extracted": {bucket: extracted(table, skipped) for bucket, table in fields.items()},
        "forest": pd.concat([pd.DataFrame({"id": table["id"], "forest": 0.5}) for table in fields.values()]),
        "predictions": predictions,
        "experiments": ["net"],
        "seeds": [1, 2],
    } | more  # fmt: skip
    return peers.gather_scores(fields, {bucket: catalog(table) for bucket, table in fields.items()}, **settings)


def tables(scores):
    return peers.peer_tables(scores, experiments=["net"], edges=[16, 20, 23], resamples=100)


def test_each_classifier_has_a_score_of_each_source():
    scores = gathered()
    assert len(scores) == 2 * N and set(scores["bucket"]) == {"validation", "test"}
    assert scores["net"].notna().sum() == 2 * (N - 10), "predicted for the survey's sources alone"
    assert scores["net"].dropna().to_numpy() == pytest.approx(0.3), "the mean over the seeds"
    assert set(scores["photo"]) == {0, 1} and (scores["spread_model"].dropna() < 0).all()
    assert "class_star" not in gathered(extracted={}, forest=None) and "forest" not in gathered(forest=None)


def test_predictions_may_be_of_detections():
    predictions = [pd.DataFrame({"id": ["0-3"], "probability": np.float32([0.7])})] * 2
    scores = gathered(predictions=predictions)
    assert scores.loc[scores["net"].notna(), "id"].to_list() == ["0-3"]


def test_all_are_scored_on_the_same_sources():
    made = tables(gathered())["scores"]
    assert list(made) == peers.COLUMNS
    for (against, sample, bucket, magnitudes), rows in made.groupby(["against", "sample", "bucket", "magnitudes"]):
        assert len(set(rows["sources"])) == 1, (against, sample, bucket, magnitudes)
        own = {"photo", "concentration", "class_star", "spread_model", "forest", "classifier", "net"}
        assert set(rows["classifier"]) == own | ({"theirs"} if sample == "theirs" else set())
    counts = made[made["magnitudes"] == "all"].groupby(["against", "sample"])["sources"].max()
    assert counts.to_dict() == {
        ("photo", "all"): N - 10, ("photo", "theirs"): 60, ("spectra", "all"): 80, ("spectra", "theirs"): 40,
    }  # fmt: skip
    bright = made[(made["magnitudes"] == "r < 22") & (made["sample"] == "all") & (made["against"] == "photo")]
    assert set(bright["sources"]) == {int((np.linspace(16, 23, N) < 22)[: N - 10].sum())}


def test_what_a_classifier_says_nothing_of_is_neither():
    made = tables(gathered())["scores"]
    row = made[(made["classifier"] == "class_star") & (made["sample"] == "all")].iloc[0]
    assert row["missing"] == (N - 10) // 2
    half = made[(made["classifier"] == "forest") & (made["sample"] == "all")].iloc[0]
    assert half["missing"] == 0 and half["star_as_star"] == 0 and half["roc_auc"] == 0.5


def test_scores_are_those_of_the_metrics():
    scores = gathered()
    made = tables(scores)["scores"]
    row = made[(made["against"] == "photo") & (made["sample"] == "all") & (made["bucket"] == "test")]
    photo = row[(row["classifier"] == "photo") & (row["magnitudes"] == "all")].iloc[0]
    test = scores[(scores["bucket"] == "test") & scores["label"].notna()]
    assert photo["accuracy"] == pytest.approx(((test["photo_type"] == 6) == (test["label"] == 1)).mean())
    assert photo["accuracy_low"] < photo["accuracy"] < photo["accuracy_high"]
    called = test[test["photo_type"] == 6]
    assert photo["purity_star"] == pytest.approx((called["label"] == 1).mean())
    assert photo["purity_star_low"] < photo["purity_star"] < photo["purity_star_high"]
    assert np.isnan(photo["log_loss"]), "a type is no probability"


def test_a_classifier_that_is_not_there_is_a_row_with_the_reason():
    scores = gathered(skipped={"class_star": "source-extractor is not installed", "spread_model": "the same"})
    made = tables(scores)["scores"]
    rows = made[made["classifier"] == "class_star"]
    assert set(rows["note"]) == {"source-extractor is not installed"} and rows["accuracy"].isna().all()
    assert len(rows) == len(made[made["classifier"] == "photo"])
    assert "class_star" not in set(tables(scores)["by_magnitude"]["classifier"])


def test_fields_in_no_bucket_are_scored_without_networks():
    made = tables(gathered(buckets=("test", "none")))["scores"]
    rows = made[(made["bucket"] == "none") & (made["against"] == "spectra") & (made["sample"] == "all")]
    assert "net" not in set(rows["classifier"])
    assert rows["sources"].max() == 90, "the survey's catalogue is not needed"


def test_types_of_others_are_no_probabilities():
    scores = gathered()
    scores["given theirs"] = scores["given theirs"].round()
    made = tables(scores)["scores"]
    assert made.loc[made["classifier"] == "theirs", "log_loss"].isna().all()


def test_completeness_and_purity_by_hand():
    """Stars at .9, .8 and .3, galaxies at .85 and .1; two sources share a score."""
    labels, score = np.array([1, 0, 1, 1, 0]), np.array([0.9, 0.85, 0.85, 0.3, 0.1])
    complete, pure = peers.running_shares(Scorer(labels, score), np.ones((1, 5)))
    np.testing.assert_allclose(complete[0], [1 / 3, 2 / 3, 1, 1])
    np.testing.assert_allclose(pure[0], [1, 2 / 3, 3 / 4, 3 / 5])
    points = pd.DataFrame(peers.completeness_purity(labels, score))
    stars = points[points["class"] == "star"]
    np.testing.assert_allclose(stars[["completeness", "purity"]], [[2 / 3, 2 / 3], [1, 3 / 4]])
    record = peers.score_peer(labels, score, peers.Peer(), 100)
    assert record["star_completeness_at_97"] == pytest.approx(1 / 3)
    assert record["galaxy_purity_at_96"] == pytest.approx(2 / 4)
    assert record["star_completeness_at_97_low"] <= 1 / 3 <= record["star_completeness_at_97_high"]


def test_one_class_alone_has_no_curve():
    assert peers.completeness_purity(np.ones(4), np.arange(4.0)) == []
    record = peers.score_peer(np.ones(4, np.int8), np.arange(4.0) / 4, peers.Peer(), 100)
    assert np.isnan(record["galaxy_purity_at_96"]) and np.isnan(record["roc_auc"])
