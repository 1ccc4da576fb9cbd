"""Show where on a patch a network's decisions come from.

Reads a model, the list of the test fields, their sources and patches; writes explanation.csv, a row a class and radius,
and explanation.npz, mean maps of each class.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Argument, Option

from stargal.dataset.sets import read_set
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import write_csv
from stargal.learning import models
from stargal.learning.explain import choose, explain
from stargal.learning.train import open_set
from stargal.survey.labels import LABELS, require_both_classes


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    model: Annotated[Path, Argument(help="The model.")],
    test: Annotated[Path, Option(help="The list of the test fields.")],
    labels: Annotated[str, Option(help="Which labels are right: photo or truth.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
    maps: Annotated[Path, Option(help="Where to write the maps.")],
    auxiliary: Annotated[str, Option(help="What the model takes besides; names with spaces between.")] = "",
) -> None:
    """Explain a model."""
    models.use_one_thread()
    found = open_set(read_set(test), LABELS[labels], auxiliary.split())
    require_both_classes(f"bucket test, labels {labels}", found.labels)
    chosen = choose(found.labels)
    patches, *told = found.inputs(chosen)
    shares, means = explain(models.load(model), patches, found.labels[chosen], *told)
    write_csv(shares, table, sky)
    with whole(maps) as partial, partial.open("wb") as stream:
        np.savez(stream, **{name: mean.astype(np.float32) for name, mean in means.items()})


if __name__ == "__main__":
    cli.run(main)
