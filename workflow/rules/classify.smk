"""Classify: catalogues of whole fields, found without the survey's catalogue, by this run's classifier or another."""


def used_classifier(given):
    """Folder of the classifier: this run's, one that the user names, or one of the checkout."""
    if given is None:
        return CLASSIFIER
    folder = Path(given)
    if not folder.is_dir():
        folder = Path(os.path.relpath(WORKFLOW.parent / given))
    for name in ("model.keras", "classifier.json"):
        if not (folder / name).is_file():
            raise WorkflowError(
                f"classify.classifier: no {name} in {given}: name the folder of a published classifier, or null for "
                "the one of this run"
            )
    return str(folder)


USED_CLASSIFIER = used_classifier(config["classify"]["classifier"])


rule classify_field:
    """The catalogue of a field, with the probability that each source is a star."""
    input:
        cube=CUBE,
        detections=fill(SOURCES, positions="detections"),
        model=f"{USED_CLASSIFIER}/model.keras",
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
