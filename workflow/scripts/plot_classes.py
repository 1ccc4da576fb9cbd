"""Draw the confusion matrices of the four classes on the test fields, from the table of scores by class."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from stargal.io import cli
from stargal.io.tables import read_csv
from stargal.report import look, plots

WORDS = {"most_probable": "the most probable", "classes_alike": "classes taken as equally frequent"}
"""What the figure says of the rules by which patches are called."""


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    scores: Annotated[Path, Argument(help="The table of scores by class.")],
    labels: Annotated[str, Option(help="What the labels are: photo or truth.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the confusion matrices."""
    table = read_csv(scores)
    table = table[(table["bucket"] == "test") & table["seed"].notna()]  # the majority has no seed
    label = {"photo": "label (SDSS photo)", "truth": "label (truth)"}[labels]
    with look.style():
        look.save(plots.class_confusion(table.replace({"classifier": WORDS}), label), figure, sky)


if __name__ == "__main__":
    cli.run(main)
