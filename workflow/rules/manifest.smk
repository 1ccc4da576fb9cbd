"""Manifest: the SHA-256 of everything a run makes, and whether what is cached is still as recorded.

Of cubes and patches only the records beside them are read, so that neither this job nor Snakemake reads gigabytes
because a figure is new; `snakemake verify` reads every byte.
"""

MODELS = [name for name in RUN.of_every_run if RUN.experiments[name].sky("train") == MAIN.name]
PATCHES_READ = RUN.uses_of_patches(MODELS)
PATCHES_READ.setdefault((MAIN.name, "catalog", PATCH_SIZE), set()).update(EXAMPLES)

# Files of fields: the fields by the path, {field} left open. Of the first only the records are read.
RECORDED = {CUBE: MAIN.fields()} | {
    fill(PATCHES, positions=positions, size=size): sorted(fields)
    for (sky, positions, size), fields in sorted(PATCHES_READ.items())
    if sky == MAIN.name
}
OF_FIELDS = {
    ALIGNMENT: MAIN.fields(),
    PSF: MAIN.fields(),
    fill(SOURCES, positions="catalog"): MAIN.fields(),
    fill(SOURCES, positions="detections"): TO_CLASSIFY,
}
MODEL_FILES = [
    *sorted(
        {
            RUN.set_path(RUN.experiments[name], role)
            for name in MODELS
            for role in ("training", "validation", "test")
        }
    ),
    *(
        path
        for file in ("model.keras", "history.csv", "predictions.parquet")
        for path in RUN.models(f"{MODEL}/{file}", MODELS)
    ),
    *RUN.models(f"{MODEL}/metrics.json", RUN.scored(MAIN.name)),
    *(
        fill(f"{BASELINES}/{file}", sky=MAIN.name, training_set=name)
        for name in sorted({one.training_set for one in RUN.scored(MAIN.name).values()})
        for file in ("predictions.parquet", "metrics.json")
    ),
]
EVERYTHING = list(
    dict.fromkeys(  # a test field may be classified, too: its picture is on both pages
        [*SHOWN_FILES, *MODEL_FILES, *CLASSIFIER_FILES, *CATALOG_FILES, *PAGE_FILES, *CATALOG_PAGE_FILES]
    )
)
if not MAIN.buckets:  # a sky without a table of fields can only be classified
    EVERYTHING = [*CATALOG_FILES, *paths_made(TABLE_ROWS, "classify", MAIN.name), *CATALOG_PAGE_FILES]


rule write_manifest:
    """The SHA-256 of cubes, sources, patches, sets, models, predictions, scores, tables, figures and catalogues."""
    input:
        [paths_of(f"{path}.sha256", fields, sky=MAIN.name) for path, fields in RECORDED.items()],
        [paths_of(path, fields, sky=MAIN.name) for path, fields in OF_FIELDS.items()],
        files=[path for path in EVERYTHING if path.startswith(fill(f"{RESULTS}/", sky=MAIN.name))],
    output:
        manifest=fill(MANIFEST, sky=MAIN.name),
    log:
        log_of("write_manifest", sky=MAIN.name),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(200, 10),
    params:
        **command(
            "write_manifest",
            recorded_files=outputs.field_groups(RECORDED, RESULTS),
            field_files=outputs.field_groups(OF_FIELDS, RESULTS),
        ),
    message:
        "Listing the SHA-256 of everything that was made"
    shell:
        JOB


rule verify:
    """Every cached file of the main sky compared with its SHA-256; what is missing, changed or unknown is named."""
    log:
        log_of("verify", sky=MAIN.name),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(200, 120),
    params:
        **command("verify", folders=[PREFIX + fill(folder, sky=MAIN.name) for folder in (RESOURCES, RESULTS)]),
    message:
        "Comparing every file with its record"
    shell:
        JOB
