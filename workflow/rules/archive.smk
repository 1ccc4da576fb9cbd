"""Archive: the five frames of a field and the catalogues of a camcol, downloaded and verified.

A download is never deleted or fetched again by a rebuild: a job that finds its file there only confirms it. So, unlike
elsewhere, outputs are update(), the code is not among the params, and the address of the archive is a resource.
"""

ARCHIVES = one_of(name for name, sky in RUN.skies.items() if not sky.simulated)
ARCHIVED_BANDS = sorted(config["bands"])  # another order in the configuration starts nothing


rule download_field:
    """The five frames of a field, verified, each with its SHA-256."""
    output:
        frames=[update(frame) for frame in expand(FRAME, band=ARCHIVED_BANDS, allow_missing=True)],
        records=[
            update(frame) for frame in expand(f"{FRAME}.sha256", band=ARCHIVED_BANDS, allow_missing=True)
        ],
    log:
        log_of("download_field", OF_FIELD),
    wildcard_constraints:
        sky=ARCHIVES,
    retries: 0  # the script itself tries again where that can help
    localrule: True  # compute nodes seldom reach the internet
    conda:
        ENV
    threads: 1
    resources:
        **asks(200, 60),
        downloads=1,
        archive=archive_of("frame"),
    params:
        **download(
            "download_field",
            field=lambda wildcards: fill(OF_FIELD, **wildcards),
            bands="".join(ARCHIVED_BANDS),
        ),
    message:
        "Fetching the frames of field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number}"
    shell:
        "python {params.script:q} {params.files} {params.settings} {resources.archive} 2> {log:q}"


rule download_catalog:
    """The stars or galaxies of one camcol, verified, with their SHA-256."""
    output:
        catalog=update(CATALOG),
        record=update(f"{CATALOG}.sha256"),
    log:
        log_of("download_catalog", "{rerun}-{run}-{camcol}-{kind}"),
    wildcard_constraints:
        sky=ARCHIVES,
    retries: 0
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 60),
        downloads=1,
        archive=archive_of("catalog"),
    params:
        **download("download_catalog"),
    message:
        "Fetching the {wildcards.kind} catalogue of {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}"
    shell:
        "python {params.script:q} {params.files} --rerun {wildcards.rerun} --run {wildcards.run}"
        " --camcol {wildcards.camcol} --kind {wildcards.kind} {resources.archive} 2> {log:q}"


# As a module of another workflow, all files of this one are below a prefix.
PREFIX = str(rules.download_catalog.output.catalog).removesuffix(CATALOG)

try:
    for one in RUN.skies.values():
        check_origin(Path(PREFIX + fill(RESOURCES, sky=one.name)), one.record)
    if not MAIN.simulated:
        key = f"skies.{MAIN.name}.url" if "url" in config["skies"][MAIN.name] else "archive.url"
        check_base(MAIN.source["url"], key, Path(PREFIX + fill(f"{RESOURCES}/frames", sky=MAIN.name)))
        check_fields(MAIN, config, local_archive(MAIN.source["url"]), PREFIX)
except StargalError as error:
    raise WorkflowError(str(error)) from None
