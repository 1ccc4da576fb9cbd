"""Archive: fetch frames and catalogues, each a file a job.

Needs archive.url; makes resources/{sky}/frames and resources/{sky}/catalogs, with a .sha256 beside every file.

A download is never deleted or fetched again by a rebuild. Hence, unlike elsewhere: no `code` among the inputs and no
`params`, so that neither an edited library nor another archive.url starts these jobs; and update(), without which
Snakemake removes an output before its job. A job that finds its file there only confirms it.
"""

try:
    ARCHIVE = config["archive"] | {
        "base": settings.archive_url(config),
        "templates": config["archive"]["releases"][config["archive"]["release"]],
    }
except StargalError as error:
    raise WorkflowError(str(error)) from None


rule download_frame:
    """One band of one field, verified, with its SHA-256."""
    output:
        update(FRAME),
        update(f"{FRAME}.sha256"),
    log:
        f"{LOGS}/download_frame/{{rerun}}-{{run}}-{{camcol}}-{{number}}-{{band}}.log",
    # The script itself asks again, where that can help; another round would only ask for a missing file twice.
    retries: 0
    # On a cluster it runs where snakemake runs: compute nodes seldom reach the internet, and it takes seconds.
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        downloads=1,
        mem_mb=300,
        runtime=60,
    message:
        "Fetching band {wildcards.band} of field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number}"
    shell:
        "python {WORKFLOW:q}/scripts/download_frame.py {output[0]:q} --base {ARCHIVE[base]:q}"
        " --template {ARCHIVE[templates][frame]:q} --band {wildcards.band}"
        " --field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number}"
        " --timeout {ARCHIVE[timeout]} --attempts {ARCHIVE[attempts]} 2> {log:q}"


rule download_catalog:
    """The stars or galaxies of one camcol, verified, with their SHA-256."""
    output:
        update(CATALOG),
        update(f"{CATALOG}.sha256"),
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
    message:
        "Fetching the {wildcards.kind} catalogue of {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}"
    shell:
        "python {WORKFLOW:q}/scripts/download_catalog.py {output[0]:q} --base {ARCHIVE[base]:q}"
        " --template {ARCHIVE[templates][catalog]:q} --rerun {wildcards.rerun} --run {wildcards.run}"
        " --camcol {wildcards.camcol} --kind {wildcards.kind}"
        " --timeout {ARCHIVE[timeout]} --attempts {ARCHIVE[attempts]} 2> {log:q}"
