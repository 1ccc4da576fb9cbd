"""Catalogue of the simulated sky: its sources as SDSS photo would have measured them.

Needs the simulated frames and the truth of a field; makes resources/{sky}/measured/{field}.parquet and the calibObj
catalogues of the camcols, with a .sha256 beside each. The truth goes into extra columns only: nothing is measured with it.
"""

MEASURED = f"{RESOURCES}/measured/{{field}}.parquet"


rule measure_field:
    """The sources of a field, found and measured on its five frames."""
    input:
        unpack(frames_of),
        truth=TRUTH,
    output:
        MEASURED,
    log:
        f"{LOGS}/measure_field/{{field}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_field/{{field}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(900),
        runtime=grows(10),
    params:
        script=code_of("measure_field")[0],
        code=digest_of("measure_field"),
        bands="".join(config["bands"]),
    message:
        "Measuring the sources of field {wildcards.field}"
    shell:
        "python {params.script:q} {input.frames:q} --field {wildcards.field} --bands {params.bands}"
        " --truth {input.truth:q} --measured {output:q} 2> {log:q}"


rule simulate_catalog:
    """The stars or galaxies of a camcol, each once, in the format of the archive."""
    input:
        measured=lambda wildcards: paths_of(MEASURED, fields_of_camcol(wildcards)),
        code=code_of("simulate_catalog"),
    output:
        catalog=CATALOG,
        record=f"{CATALOG}.sha256",
    log:
        f"{LOGS}/simulate_catalog/{{rerun}}-{{run}}-{{camcol}}-{{kind}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=400,
        runtime=5,
    params:
        fields=lambda wildcards: format_fields(fields_of_camcol(wildcards)),
        measured=lambda _: MEASURED,
    message:
        "Writing the {wildcards.kind} catalogue of {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}"
    shell:
        "python {input.code[0]:q} --fields {params.fields:q} --measured {params.measured:q} --kind {wildcards.kind}"
        " --catalog {output.catalog:q} 2> {log:q}"
