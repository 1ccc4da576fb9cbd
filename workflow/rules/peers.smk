"""Peers: what others say of our detections, matched by position, and all classifiers on the same sources.

Scope `independent` holds our classifier and networks, photo's rule, and the tables that the sky names; scope `peers` holds
SExtractor and a random forest, too.
"""

import shutil

EXTRACTOR = next(filter(shutil.which, ("source-extractor", "sex")), None)
PSFEX = next(filter(shutil.which, ("psfex",)), None)
SCORED_FIELDS = [field for fields in PEER_FIELDS.values() for field in fields]
FOREST_SET = RUN.experiments[BEST].sets["training"]
FOREST_FIELDS = RUN.fields_of_set(*FOREST_SET) if RUN.has_fields(RUN.experiments[BEST]) else []


rule match_field:
    """The detections of a field with the class of the survey's source, of independent tables, and by other classifiers."""
    input:
        detections=fill(SOURCES, positions="detections"),
        sources=lambda wildcards: paths_of(
            fill(SOURCES, positions="catalog"),
            OF.sky(wildcards).listed([Field.parse(wildcards.field)]),
            sky=wildcards.sky,
        ),
        tables=lambda wildcards: [local(one["table"]) for one in OF.tables(wildcards)],
    output:
        matched=MATCHED,
    log:
        log_of("match_field", "{field}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 10),
    params:
        **command(
            "match_field",
            sky=lambda wildcards: wildcards.sky,
            columns=lambda wildcards: [
                {key: value for key, value in one.items() if key != "table"} for one in OF.tables(wildcards)
            ],
        ),
    message:
        "Matching the detections of field {wildcards.field}"
    shell:
        JOB


rule run_extractor:
    """SExtractor's CLASS_STAR and SPREAD_MODEL of the detections of a field; empty where it is not installed."""
    input:
        frame=lambda wildcards: frames_of(wildcards)["frames"][BANDS.index("r")],
        record=lambda wildcards: frames_of(wildcards)["records"][BANDS.index("r")],
        detections=fill(SOURCES, positions="detections"),
    output:
        extracted=EXTRACTED,
    log:
        log_of("run_extractor", "{field}"),
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 10),
    params:
        **command("run_extractor", field=lambda wildcards: wildcards.field, extractor=EXTRACTOR, psfex=PSFEX),
    message:
        (
            "Running SExtractor on field {wildcards.field}"
            if EXTRACTOR
            else "Skipping SExtractor on field {wildcards.field}: source-extractor is not installed"
        )
    shell:
        JOB


rule grow_forest:
    """A random forest on the photometry of the training fields, applied to the fields that are scored."""
    input:
        training=paths_of(SOURCES, FOREST_FIELDS, sky=FOREST_SET[0], positions="detections"),
        matched=paths_of(MATCHED, FOREST_FIELDS, sky=FOREST_SET[0]),
        detections=paths_of(SOURCES, SCORED_FIELDS, sky=MAIN.name, positions="detections"),
    output:
        forest=fill(FOREST, sky=MAIN.name),
    log:
        log_of("grow_forest", sky=MAIN.name),
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 30),
    params:
        **command(
            "grow_forest",
            of_fields=["training", "matched", "detections"],
            fields={
                "training": format_fields(FOREST_FIELDS),
                "scored": format_fields(SCORED_FIELDS),
            },
            labels=config["labels"],
            seed=config["seeds"][0],
        ),
    message:
        "Growing a random forest"
    shell:
        JOB


rule gather_scores:
    """What all classifiers say of the sources of the validation and test fields, one row per source."""
    input:
        matched=paths_of(MATCHED, SCORED_FIELDS, sky=MAIN.name),
        catalogs=paths_of(f"{FIELD_CATALOG}.parquet", SCORED_FIELDS, sky=MAIN.name),
        predictions=RUN.models(PREDICTIONS, NETWORKS),
        extracted=branch(
            lambda wildcards: wildcards.scope == "peers",
            then=paths_of(EXTRACTED, SCORED_FIELDS, sky=MAIN.name),
        ),
        forest=branch(
            lambda wildcards: wildcards.scope == "peers" and bool(FOREST_FIELDS),
            then=fill(FOREST, sky=MAIN.name),
        ),
    output:
        gathered=fill(GATHERED, sky=MAIN.name),
    log:
        log_of("gather_scores", "{scope}", sky=MAIN.name),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 10),
    params:
        **command(
            "gather_scores",
            of_fields=["matched", "catalogs", "extracted"],
            buckets={bucket: format_fields(fields) for bucket, fields in PEER_FIELDS.items()},
            experiments=NETWORKS,
            **SEEDS,
        ),
    message:
        "Gathering the scores of the sources, {wildcards.scope}"
    shell:
        JOB
