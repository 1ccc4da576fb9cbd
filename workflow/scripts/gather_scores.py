"""Gather what all classifiers say of the sources of some fields.

Reads matched detections, our catalogues, predictions of the networks and, for all peers, what SExtractor and the forest
say; writes results/{sky}/peers/{scope}.parquet, one row per source.
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.evaluation.peers import gather_scores
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.survey.fields import parse_fields


def main(
    buckets: Annotated[str, Option(help="JSON: the fields of each bucket.")],
    matched: Annotated[str, Option(help="Path of the matched detections of {field}.")],
    catalogs: Annotated[str, Option(help="Path of the catalogue of {field}.")],
    experiments: Annotated[str, Option(help="JSON: names of the experiments.")],
    seeds: Annotated[str, Option(help="JSON: their seeds.")],
    gathered: Annotated[Path, Option(help="Output: scores of the sources, .parquet.")],
    predictions: Annotated[list[Path], Option(help="Predictions by experiment, then seed; repeat.")] = [],  # noqa: B006
    extracted: Annotated[str | None, Option(help="Path of SExtractor's classes of {field}.")] = None,
    forest: Annotated[list[Path], Option(help="Probabilities by the forest, if there is one.")] = [],  # noqa: B006
) -> None:
    """Gather the scores."""
    bucket_of = {one.name: bucket for bucket, text in json.loads(buckets).items() for one in parse_fields(text)}

    def read(pattern: str) -> dict:  # type: ignore[type-arg]
        return {name: read_table(Path(pattern.replace("{field}", name))) for name in sorted(bucket_of)}

    table = gather_scores(
        read(matched),
        read(catalogs),
        buckets=bucket_of,
        extracted=read(extracted) if extracted else {},
        forest=read_table(forest[0]) if forest else None,
        predictions=[read_table(path) for path in predictions],
        experiments=json.loads(experiments),
        seeds=json.loads(seeds),
    )
    with whole(gathered) as partial:
        table.to_parquet(partial, index=False)


if __name__ == "__main__":
    cli.run(main)
