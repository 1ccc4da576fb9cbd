"""Manifest: the SHA-256 of all that was made, and whether what is cached is still as recorded.

Needs everything; makes results/{sky}/manifest.sha256. Of cubes and patches only the records beside them are read, so that
neither this job nor Snakemake reads gigabytes because a figure is new; `snakemake verify` reads every byte.
"""

ALL_FIELDS = fields_in(*settings.BUCKETS)

# Files of fields: the fields by the path, {field} left open. Of the first only the records are read.
RECORDED = {CUBE: ALL_FIELDS} | {
    PATCHES.replace("{size}", str(size)): fields_with_patches(size)
    for size in sorted({config["patches"]["size"], *(EXPERIMENTS[name].patch_size for name in OF_EVERY_RUN)})
}
OF_FIELDS = {ALIGNMENT: ALL_FIELDS, SOURCES: ALL_FIELDS, DETECTIONS: TO_CLASSIFY}


rule write_manifest:
    """The SHA-256 of cubes, sources, patches, lists of sets, models, predictions, scores, tables, figures and catalogues."""
    input:
        records=[paths_of(f"{path}.sha256", fields) for path, fields in RECORDED.items()],
        of_fields=[paths_of(path, fields) for path, fields in OF_FIELDS.items()],
        files=[
            DATA_FILES,
            PICTURE_FILES,
            SET_FILES,
            MODEL_FILES,
            ARCHITECTURE_FILES,
            TABLE_FILES,
            FIGURE_FILES,
            CALIBRATION_FILES,
            CLASSIFIER_FILES,
            CATALOG_FILES,
            CATALOG_TABLES,
            REPORT_FILES,
        ],
        code=code_of("write_manifest"),
    output:
        MANIFEST,
    log:
        f"{LOGS}/write_manifest.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=200,
        runtime=10,
    params:
        folder=lambda _: RESULTS,
        recorded=lambda _: group_options("recorded", RECORDED),
        of_fields=lambda _: group_options("of-fields", OF_FIELDS),
    message:
        "Listing the SHA-256 of all that was made"
    shell:
        "python {input.code[0]:q} {input.files:q} --folder {params.folder:q} {params.recorded} {params.of_fields}"
        " --manifest {output:q} 2> {log:q}"


rule verify:
    """Every file of this sky that is cached compared with its SHA-256; what is missing, changed or unknown is named."""
    input:
        code=code_of("verify"),
    log:
        f"{LOGS}/verify.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=200,
        runtime=120,
    params:
        folders=lambda _: [RESOURCES, RESULTS],
    message:
        f"Comparing every file of {RESOURCES} and {RESULTS} with its record"
    shell:
        "python {input.code[0]:q} {params.folders:q} 2> {log:q}"
