"""Archive: fetch the five frames of a field, and catalogues, a job each.

Needs archive.url; makes resources/{sky}/frames and resources/{sky}/catalogs, with a .sha256 beside every file.

A download is never deleted or fetched again by a rebuild: a job that finds its file there only confirms it, and hardly
anything starts one. Hence, unlike elsewhere,
- update(), without which Snakemake removes an output before its job;
- no code among the inputs, nor a digest of it among the params: an edit starts nothing;
- the address of the archive among the resources, not the params: another one starts nothing.
"""

ARCHIVED_BANDS = sorted(config["bands"])  # another order in the config starts nothing here


rule download_field:
    """The five frames of a field, verified, each with its SHA-256."""
    output:
        frames=[update(frame) for frame in expand(FRAME, band=ARCHIVED_BANDS, allow_missing=True)],
        records=[
            update(record) for record in expand(f"{FRAME}.sha256", band=ARCHIVED_BANDS, allow_missing=True)
        ],
    log:
        f"{LOGS}/download_field/{{rerun}}-{{run}}-{{camcol}}-{{number}}.log",
    # The script itself asks again, where that can help; another round would only ask for a missing file twice.
    retries: 0
    # On a cluster it runs where snakemake runs: compute nodes seldom reach the internet, and it takes seconds.
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        downloads=1,
        mem_mb=200,
        runtime=60,
        archive=settings.archive_options(config, "frame"),
    params:
        script=code_of("download_field")[0],
        bands="".join(ARCHIVED_BANDS),
    message:
        "Fetching the frames of field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number}"
    shell:
        "python {params.script:q} {output.frames:q} {resources.archive}"
        " --field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number} --bands {params.bands} 2> {log:q}"


rule download_catalog:
    """The stars or galaxies of one camcol, verified, with their SHA-256."""
    output:
        catalog=update(CATALOG),
        record=update(f"{CATALOG}.sha256"),
    log:
        f"{LOGS}/download_catalog/{{rerun}}-{{run}}-{{camcol}}-{{kind}}.log",
    retries: 0
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        downloads=1,
        mem_mb=1000,
        runtime=60,
        archive=settings.archive_options(config, "catalog"),
    params:
        script=code_of("download_catalog")[0],
    message:
        "Fetching the {wildcards.kind} catalogue of {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}"
    shell:
        "python {params.script:q} {output.catalog:q} {resources.archive} --rerun {wildcards.rerun}"
        " --run {wildcards.run} --camcol {wildcards.camcol} --kind {wildcards.kind} 2> {log:q}"
