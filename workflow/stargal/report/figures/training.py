"""Figures of training: learning histories, and patches under each augmentation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stargal.learning.augment import Augmentation
from stargal.learning.mixture import fit_mixture
from stargal.report.figures.panels import FULL, GREY, by_experiment
from stargal.survey.fields import REFERENCE
from stargal.survey.labels import CLASSES, LABELS, known_labels

SHOWN = 18.0
"""Preferred r magnitude of the galaxy shown under each augmentation: bright enough to show the effect, and too faint to
fill the patch."""

SEED = 0
"""Seed of the augmentations drawn."""

DRAWN = 3
"""Generated patches shown of each class."""


def training(histories: Sequence[pd.DataFrame], *, experiments: Sequence[str], seeds: Sequence[int]) -> Figure:
    """Loss and accuracy against the epoch, a row of panels per experiment, a line per seed.

    Parameters
    ----------
    histories : sequence of DataFrame
        Histories by experiment, then seed: ``epoch``, ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``.
    experiments, seeds : sequence
    """
    runs_of = by_experiment(histories, experiments, seeds)
    figure = Figure(figsize=(FULL, 2.2 * len(runs_of) + 0.6))
    axes = figure.subplots(len(runs_of), 2, squeeze=False, sharex="row", sharey="col")
    columns = (("loss", "cross-entropy, nats"), ("accuracy", "accuracy"))
    for row, (name, runs) in enumerate(runs_of.items()):
        for column, (quantity, words) in enumerate(columns):
            ax = axes[row, column]
            ax.set(xlabel="epoch", ylabel=words)
            for number, history in enumerate(runs):
                for prefix, word, colour in (("", "training", "C0"), ("val_", "validation", "C1")):
                    label = None if number else word
                    ax.plot(history["epoch"], history[prefix + quantity], color=colour, label=label)
                best = history["epoch"].iloc[int(history["val_loss"].argmin())]
                ax.axvline(best, color=GREY, linestyle=":", label=None if number else "weights kept")
        axes[row, 0].set_title(name)
    axes[0, 0].set_ylim(0, _highest_loss(histories))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _highest_loss(histories: Sequence[pd.DataFrame]) -> float:
    """Upper end of the loss axis: just above the highest loss, at most twice the loss of an even guess."""
    highest = max(history[["loss", "val_loss"]].max().max() for history in histories)
    return float(min(1.05 * highest, 2 * np.log(2)))


def augmentations(
    sources: pd.DataFrame,
    patches: NDArray[np.float32],
    summary: Mapping[str, Any],
    *,
    bands: Sequence[str],
    augmentations: Mapping[str, Mapping[str, Any]],
    labels: str,
) -> Figure:
    """A patch in r under each augmentation, a row each, all on the same grey scale.

    The patch is that of the galaxy nearest to r = 18. Augmentations that generate patches show some of each class,
    drawn from mixtures that are fitted to the field's own patches.

    Parameters
    ----------
    sources : DataFrame
        Row for row with the patches: ``label``, ``model_mag_r`` and the column of `labels`.
    patches : ndarray, float32, shape (n, size, size, bands)
        Nanomaggies per pixel.
    summary : mapping
        Alignment summary of the field; ``bands`` holds ``noise`` (nanomaggies per pixel) and ``fwhm`` (arcsec) of each
        band.
    bands : sequence of str
        Order of the last axis.
    augmentations : mapping
        Section `augmentations` of the configuration: name to settings of an `Augmentation`.
    labels : str
        Labels that networks train on, ``photo`` or ``truth``.
    """
    distance = (sources[f"model_mag_{REFERENCE}"] - SHOWN).abs() + 100 * (sources["label"] != 0)
    patch = patches[[int(np.nanargmin(distance))]]
    noise = np.array([band["noise"] for band in summary["bands"]], float)
    seeing = np.array([[band["fwhm"] for band in summary["bands"]]], float)
    reference = bands.index(REFERENCE)
    variants = {"original": patch[..., reference]}
    for name, settings in augmentations.items():
        augmentation = Augmentation(**settings)
        if augmentation.generated:
            for label, word in CLASSES.items():
                own = patches[known_labels(sources[LABELS[labels]]) == label]
                mixture = fit_mixture(own, noise, augmentation.components, SEED)
                drawn = mixture.draw(DRAWN, np.random.default_rng(SEED))
                variants[f"{name}_{word}"] = drawn[..., reference]
            continue
        examples = augmentation.examples(patch, np.random.default_rng(SEED), noise, seeing)
        variants[name] = examples[..., reference]
    return _draw_variants(variants, noise[reference])


def _draw_variants(variants: Mapping[str, NDArray[np.float32]], sky_sigma: float) -> Figure:
    """Draw variants of a patch, ``(n, size, size)`` each, as asinh of flux over sky sigma; the original comes first."""
    columns = max(map(len, variants.values()))
    side = min((FULL - 1.2) / columns, 1.3)
    figure = Figure(figsize=(FULL, side * len(variants) + 0.6))
    panels = figure.subplots(len(variants), columns, squeeze=False)
    brightest = np.nanmax(next(iter(variants.values())))
    greys: dict[str, Any] = {"cmap": "gray", "vmin": -1, "vmax": np.arcsinh(brightest / sky_sigma)}
    for row, (name, patches) in zip(panels, variants.items(), strict=True):
        for ax, patch in zip(row, patches, strict=False):
            ax.imshow(np.arcsinh(patch / sky_sigma), origin="lower", interpolation="nearest", **greys)
        for ax in row[len(patches) :]:
            ax.set_visible(False)
        for ax in row:
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
        row[0].set_ylabel(name.replace("_", "\n"), rotation="horizontal", ha="right", va="center")
    figure.suptitle(f"Variants of a patch, band {REFERENCE}; grey: asinh of flux in sky sigma", fontsize="medium")
    figure.supxlabel("\u2003")  # an empty line, which keeps the name of the sky off the last patch
    return figure
