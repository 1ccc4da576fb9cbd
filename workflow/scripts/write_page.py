"""Write the page: what was run, its results beside those of the 2023 report, and a viewer of test fields.

Reads tables, figures and their captions, and the sources, predictions and pictures of each field in the viewer; writes
one HTML file that needs no other.
"""

import json
from pathlib import Path
from typing import Annotated

import yaml
from typer import Option

from stargal.io import cli
from stargal.io.files import intact, whole
from stargal.io.tables import read_csv, read_table
from stargal.report.page import PageItem, by_chapter, headline, read_hashes, render_page, software_versions
from stargal.report.viewer import bokeh_scripts, embed, in_tabs, label_table, label_viewer
from stargal.survey.labels import UNCERTAIN


def main(
    sky: Annotated[str, Option(help="Name of the sky, written on the page.")],
    shown: Annotated[str, Option(help="Tables and figures, JSON: a list of name, chapter, title, caption.")],
    shown_files: Annotated[list[Path], Option(help="File of each of these, in order; repeat.")],
    footprints: Annotated[Path, Option(help="Table of the fields.")],
    counts: Annotated[Path, Option(help="Table of their sources.")],
    alignment: Annotated[Path, Option(help="Table of the alignment, with the frames and their SHA-256.")],
    scores: Annotated[Path, Option(help="Table of the scores.")],
    experiments: Annotated[str, Option(help="Experiments of the configuration, JSON.")],
    best: Annotated[str, Option(help="Experiment to compare with the report's best network.")],
    fields: Annotated[str, Option(help="Names of the fields in the viewer, JSON list.")],
    bands: Annotated[str, Option(help="Bands of a patch, in order, for example ugriz.")],
    size: Annotated[int, Option(help="Side of a patch, pixels.")],
    sources: Annotated[list[Path], Option(help="Sources of each field in the viewer; repeat.")],
    pictures: Annotated[list[Path], Option(help="Colour picture of each field in the viewer; repeat.")],
    sheets: Annotated[list[Path], Option(help="Sheet of patches of each field in the viewer; repeat.")],
    predictions: Annotated[Path, Option(help="Predictions of the best experiment.")],
    catalogs: Annotated[list[Path], Option(help="SHA-256 record of each catalogue; repeat.")],
    citation: Annotated[Path, Option(help="CITATION.cff.")],
    corrections: Annotated[Path, Option(help="Corrections to the report, reStructuredText.")],
    template: Annotated[Path, Option(help="Template of the page.")],
    page: Annotated[Path, Option(help="HTML file to write.")],
) -> None:
    """Write the page."""
    predicted = read_table(predictions, ["id", "field", "probability"])
    viewers = {}
    for name, *paths in zip(json.loads(fields), sources, pictures, sheets, strict=True):
        probability = predicted[predicted["field"] == name].set_index("id")["probability"]
        table = label_table(read_table(paths[0]), probability)
        picture, sheet = (intact(path).read_bytes() for path in paths[1:])
        viewers[name] = label_viewer(name, table, picture, sheet, bands=bands, size=size)
    items = [
        PageItem(item["name"], item["chapter"], item["title"], Path(item["caption"]), file)
        for item, file in zip(json.loads(shown), shown_files, strict=True)
    ]
    html = render_page(
        template,
        sky=sky,
        chapters=by_chapter(items),
        fields=read_csv(footprints)
        .merge(read_csv(counts)[["field", "stars", "galaxies"]], on="field")
        .to_dict("records"),
        headline=headline(read_csv(scores)),
        best=best,
        experiments=json.loads(experiments),
        viewed=list(viewers),
        embedded=[embed(in_tabs(viewers), "viewer")],
        uncertain=UNCERTAIN,
        bokeh=bokeh_scripts(),
        hashes=read_hashes(alignment, catalogs),
        versions=software_versions(),
        citation=yaml.safe_load(citation.read_text()),
        corrections=corrections,
    )
    with whole(page) as partial:
        partial.write_text(html)


if __name__ == "__main__":
    cli.run(main)
