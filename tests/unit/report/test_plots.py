"""Figures: the same bytes each time, what the axes say, and no need of tensorflow."""

import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest

from stargal.evaluation import metrics
from stargal.report import look, plots

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


def compared(published=False):
    """A base and four combinations: of two the intervals hold 0."""
    middle = np.array([np.nan, -0.2, -0.01, 0.01, 0.3])
    table = pd.DataFrame(
        {
            "experiment": ["base_small", *(f"tuning-{rate}-{dropout}" for rate in (1, 2) for dropout in (3, 4))],
            "rate": [1, 1, 1, 2, 2],
            "dropout": [5, 3, 4, 3, 4],
            "seeds": 2,
            "val_loss": 0.5 + np.nan_to_num(middle),
        }
    )
    for quantity, sign in (("val_loss", 1), ("val_accuracy", -1)):
        for end, away in (("", 0), ("_low", -0.05), ("_high", 0.05)):
            table[f"{quantity}_difference{end}"] = sign * middle + away
        if published:
            table[f"published_{quantity}"] = [0.5, 0.4, np.nan, 0.5, 0.6]
    return table


def marks(ax):
    """Where the marks of a panel are, and how they are filled."""
    return {line.get_markerfacecolor(): line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "o"}


def test_a_difference_is_filled_where_its_interval_does_not_hold_zero():
    left, right = plots.differences(compared(published=True), "rate-dropout").axes
    assert marks(left) == {"C0": [-0.2, 0.3], "white": [-0.01, 0.01]}
    assert marks(right) == {"C0": pytest.approx([20, -30]), "white": pytest.approx([1, -1])}
    assert [text.get_text() for text in left.get_yticklabels()] == ["1-3", "1-4", "2-3", "2-4"]
    (theirs,) = [line for line in left.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(theirs.get_xdata(), [-0.1, np.nan, 0, 0.1], atol=1e-12)


def test_the_frame_of_a_grid_is_about_the_lowest_loss():
    """The base, which is not of the grid, is left out."""
    figure = plots.loss_grid(compared(), {"rate": [1, 2], "dropout": [3, 4]})
    losses = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(losses, [[0.3, 0.49], [0.51, 0.8]])
    (frame,) = figure.axes[0].patches
    assert (round(frame.get_x()), round(frame.get_y())) == (0, 0)


def test_a_grid_of_three_settings_has_a_panel_for_each_value_of_the_third():
    table = pd.concat([compared().iloc[1:].assign(l2=l2) for l2 in (0, 1)])
    table["val_loss"] -= table["l2"]
    figure = plots.loss_grid(table, {"rate": [1, 2], "dropout": [3, 4], "l2": [0, 1]})
    first, second = figure.axes[:2]
    assert (first.get_title(), second.get_title()) == ("l2 0", "l2 1")
    assert (len(first.patches), len(second.patches)) == (0, 1)
    np.testing.assert_allclose(second.images[0].get_array(), [[-0.7, -0.51], [-0.49, -0.2]])


FIGURES = {
    "comparison": (
        lambda: plots.differences(compared(published=True), "rate-dropout"),
        ["difference in validation loss, nats", "difference in validation accuracy, percentage points", "rate-dropout"],
    ),
    "grid": (
        lambda: plots.loss_grid(compared(), {"rate": [1, 2], "dropout": [3, 4]}),
        ["rate", "dropout", "validation loss, nats", "framed: the lowest validation loss"],
    ),
    "training": (
        lambda: plots.training_curves({"base": [HISTORY, HISTORY], "large": [HISTORY]}),
        ["epoch", "cross-entropy, nats", "accuracy", "training", "validation", "weights kept", "base", "large"],
    ),
    "confusion": (
        lambda: plots.confusion_matrices(scores().query("magnitude_low.isna() and seed.notna()")),
        ["label (SDSS photo)", "predicted", "0 galaxy", "1 star", "base, mean of 2 seeds"],
    ),
    "classes": (
        lambda: plots.class_confusion(
            pd.DataFrame(
                [
                    {"classifier": rule, "seed": seed, "class": name}
                    | {f"called_{other}": 5 + (name == other) for other in ("sky", "star", "galaxy", "both")}
                    for rule in ("first", "second")
                    for seed in (1, 2)
                    for name in ("sky", "star", "galaxy", "both")
                ]
            ),
            "label (truth)",
        ),
        ["label (truth)", "predicted", "sky", "both", "first, mean of 2 seeds", "28.6%"],
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
    "explanation": (
        lambda: plots.explanation(
            pd.DataFrame(
                [
                    {"class": word, "radius": radius, "area": radius / 10}
                    | {
                        f"{kind}{end}": 0.5
                        for kind in ("gradient", "occlusion", "kept", "removed")
                        for end in ("", "_low", "_high")
                    }
                    for word in ("star", "galaxy")
                    for radius in (2, 4)
                ]
            ),
            {f"{word}_{kind}": np.eye(5) for word in ("star", "galaxy") for kind in ("gradient", "occlusion")},
        ),
        ["galaxies (0), gradient", "share of the map in the disc", "stars (1), rest covered", "share of the area"],
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
