"""Classify: catalogues of whole fields, found without the survey's catalogue, by this run's classifier or another."""


rule classify_field:
    """The catalogue of a field, with the probability that each source is a star."""
    input:
        cube=CUBE,
        detections=fill(SOURCES, positions="detections"),
        model=f"{USED_CLASSIFIER}/model.onnx",
        description=f"{USED_CLASSIFIER}/classifier.json",
        survey=lambda wildcards: paths_of(
            fill(SOURCES, positions="catalog"),
            OF.sky(wildcards).listed([Field.parse(wildcards.field)]),
            sky=wildcards.sky,
        ),
    output:
        fits=f"{FIELD_CATALOG}.fits",
        parquet=f"{FIELD_CATALOG}.parquet",
    log:
        log_of("classify_field", "{field}"),
    benchmark:
        benchmark_of("classify_field", "{field}")
    wildcard_constraints:
        sky=one_of(IN_STEPS),
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 10),
    params:
        **command(
            "classify_field",
            sky=OF.label,
            field=lambda wildcards: wildcards.field,
            prior=config["classify"]["prior"],
        ),
    message:
        "Classifying the sources of field {wildcards.field}"
    shell:
        JOB


rule catalog_field:
    """The catalogue of a field of a sky that is only classified, its cube and its detections, from one reading of its frames."""
    input:
        unpack(frames_of),
        model=f"{USED_CLASSIFIER}/model.onnx",
        description=f"{USED_CLASSIFIER}/classifier.json",
    output:
        cube=CUBE,
        record=f"{CUBE}.sha256",
        summary=ALIGNMENT,
        psf=PSF,
        detections=fill(SOURCES, positions="detections"),
        fits=f"{FIELD_CATALOG}.fits",
        parquet=f"{FIELD_CATALOG}.parquet",
    log:
        log_of("catalog_field", "{field}"),
    benchmark:
        benchmark_of("catalog_field", "{field}")
    wildcard_constraints:
        sky=one_of(IN_ONE_JOB),
    conda:
        ENV
    threads: 1
    resources:
        **asks(1600, 10),  # a crowded field of 15,000 sources; most take half
    params:
        **command(
            "catalog_field",
            sky=OF.label,
            field=lambda wildcards: wildcards.field,
            bands=BANDS,
            release=OF.release,
            address=OF.address,
            prior=config["classify"]["prior"],
            **config["align"],
        ),
    message:
        "Cataloguing field {wildcards.field}"
    shell:
        JOB


rule catalog_sky:
    """The catalogue of a sky: the sources of all classified fields, each once, in HATS format."""
    input:
        catalogs=lambda wildcards: paths_of(f"{FIELD_CATALOG}.parquet", TO_CLASSIFY, sky=wildcards.sky),
    output:
        properties=f"{SKY_CATALOG}/hats.properties",
        record=f"{SKY_CATALOG}.sha256",
    log:
        log_of("catalog_sky"),
    benchmark:
        benchmark_of("catalog_sky", "all")
    conda:
        ENV
    threads: 1
    resources:
        # 1,000 fields took 1,000 MB: 0.35 MB a field, and the rows of a file.
        **asks(400 + min(len(TO_CLASSIFY), 800) + len(TO_CLASSIFY) // 2, 10 + len(TO_CLASSIFY) // 100),
    params:
        **command(
            "catalog_sky",
            of_fields=("catalogs",),
            name=lambda wildcards: wildcards.sky,
            sky=OF.label,
            fields=format_fields(TO_CLASSIFY),
        ),
    message:
        "Merging the catalogues of the fields"
    shell:
        JOB


CATALOG_FILES = [
    path
    for form in ("fits", "parquet")
    for path in paths_of(f"{FIELD_CATALOG}.{form}", TO_CLASSIFY, sky=MAIN.name)
]
if TO_CLASSIFY:
    CATALOG_FILES += [
        fill(path, sky=MAIN.name) for path in (f"{SKY_CATALOG}/hats.properties", f"{SKY_CATALOG}.sha256")
    ]
