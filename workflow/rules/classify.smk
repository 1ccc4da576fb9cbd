"""Classify: catalogues of whole fields, found without the survey's catalogue, by this run's classifier or another."""


rule classify_field:
    """The catalogue of a field, with the probability that each source is a star."""
    input:
        cube=CUBE,
        detections=fill(SOURCES, positions="detections"),
        model=f"{USED_CLASSIFIER}/model.onnx",
        description=f"{USED_CLASSIFIER}/classifier.json",
    output:
        fits=f"{FIELD_CATALOG}.fits",
        parquet=f"{FIELD_CATALOG}.parquet",
    log:
        log_of("classify_field", "{field}"),
    benchmark:
        benchmark_of("classify_field", "{field}")
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


CATALOG_FILES = [
    path
    for form in ("fits", "parquet")
    for path in paths_of(f"{FIELD_CATALOG}.{form}", TO_CLASSIFY, sky=MAIN.name)
]
