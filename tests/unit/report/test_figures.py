"""Figures: equal bytes each time, the text of the axes, and no import of tensorflow."""

import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest

from stargal.evaluation import metrics
from stargal.evaluation.peers import peer_tables
from stargal.report.figures import classifier, comparisons, data, peers, realism, scores, training
from stargal.report.figures.panels import by_experiment
from stargal.report.style import STYLE, save, style

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


def metrics_of(seed):
    return metrics.score_buckets(predictions(seed), "probability", edges=[18, 20, 22, 23], resamples=100)


def table_of_scores():
    """Two seeds of a network and a baseline, all sources and bins of magnitude."""
    return pd.DataFrame(
        [
            {"classifier": classifier, "training_set": training_set, "seed": seed} | record
            for classifier, training_set, seed in (("base", "a", 1), ("base", "a", 2), ("concentration", None, None))
            for record in metrics_of(seed or 0)
        ]
    )


def all_sources():
    return table_of_scores().query("magnitude_low.isna()")


def by_magnitude():
    return table_of_scores().query("magnitude_low.notna()")


def sources_and_patches():
    """Twenty patches of five bands, stars and galaxies in turn, each with some flux in the middle."""
    random = np.random.default_rng(0)
    patches = random.normal(0, 0.02, (20, 15, 15, 5)).astype(np.float32)
    patches[:, 6:9, 6:9] += random.uniform(0.5, 5, (20, 1, 1, 1)).astype(np.float32)
    sources = pd.DataFrame({"label": np.arange(20) % 2, "model_mag_r": np.linspace(15, 22, 20)})
    return sources, patches


SUMMARY = {"bands": [{"noise": 0.02, "fwhm": 1.3}] * 5}
"""Alignment summary of a field."""


def histograms():
    """Counts by bucket, and bins of magnitude and of size."""
    counts = pd.DataFrame({"bucket": ["train", "test"], "field": "all", "stars": [30, 10], "galaxies": [20, 5]})
    bins = pd.DataFrame(
        [
            {"bucket": "train", "class": name, "low": low, "high": low and low + 1, "count": 3}
            for name in ("star", "galaxy")
            for low in (1.0, 2.0, None)
        ]
    )
    return counts, bins, bins


def offsets():
    return pd.DataFrame(
        [
            {"band": band, "x_offset_before": 0.2, "y_offset_before": -0.1, "x_offset": 0.01, "y_offset": 0.0}
            for band in "ugriz"
        ]
    )


def described(empty):
    """Description of a field; `empty` is the bin of all sources, as CSV readers differ in it."""
    return pd.DataFrame(
        [
            {"quantity": f"{quantity} {name}", "band": "r", "bin": where, "value": 2.0}
            for quantity in ("count", "PSF / model")
            for name in ("star", "galaxy")
            for where in (empty, "17-19", "19-20")
        ]
    )


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
    left, right = comparisons.differences(compared(published=True), varied="rate-dropout").axes
    assert marks(left) == {"C0": [-0.2, 0.3], "white": [-0.01, 0.01]}
    assert marks(right) == {"C0": pytest.approx([20, -30]), "white": pytest.approx([1, -1])}
    assert [text.get_text() for text in left.get_yticklabels()] == ["1-3", "1-4", "2-3", "2-4"]
    (theirs,) = [line for line in left.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(theirs.get_xdata(), [-0.1, np.nan, 0, 0.1], atol=1e-12)


def test_the_frame_of_a_grid_is_about_the_lowest_loss():
    """The base, which is not of the grid, is left out."""
    figure = comparisons.grid(compared(), vary={"rate": [1, 2], "dropout": [3, 4]})
    losses = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(losses, [[0.3, 0.49], [0.51, 0.8]])
    (frame,) = figure.axes[0].patches
    assert (round(frame.get_x()), round(frame.get_y())) == (0, 0)


def test_a_grid_of_three_settings_has_a_panel_for_each_value_of_the_third():
    table = pd.concat([compared().iloc[1:].assign(l2=l2) for l2 in (0, 1)])
    table["val_loss"] -= table["l2"]
    figure = comparisons.grid(table, vary={"rate": [1, 2], "dropout": [3, 4], "l2": [0, 1]})
    first, second = figure.axes[:2]
    assert (first.get_title(), second.get_title()) == ("l2 0", "l2 1")
    assert (len(first.patches), len(second.patches)) == (0, 1)
    np.testing.assert_allclose(second.images[0].get_array(), [[-0.7, -0.51], [-0.49, -0.2]])


def peer_scores():
    """Types and a network on test sources, and one of another's probabilities."""
    table = predictions().rename(columns={"probability": "net", "model_mag_r": "r"})
    table["photo"] = (table["net"] > 0.6).astype(float)
    table["given theirs"] = np.where(table["r"] < 20, table["net"] ** 2, np.nan)
    return peer_tables(table, experiments=["net"], edges=[18, 20, 22], resamples=100)


FIGURES = {
    "trade": (
        lambda: peers.trade(*(peer_scores()[name] for name in ("scores", "curves"))),
        [
            "stars, against photo",
            *["galaxies, against photo,", "sources of theirs"],
            "completeness",
            "purity",
            "net",
            "photo",
        ],
    ),
    "accuracy": (
        lambda: peers.accuracy(peer_scores()["by_magnitude"]),
        ["against photo", "against photo, sources of theirs", "accuracy", "r magnitude (AB)", "galaxies", "photo"],
    ),
    "alignment": (
        lambda: data.alignment(offsets()),
        ["by the astrometry", "refined, stars left out", "offset from r in column, pixels", "u"],
    ),
    "statistics": (
        lambda: data.statistics(*histograms()),
        ["bucket", "train", "test", "star (1)", "galaxy (0)", "r model magnitude, AB mag", "FWHM in r, arcsec"],
    ),
    "cutouts": (
        lambda: data.cutouts(
            *np.zeros((2, 20, 20, 3), np.uint8),
            pd.DataFrame({"x": [105.0, 900.0], "y": [45.0, 45.0], "label": [1, 0]}),
            window=(slice(40, 60), slice(100, 120)),
            field="1-2-3-4",
        ),
        ["unaligned", "aligned", "catalogued sources", "column, pixels", "star (1)"],
    ),
    "patches": (
        lambda: data.patches(*sources_and_patches(), bands="ugriz", field="1-2-3-4"),
        ["galaxy", "r = 15.0", "Field 1-2-3-4: patches of 15 x 15 pixels, 5.9 arcsec; i, r, g"],
    ),
    "augmentations": (
        lambda: training.augmentations(
            *sources_and_patches(),
            SUMMARY,
            bands="ugriz",
            augmentations={"rotation": {"rotations": True}, "mixture": {"generated": 0.5, "components": 1}},
            labels="photo",
        ),
        ["original", "rotation", "mixture", "Variants of a patch, band r; grey: asinh of flux in sky sigma"],
    ),
    "ratios": (
        lambda: realism.ratios(pd.DataFrame({"quantity": "sky sigma", "band": [*"ugriz"], "ratio": 1.1, "bar": 1.15})),
        ["sky sigma", "simulated sky over real sky, medians over fields", "band"],
    ),
    "counts": (
        lambda: realism.counts([described(""), described(None)], [described(None)]),
        ["stars", "galaxies", "simulated sky", "real sky", "sources a field", "PSF flux over model flux, r"],
    ),
    "differences": (
        lambda: comparisons.differences(compared(published=True), varied="rate-dropout"),
        ["difference in validation loss, nats", "difference in validation accuracy, percentage points", "rate-dropout"],
    ),
    "grid": (
        lambda: comparisons.grid(compared(), vary={"rate": [1, 2], "dropout": [3, 4]}),
        ["rate", "dropout", "validation loss, nats", "framed: the lowest validation loss"],
    ),
    "training": (
        lambda: training.training([HISTORY] * 4, experiments=["base", "large"], seeds=[1, 2]),
        ["epoch", "cross-entropy, nats", "accuracy", "training", "validation", "weights kept", "base", "large"],
    ),
    "confusion": (
        lambda: scores.confusion(all_sources(), labels="photo"),
        ["label (SDSS photo)", "predicted", "0 galaxy", "1 star", "base, mean of 2 seeds"],
    ),
    "classes": (
        lambda: classifier.classes(
            pd.DataFrame(
                [
                    {"bucket": "test", "classifier": rule, "seed": seed, "class": name}
                    | {f"called_{other}": 5 + (name == other) for other in ("sky", "star", "galaxy", "both")}
                    for rule, seed in (("most_probable", 1), ("most_probable", 2), ("second", 1), ("majority", None))
                    for name in ("sky", "star", "galaxy", "both")
                ]
            ),
            labels="truth",
        ),
        ["label (truth)", "predicted", "sky", "both", "the most probable, mean of 2 seeds", "second", "28.6%"],
    ),
    "roc": (
        lambda: scores.roc(
            [predictions(1), predictions(2)],
            [predictions(3).assign(concentration=predictions(4)["probability"], magnitude=0.5)],
            experiments=["base"],
            seeds=[1, 2],
            training_sets=["large"],
            labels="photo",
        ),
        [
            *["share of galaxies (0) called stars", "share of stars (1) called stars"],
            *["random or majority, area 0.5", "magnitude (large), area 0.500"],
        ],
    ),
    "reliability": (
        lambda: scores.reliability(
            [predictions(1), predictions(2)], experiments=["base", "large"], seeds=[1], labels="photo"
        ),
        ["probability of a star (1)", "share labelled star (1)", "sources", "base", "large"],
    ),
    "calibration": (
        lambda: classifier.calibration(predictions(1).assign(uncalibrated=0.3, adapted=0.6), labels="photo"),
        ["probability of a star (1)", "uncalibrated", "calibrated", "adapted"],
    ),
    "field_calibration": (
        lambda: classifier.field_calibration(
            predictions(1).assign(uncalibrated=0.3, adapted=0.6, field=["a", "b"] * 100), labels="photo"
        ),
        ["share labelled star (1) by photo", "adapted"],
    ),
    "magnitude": (
        lambda: scores.magnitude(by_magnitude(), labels="photo"),
        ["r model magnitude (AB)", "Matthews coefficient, test fields", "sources", "stars (1)", "concentration"],
    ),
    "completeness": (
        lambda: scores.completeness(by_magnitude(), labels="photo"),
        ["r model magnitude (AB)", "completeness", "purity", "stars (1)", "galaxies (0)", "base"],
    ),
    "learning_curve": (
        lambda: comparisons.learning_curve(
            [[record | {"bucket": bucket} for bucket in ("test", "validation") for record in metrics_of(1)]] * 4,
            pd.DataFrame({"field": ["a", "b"], "stars": [500, 400], "galaxies": [200, 100]}),
            training={"one": ["a"], "two": ["a", "b"]},
            seeds=[1, 2],
            labels="photo",
        ),
        ["training sources (fields)", "Matthews coefficient, test", "700", "1200", "(2)", "seed 1", "seed 2"],
    ),
    "explanation": (
        lambda: classifier.explanation(
            [
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
                )
            ]
            * 2,
            [{f"{word}_{kind}": np.eye(5) for word in ("star", "galaxy") for kind in ("gradient", "occlusion")}] * 2,
        ),
        ["galaxies (0), gradient", "share of the map in the disc", "stars (1), rest covered", "share of the area"],
    ),
}


def test_runs_are_split_by_experiment_then_seed():
    assert by_experiment([1, 2, 3, 4], ["a", "b"], [5, 6]) == {"a": [1, 2], "b": [3, 4]}
    with pytest.raises(ValueError, match="3 items for 2 experiments of 2 seeds"):
        by_experiment([1, 2, 3], ["a", "b"], [5, 6])


def test_confusion_counts_the_test_sources_of_networks():
    axes = scores.confusion(all_sources(), labels="photo").axes
    assert [ax.get_title() for ax in axes] == ["base, mean of 2 seeds"]
    numbers = [float(text.get_text().split()[0]) for text in axes[0].texts]
    assert sum(numbers) == pytest.approx(200, abs=2)


def test_the_example_galaxy_is_the_one_nearest_to_magnitude_18():
    sources, patches = sources_and_patches()
    figure = training.augmentations(sources, patches, SUMMARY, bands="ugriz", augmentations={}, labels="photo")
    galaxies = sources[sources["label"] == 0]
    nearest = (galaxies["model_mag_r"] - 18).abs().idxmin()
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(shown, np.arcsinh(patches[nearest, ..., 2] / 0.02), rtol=1e-5)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_each_time_and_says_what_it_shows(name, tmp_path):
    draw, words = FIGURES[name]
    for path in (tmp_path / "first.svg", tmp_path / "again.svg"):
        with style():
            save(draw(), path, "made sky")
    text = (tmp_path / "first.svg").read_text()
    assert text == (tmp_path / "again.svg").read_text()
    assert "made sky" in text
    assert [word for word in words if f">{word}<" not in text] == []
    assert "<dc:date>" not in text


def test_style_ignores_and_restores_the_users_settings():
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        with style():
            assert (matplotlib.rcParams["font.size"], matplotlib.rcParams["axes.facecolor"]) == (10, "white")
        assert matplotlib.rcParams["font.size"] == 30


@pytest.mark.parametrize("module", ["classifier", "comparisons", "data", "peers", "realism", "scores", "training"])
def test_tensorflow_is_not_loaded(module):
    program = (
        f"import sys, stargal.report.figures.{module}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=STYLE.parents[2])
