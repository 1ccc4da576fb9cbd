"""Comparisons: intervals that cover, differences that are paired, and the size of a saved network."""

import numpy as np
import pandas as pd
import pytest

from stargal.errors import StargalError
from stargal.evaluation import comparisons
from stargal.learning import architectures
from stargal.learning.network_files import save


def predictions(probability, labels):
    return pd.DataFrame(
        {
            "bucket": np.where(np.arange(len(labels)) % 2, "test", "validation"),
            "label": labels,
            "truth": pd.array([pd.NA] * len(labels), dtype="Int8"),
            "probability": probability,
        }
    )


def history(losses):
    epochs = np.arange(1, len(losses) + 1)
    return pd.DataFrame(
        {"epoch": epochs, "loss": epochs / 10, "accuracy": 0.8, "val_loss": losses, "val_accuracy": epochs / 100}
    )


def test_a_row_is_of_the_kept_epochs_and_differences_are_from_the_first():
    labels = np.tile([0, 1], 200).repeat(2)
    random = np.random.default_rng(0)
    good = [predictions(np.clip(labels * 0.6 + random.uniform(0, 0.4, 800), 0, 1), labels) for _ in range(3)]
    poor = [predictions(random.uniform(size=800), labels) for _ in range(3)]
    histories = {"a": [history([0.5, 0.3, 0.4])] * 3, "b": [history([0.5, 0.4, 0.2])] * 3}
    table = comparisons.compare_experiments(histories, {"a": good, "b": poor}, "photo").set_index("experiment")
    assert table.loc["a", ["epochs", "val_loss", "loss", "seeds"]].tolist() == pytest.approx([2, 0.3, 0.2, 3])
    assert table.loc["b", ["epochs", "val_loss", "val_accuracy"]].tolist() == pytest.approx([3, 0.2, 0.03])
    assert table.loc["a", "val_loss_sd"] == pytest.approx(0)
    assert table.loc["a", "test_accuracy"] == 1 and table.loc["a", "test_mcc"] == pytest.approx(1)
    assert table.loc["a", ["val_loss_difference", "val_accuracy_difference_low"]].isna().all()
    difference, low, high = table.loc[
        "b", ["val_accuracy_difference", "val_accuracy_difference_low", "val_accuracy_difference_high"]
    ]
    right = np.mean([(run["probability"] > 0.5) == (labels == 1) for run in poor], axis=0)
    assert difference == pytest.approx(right[::2].mean() - 1)
    assert low < difference < high < 0
    assert table.loc["b", "val_loss_difference_low"] > 0


def test_timings_are_means_over_the_seeds():
    measured = [pd.DataFrame({"s": [s], "max_rss": [800.0]}) for s in (30.0, 50.0)]
    histories = [history([0.5] * epochs) for epochs in (9, 11)]
    table = comparisons.timings({"b": measured, "a": measured[:1]}, {"a": histories[:1], "b": histories})
    assert table["experiment"].tolist() == ["b", "a"]
    assert table.iloc[0, 1:].tolist() == [10, 40, 4, 800]
    assert table.iloc[1, 1:].tolist() == pytest.approx([9, 30, 30 / 9, 800])


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_intervals_cover_the_true_difference(seeds):
    """Networks whose means scatter with the seed, judged on shared sources; 95 % within 2.5 % of a thousand trials."""
    random = np.random.default_rng(seeds)
    training_scatter = 0.0 if seeds == 1 else 0.05
    covered = 0
    for _ in range(1000):
        shared = random.normal(size=400)
        varied, base = (
            mean + shared + random.normal(0, training_scatter, (seeds, 1)) + random.normal(0, 0.3, (seeds, 400))
            for mean in (0.1, 0.0)
        )
        _, low, high = comparisons.interval(varied, base)
        covered += low < 0.1 < high
    assert 0.925 < covered / 1000 < 0.995


def test_parameters_are_counted_as_keras_counts_them(tmp_path):
    network = architectures.build("regularized", size=25, sky_sigma=[0.1] * 5, seed=1, dropout=0.2, l2=1e-4)
    save(network, tmp_path / "model.keras")
    assert comparisons.count_parameters(tmp_path / "model.keras") == network.count_params() == 151_297
    (tmp_path / "model.keras").write_bytes(b"nothing")
    with pytest.raises(StargalError, match=r"model\.keras: .*remove the file"):
        comparisons.count_parameters(tmp_path / "model.keras")


def test_tables_are_made_of_flat_lists(tmp_path):
    """Two experiments of two seeds, and published scores of one of them."""
    labels = np.tile([0, 1], 100).repeat(2)
    random = np.random.default_rng(0)
    runs = [predictions(np.clip(labels * 0.5 + random.uniform(0, 0.5, 400), 0, 1), labels) for _ in range(4)]
    histories = [history(losses) for losses in ([0.5, 0.3], [0.5, 0.4], [0.6, 0.7], [0.2, 0.3])]
    networks = []
    for name, dense in (("small", 4), ("large", 8)):
        networks.append(tmp_path / f"{name}.keras")
        settings = {"filters": [4], "kernel": 3, "pool": 2, "batch_normalization": False, "dropout": 0, "l2": 0}
        save(architectures.build("cnn", size=15, sky_sigma=[0.1] * 5, seed=1, dense=dense, **settings), networks[-1])
    published = pd.DataFrame(
        {"comparison": ["sizes", "other"], "experiment": ["large", "small"], "published_accuracy": [0.9, 0.1]}
    )
    settings = {"experiments": {"small": {"nodes": 4}, "large": {"nodes": 8}}, "seeds": [1, 2], "labels": "photo"}
    table = comparisons.comparison_table(histories, runs, networks, published, comparison="sizes", **settings)
    pairs = ("small", histories[:2], runs[:2]), ("large", histories[2:], runs[2:])
    expected = comparisons.compare_experiments(
        {name: own for name, own, _ in pairs}, {name: own for name, _, own in pairs}, "photo"
    )
    columns = list(expected)
    assert list(table) == ["experiment", "nodes", *columns[1:], "parameters", "published_accuracy"]
    pd.testing.assert_frame_equal(table[columns], expected)
    assert table["parameters"].tolist() == [comparisons.count_parameters(path) for path in networks]
    assert table["nodes"].tolist() == [4, 8] and table["published_accuracy"].fillna(0).tolist() == [0, 0.9]
    plain = comparisons.comparison_table(histories, runs, networks, published, comparison="none", **settings)
    assert list(plain) == list(table)[:-1]

    benchmarks = [pd.DataFrame({"s": [seconds], "max_rss": [800.0]}) for seconds in (30.0, 50.0, 20.0, 40.0)]
    timed = comparisons.timing_table(table, benchmarks, histories, seeds=[1, 2])
    measured = ["epochs_trained", "seconds", "seconds_per_epoch", "max_rss_mb"]
    assert list(timed) == ["experiment", "nodes", "parameters", *comparisons.TIMED_SCORES, *measured]
    assert timed["seconds"].tolist() == [40, 30]
