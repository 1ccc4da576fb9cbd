"""Show a patch under every augmentation of the config.

Reads the sources, patches and alignment report of a field; the patch is that of the galaxy nearest to r = 18. Where
patches are generated, some of each class are shown, from mixtures that the patches of this field have taught.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option

from stargal.dataset.patches import read_patches
from stargal.io import cli
from stargal.io.tables import read_json, read_table
from stargal.learning.augment import Augmentation
from stargal.learning.mixture import fit_mixture
from stargal.report.look import save, style
from stargal.report.pictures import draw_variants
from stargal.survey.fields import REFERENCE
from stargal.survey.labels import CLASSES, LABELS, known_labels

SHOWN = 18.0
"""The r magnitude: bright enough to see what is done, too faint to fill the patch."""

SEED = 0

DRAWN = 3
"""How many generated patches of each class."""


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    sources: Annotated[Path, Option(help="Sources of the field.")],
    patches: Annotated[Path, Option(help="Patches of the field.")],
    report: Annotated[Path, Option(help="Alignment report of the field.")],
    bands: Annotated[str, Option(help="Order of the bands, for example ugriz.")],
    augmentations: Annotated[str, Option(help="JSON: the block `augmentations` of the config.")],
    labels: Annotated[str, Option(help="What is learned: photo or truth.")],
    figure: Annotated[Path, Option(help="Where to write the picture.")],
) -> None:
    """Show the augmentations."""
    table = read_table(sources, list({"label", LABELS[labels], f"model_mag_{REFERENCE}"}))
    every = read_patches(patches, len(table))
    distance = (table[f"model_mag_{REFERENCE}"] - SHOWN).abs() + 100 * (table["label"] != 0)
    patch = every[[int(np.nanargmin(distance))]]
    measured = read_json(report)["bands"]
    noise = np.array([band["noise"] for band in measured], float)
    seeing = np.array([[band["fwhm"] for band in measured]], float)
    reference = bands.index(REFERENCE)
    shown = {"original": patch[..., reference]}
    for name, settings in json.loads(augmentations).items():
        augmentation = Augmentation(**settings)
        if augmentation.generated:
            for label, word in CLASSES.items():
                own = every[known_labels(table[LABELS[labels]]) == label]
                mixture = fit_mixture(own, noise, augmentation.components, SEED)
                drawn = mixture.draw(DRAWN, np.random.default_rng(SEED))
                shown[f"{name}_{word}"] = drawn[..., reference]
            continue
        examples = augmentation.examples(patch, np.random.default_rng(SEED), noise, seeing)
        shown[name] = examples[..., reference]
    with style():
        save(draw_variants(shown, REFERENCE, noise[reference]), figure, sky)


if __name__ == "__main__":
    cli.run(main)
