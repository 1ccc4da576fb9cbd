"""Write the page of the catalogues: fields on the sky, colours, number counts, and a viewer of the first fields.

Reads the catalogues of all fields one after the other, so that memory does not grow with them; writes one HTML file
that needs no other.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from typer import Option

from stargal.io import cli
from stargal.io.files import intact, whole
from stargal.io.tables import read_json, read_table
from stargal.report import catalogs as content
from stargal.report import charts
from stargal.report.page import PageItem, render_page, software_versions
from stargal.report.viewer import BUTTONS, CLASS_COLOURS, bokeh_scripts, catalog_viewer, embed, in_tabs
from stargal.survey.fields import parse_fields
from stargal.survey.labels import UNCERTAIN


def main(
    sky: Annotated[str, Option(help="Name of the sky, written on the page.")],
    fields: Annotated[str, Option(help="Classified fields, in the format of stargal.survey.fields.format_fields.")],
    catalogs: Annotated[str, Option(help="Catalogue of a field, .parquet: path with {field}.")],
    summaries: Annotated[str, Option(help="Summary of the alignment of a field: path with {field}.")],
    counts: Annotated[Path, Option(help="Table of the catalogues.")],
    caption: Annotated[Path, Option(help="Its caption.")],
    viewed: Annotated[str, Option(help="Names of the fields in the viewer, JSON list.")],
    pictures: Annotated[list[Path], Option(help="Colour picture of each field in the viewer; repeat.")],
    classifier: Annotated[Path, Option(help="classifier.json of the classifier.")],
    citation: Annotated[Path, Option(help="CITATION.cff.")],
    template: Annotated[Path, Option(help="Template of the page.")],
    page: Annotated[Path, Option(help="HTML file to write.")],
) -> None:
    """Write the page of the catalogues."""
    names = [field.name for field in parse_fields(fields)]
    shown = dict(zip(json.loads(viewed), pictures, strict=True))
    sources = content.Sources(len(names))
    viewers, cut = {}, False
    for name in names:
        catalog = read_table(Path(catalogs.replace("{field}", name)), content.USED)
        sources.add(catalog)
        if name in shown:
            cut |= len(catalog) > content.VIEWED_SOURCES
            picture = intact(shown[name]).read_bytes()
            viewers[name] = catalog_viewer(name, content.viewer_table(catalog), picture)
    corners = content.unwrap({name: read_json(Path(summaries.replace("{field}", name)))["footprint"] for name in names})
    points = {name: sources.diagram(name) for name in content.DIAGRAMS}
    numbers = sources.number_counts()
    drawings = {
        "footprints": charts.footprints(corners),
        **{name: charts.diagram(name, drawn) for name, drawn in points.items()},
        "counts": charts.number_counts(numbers),
        "viewer": in_tabs(viewers),
    }
    ra, dec = np.concatenate(list(corners.values())).T
    html = render_page(
        template,
        sky=sky,
        fields=len(names),
        area=len(names) * content.FIELD_AREA,
        sources=sum(sources.total().values()),
        classes={BUTTONS[kind]: count for kind, count in sources.total().items()},
        drawn=sources.drawn(),
        drawn_in={
            name: " and ".join(f"{len(x)} {BUTTONS[kind]}" for kind, (x, _) in reversed(drawn.items()))
            for name, drawn in points.items()
        },
        counts=PageItem("tables/catalogs.csv", "", "catalogues", caption, counts),
        place={
            "ra": [f"{ra.min() % 360:.2f}", f"{ra.max() % 360:.2f}"],
            "dec": [f"{dec.min():.2f}", f"{dec.max():.2f}"],
        },
        complete=content.COMPLETE,
        bin=content.BIN,
        kinds=content.KINDS,
        number_counts=numbers.to_dict("records"),
        uncertain=UNCERTAIN,
        viewed=list(viewers),
        cut=content.VIEWED_SOURCES if cut else 0,
        marks={BUTTONS[kind]: colour for kind, colour in CLASS_COLOURS.items()},
        classifier=read_json(classifier),
        citation=yaml.safe_load(citation.read_text()),
        versions=software_versions(),
        embedded=[embed(model, target) for target, model in drawings.items()],
        bokeh=bokeh_scripts(),
    )
    with whole(page) as partial:
        partial.write_text(html)


if __name__ == "__main__":
    cli.run(main)
