"""Tables of scores, from flat lists ordered by experiment and seed."""

import json

import numpy as np
import pandas as pd
import pytest

from stargal.errors import StargalError
from stargal.evaluation import baselines, scores
from stargal.evaluation.metrics import SCORE_COLUMNS, score_buckets, score_predictions


def predictions(seed, n=60):
    random = np.random.default_rng(seed)
    probability = random.uniform(size=n)
    return pd.DataFrame(
        {
            "id": [str(k) for k in range(n)],
            "field": np.where(np.arange(n) % 3, "a", "b"),
            "bucket": np.where(np.arange(n) % 2, "test", "validation"),
            "label": (random.uniform(size=n) < probability).astype(np.int8),
            "truth": pd.array([pd.NA] * n, dtype="Int8"),
            "psf_mag_r": random.uniform(16, 20, n),
            "model_mag_r": random.uniform(16, 20, n),
            "probability": probability,
        }
    )


def through_json(records):
    """NaN becomes null, as in a file of records."""
    return json.loads(pd.DataFrame(records).to_json(orient="records"))


def test_every_experiment_seed_and_baseline_has_its_rows():
    metrics = [
        through_json(score_buckets(predictions(seed), "probability", edges=[16, 18, 20], resamples=10))
        for seed in range(4)
    ]
    table = predictions(9)
    scored = table.drop(columns="probability").join(baselines.score_sources(table, table, seed=1))
    records = through_json(baselines.score_baselines(scored, edges=[16, 18, 20], resamples=10))
    tables = scores.score_tables(
        metrics,
        [records, records],
        experiments={"first": "large", "second": "small"},
        seeds=[1, 2],
        training_sets=["small", "large"],
    )
    overall, binned = tables["scores"], tables["by_magnitude"]
    assert list(overall) == ["classifier", "training_set", "seed", "against", "bucket", *SCORE_COLUMNS]
    assert list(binned)[5:7] == ["magnitude_low", "magnitude_high"] and len(binned) == 2 * len(overall)
    networks = overall[overall["seed"].notna()]
    assert networks[["classifier", "training_set", "seed"]].drop_duplicates().to_numpy().tolist() == [
        ["first", "large", 1],
        ["first", "large", 2],
        ["second", "small", 1],
        ["second", "small", 2],
    ]
    assert networks["accuracy"].tolist() == pytest.approx(
        [record["accuracy"] for records in metrics for record in records if record["magnitude_low"] is None]
    )
    simple = overall[overall["seed"].isna()]
    assert simple[simple["training_set"].isna()]["classifier"].unique().tolist() == ["random", "concentration"]
    trained = simple.dropna(subset="training_set")
    assert trained["training_set"].unique().tolist() == ["large", "small"]
    assert len(trained) == 2 * 2 * 2 and len(simple) == 2 * 2 + 8


def test_scores_of_each_test_field():
    runs = [predictions(seed) for seed in range(4)]
    table = scores.field_scores(runs, experiments=["x", "y"], seeds=[5, 6], resamples=10)
    assert list(table) == ["classifier", "seed", "field", *SCORE_COLUMNS]
    assert table[["classifier", "seed", "field"]].to_numpy().tolist() == [
        [name, seed, field] for name in "xy" for seed in (5, 6) for field in "ab"
    ]
    own = runs[3][(runs[3]["bucket"] == "test") & (runs[3]["field"] == "b")]
    expected = score_predictions(own["label"].to_numpy(), own["probability"].to_numpy(), resamples=10)
    assert table.loc[7, list(SCORE_COLUMNS)].to_dict() == expected
    with pytest.raises(StargalError, match="field a: no galaxy"):
        scores.field_scores([runs[0].assign(label=1)], experiments=["x"], seeds=[1], resamples=10)


def test_a_list_of_the_wrong_length_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        list(scores.over_seeds(["a"], [1, 2], ["one"]))


def test_baselines_read_the_fields_of_each_bucket(tmp_path):
    fields = {"training": ["a", "b"], "validation": ["c"], "test": ["d"]}
    paths = []
    for seed, name in enumerate("abcd"):
        paths.append(tmp_path / f"{name}.parquet")
        predictions(seed).drop(columns=["field", "bucket"]).to_parquet(paths[-1])
    table = baselines.predict_baselines("large", fields, paths, labels="photo", seed=1)
    assert table.groupby("bucket")["field"].unique().map(list).to_dict() == {"test": ["d"], "validation": ["c"]}
    assert list(table) == [
        *("id", "field", "bucket", "label", "truth", "psf_mag_r", "model_mag_r"),
        *baselines.BASELINES,
    ]
    share = np.concatenate([predictions(0)["label"], predictions(1)["label"]]).mean()
    assert table["majority"].tolist() == pytest.approx([share] * 120)
    names = [record["classifier"] for record in baselines.score_baselines(table, edges=[15, 20], resamples=10)]
    assert names[::4] == list(baselines.BASELINES)
