"""Simulate: the frames of a sky that never was, in the archive's own format, instead of a download.

Needs simulate.seed; makes resources/{sky}/frames with a .sha256 beside every frame, as the archive stage does, and
resources/{sky}/truth, what is really there. No job needs another's output, so any field can be asked for alone.
"""

OF_FIELD = {"field": "{rerun}-{run}-{camcol}-{number}"}


rule simulate_field:
    """The five frames of a field, their SHA-256, and the truth about its sources."""
    output:
        frames=expand(FRAME, band=config["bands"], allow_missing=True),
        records=expand(f"{FRAME}.sha256", band=config["bands"], allow_missing=True),
        truth=TRUTH.format(**OF_FIELD),
    log:
        f"{LOGS}/simulate_field/{{field}}.log".format(**OF_FIELD),
    benchmark:
        f"{BENCHMARKS}/simulate_field/{{field}}.tsv".format(**OF_FIELD)
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(500),
        runtime=grows(5),
    params:
        script=code_of("simulate_field")[0],
        code=digest_of("simulate_field"),
        seed=config["simulate"]["seed"],
        bands="".join(config["bands"]),
    message:
        "Simulating field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number}"
    shell:
        "python {params.script:q} {output.frames:q} --bands {params.bands} --seed {params.seed}"
        " --field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number} --truth {output.truth:q}"
        " 2> {log:q}"


include: "catalog.smk"
