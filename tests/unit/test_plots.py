"""Figures: the same bytes each time, what the axes say, and no need of tensorflow."""

import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest

from stargal import look, metrics, plots

HISTORY = pd.DataFrame(
    {"epoch": [1, 2, 3], "loss": [0.7, 0.5, 0.4], "accuracy": 0.8, "val_loss": [0.7, 0.5, 0.6], "val_accuracy": 0.7}
)


def predictions(seed=0):
    random = np.random.default_rng(seed)
    probability = random.uniform(size=200)
    return pd.DataFrame(
        {
            "bucket": "test",
            "label": (random.uniform(size=200) < probability).astype(int),
            "truth": pd.array([pd.NA] * 200, dtype="Int8"),
            "probability": probability,
            "model_mag_r": random.uniform(18, 22, 200),
        }
    )


def scores():
    return pd.DataFrame(
        [
            {"classifier": classifier, "training_set": training_set, "seed": seed} | record
            for classifier, training_set, seed in (("base", "a", 1), ("base", "a", 2), ("concentration", None, None))
            for record in metrics.evaluate_buckets(
                predictions(seed or 0), "probability", edges=[18, 20, 22, 23], resamples=100
            )
        ]
    )


def labels_and_scores():
    table = predictions(5)
    return table["label"].to_numpy(), table["probability"].to_numpy()


FIGURES = {
    "training": (
        lambda: plots.training_curves({"base": [HISTORY, HISTORY], "large": [HISTORY]}),
        ["epoch", "cross-entropy, nats", "accuracy", "training", "validation", "weights kept", "base", "large"],
    ),
    "confusion": (
        lambda: plots.confusion_matrices(scores().query("magnitude_low.isna() and seed.notna()")),
        ["label (SDSS photo)", "predicted", "0 galaxy", "1 star", "base, mean of 2 seeds"],
    ),
    "roc": (
        lambda: plots.roc_curves({"base": [predictions(1), predictions(2)]}, {"magnitude": labels_and_scores()}),
        ["share of galaxies (0) called stars", "share of stars (1) called stars", "random or majority, area 0.5"],
    ),
    "reliability": (
        lambda: plots.reliability_diagrams({"base": [predictions(1)], "large": [predictions(2), predictions(3)]}),
        ["probability of a star (1)", "share labelled star (1)", "sources"],
    ),
    "magnitude": (
        lambda: plots.score_by_magnitude(scores().query("magnitude_low.notna()"), "mcc", "Matthews coefficient"),
        ["r model magnitude (AB)", "Matthews coefficient", "sources", "stars (1)", "galaxies (0)", "concentration"],
    ),
    "learning_curve": (
        lambda: plots.learning_curve(
            scores().query("magnitude_low.isna() and seed.notna()").assign(training_sources=1200, fields=4)
        ),
        ["training sources (fields)", "Matthews coefficient, test", "1200", "(4)", "seed 1", "seed 2"],
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_each_time_and_says_what_it_shows(name, tmp_path):
    draw, words = FIGURES[name]
    for path in (tmp_path / "first.svg", tmp_path / "again.svg"):
        with look.style():
            look.save(draw(), path, "made sky")
    text = (tmp_path / "first.svg").read_text()
    assert text == (tmp_path / "again.svg").read_text()
    assert "made sky" in text
    assert [word for word in words if f">{word}<" not in text] == []
    assert "<dc:date>" not in text


def test_style_ignores_and_restores_the_users_settings():
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        with look.style():
            assert (matplotlib.rcParams["font.size"], matplotlib.rcParams["axes.facecolor"]) == (10, "white")
        assert matplotlib.rcParams["font.size"] == 30


@pytest.mark.parametrize("module", ["metrics", "baselines", "plots"])
def test_tensorflow_is_not_loaded(module):
    program = f"import sys, stargal.{module}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=look.STYLE.parents[1])
