"""Write the README of the published classifier: what it is, its scores, how to use it, and its limits.

Reads classifier.json, the table of the calibration and, if there are real fields, that of their catalogues; writes
README.md beside the model.
"""

from pathlib import Path
from typing import Annotated

import jinja2
import yaml
from typer import Option

from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_csv, read_json


def main(
    description: Annotated[Path, Option(help="classifier.json.")],
    calibration: Annotated[Path, Option(help="Table of the calibration.")],
    citation: Annotated[Path, Option(help="CITATION.cff.")],
    template: Annotated[Path, Option(help="Template of the README.")],
    card: Annotated[Path, Option(help="README to write.")],
    real: Annotated[Path | None, Option(help="Table of catalogues of real fields, compared with the survey's.")] = None,
) -> None:
    """Write the README of the classifier."""
    page = jinja2.Template(
        template.read_text(), undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    content = {
        "classifier": read_json(description),
        "scores": read_csv(calibration).to_dict("records"),
        "real": read_csv(real).to_dict("records") if real else [],
        "citation": yaml.safe_load(citation.read_text()),
    }
    with whole(card) as partial:
        partial.write_text(page.render(content))


if __name__ == "__main__":
    cli.run(main)
