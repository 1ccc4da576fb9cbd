"""Align: the five bands of a field on the pixel grid of r.

Needs the frames of a field; makes aligned/{field}.fits, the cube, and aligned/{field}.json, how well the bands lie on
each other and where the field is. Jobs over many fields read the small file.
"""


rule align_field:
    """The cube of a field with its SHA-256, and the report of its alignment."""
    input:
        unpack(frames_of),
    output:
        cube=CUBE,
        record=f"{CUBE}.sha256",
        report=ALIGNMENT,
    log:
        f"{LOGS}/align_field/{{field}}.log",
    benchmark:
        f"{BENCHMARKS}/align_field/{{field}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(600),
        runtime=grows(10),
    params:
        script=code_of("align_field")[0],
        code=digest_of("align_field"),
        bands="".join(config["bands"]),
        method=config["align"]["method"],
        refine=flag("refine", config["align"]["refine"]),
    message:
        "Aligning the bands of field {wildcards.field}"
    shell:
        "python {params.script:q} {input.frames:q} --field {wildcards.field} --bands {params.bands}"
        " --method {params.method} {params.refine} --cube {output.cube:q} --report {output.report:q} 2> {log:q}"


rule tabulate_alignment:
    """Residuals of the alignment, a row a field and band."""
    input:
        reports=paths_of(ALIGNMENT, fields_in(*settings.BUCKETS)),
        code=code_of("tabulate_alignment"),
    output:
        report(
            f"{TABLES}/alignment.csv",
            category="Data",
            labels={"what": "alignment of the bands", "form": "table"},
            caption="../report/alignment.rst",
        ),
    log:
        f"{LOGS}/tabulate_alignment.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
    params:
        sky=SKY_NAME,
        fields=format_fields(fields_in(*settings.BUCKETS)),
        reports=lambda _: ALIGNMENT,
    message:
        "Tabulating the alignment"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --fields {params.fields:q} --reports {params.reports:q} --table {output:q} 2> {log:q}"
