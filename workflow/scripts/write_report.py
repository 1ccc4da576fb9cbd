"""Write the page: what was run, what came of it beside the report's numbers, and a viewer of the test fields.

Reads tables, figures and their captions, and of each field viewed its sources, predictions and pictures; writes
results/{sky}/report.html, which needs nothing else.
"""

import json
from pathlib import Path
from typing import Annotated

import yaml
from typer import Option

from stargal.io import cli
from stargal.io.files import intact, whole
from stargal.io.tables import read_csv, read_table
from stargal.report.page import Shown, headline, in_chapters, read_hashes, render_page, versions
from stargal.report.viewer import build_viewer, describe_sources, embed_viewers, scripts
from stargal.survey.fields import Field, parse_fields
from stargal.survey.labels import UNCERTAIN


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    shown: Annotated[str, Option(help="Tables and figures as JSON: a list of name, chapter, title, caption, file.")],
    footprints: Annotated[Path, Option(help="Table of the fields.")],
    counts: Annotated[Path, Option(help="Table of their sources.")],
    scores: Annotated[Path, Option(help="Table of the scores.")],
    experiments: Annotated[str, Option(help="The experiments of the config, as JSON.")],
    best: Annotated[str, Option(help="The experiment that stands beside the report's best.")],
    fields: Annotated[str, Option(help="Fields to view, as format_fields writes them.")],
    bands: Annotated[str, Option(help="Bands of a patch, in their order.")],
    size: Annotated[int, Option(help="Side of a patch, pixels.")],
    sources: Annotated[str, Option(help="Path of the sources of {field}.")],
    predictions: Annotated[Path, Option(help="Predictions for the fields viewed.")],
    picture: Annotated[str, Option(help="Path of the colour picture of {field}.")],
    sheet: Annotated[str, Option(help="Path of the sheet of patches of {field}.")],
    alignment: Annotated[Path, Option(help="Table of the alignment, with the frames and their SHA-256.")],
    catalogs: Annotated[str, Option(help="Path of the record of {rerun}, {run}, {camcol} and {kind} of a catalogue.")],
    citation: Annotated[Path, Option(help="The CITATION.cff.")],
    corrections: Annotated[Path, Option(help="What was corrected, reStructuredText.")],
    template: Annotated[Path, Option(help="Of the page.")],
    page: Annotated[Path, Option(help="Where to write the page.")],
) -> None:
    """Write the page."""
    predicted = read_table(predictions, ["id", "field", "probability"])
    viewers = {}
    for name in (field.name for field in parse_fields(fields)):
        probability = predicted[predicted["field"] == name].set_index("id")["probability"]
        known = describe_sources(read_table(Path(sources.format(field=name))), probability)
        pictures = (intact(Path(path.format(field=name))).read_bytes() for path in (picture, sheet))
        viewers[name] = build_viewer(name, known, *pictures, bands=bands, size=size)
    items = [
        Shown(item["name"], item["chapter"], item["title"], Path(item["caption"]), Path(item["file"]))
        for item in json.loads(shown)
    ]
    table = read_csv(footprints)
    camcols = {(f.rerun, f"{f.run:06d}", f.camcol) for f in map(Field.parse, table["field"])}
    records = [
        Path(catalogs.format(rerun=rerun, run=run, camcol=camcol, kind=kind))
        for rerun, run, camcol in sorted(camcols)
        for kind in ("star", "gal")
    ]
    html = render_page(
        template,
        sky=sky,
        chapters=in_chapters(items),
        fields=table.merge(read_csv(counts)[["field", "stars", "galaxies"]], on="field").to_dict("records"),
        headline=headline(read_csv(scores)),
        best=best,
        experiments=json.loads(experiments),
        viewed=list(viewers),
        viewer=embed_viewers(viewers, "viewer"),
        uncertain=UNCERTAIN,
        scripts=scripts(),
        hashes=read_hashes(alignment, records),
        versions=versions(),
        citation=yaml.safe_load(citation.read_text()),
        corrections=corrections,
    )
    with whole(page) as partial:
        partial.write_text(html)


if __name__ == "__main__":
    cli.run(main)
