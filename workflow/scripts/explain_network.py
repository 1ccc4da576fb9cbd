"""Show which parts of a patch the decisions of a network depend on.

Reads a network and the lists of the test fields; writes a table, one row per class and radius, and the mean maps of
each class (.npz).
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.learning.explain import write_explanation
from stargal.learning.network_files import load, takes_psf
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import open_set, read_sets
from stargal.survey.labels import LABELS, require_both_classes


def main(
    sky: Annotated[str, Option(help="Name of the sky, written into the table.")],
    network: Annotated[Path, Option(help="The network.")],
    test: Annotated[list[Path], Option(help="List of test fields; repeatable.")],
    auxiliary: Annotated[str, Option(help="JSON: list of the auxiliary inputs of the network.")],
    labels: Annotated[str, Option(help="Labels to choose sources by: photo or truth.")],
    table: Annotated[Path, Option(help="Output: the table, .csv.")],
    maps: Annotated[Path, Option(help="Output: the maps, .npz.")],
) -> None:
    """Explain a network."""
    use_one_thread()
    model = load(network)
    patches = open_set(read_sets(test), LABELS[labels], json.loads(auxiliary), with_psf=takes_psf(model))
    require_both_classes(f"bucket test, labels {labels}", patches.labels)
    write_csv(write_explanation(model, patches, maps), table, sky)


if __name__ == "__main__":
    cli.run(main)
