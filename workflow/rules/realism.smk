"""Realism: how like the real sky the simulated one is.

Needs a mirror of real frames in the folder that STARGAL_MIRROR names, and simulates the same fields; makes
results/{sky}/realism. Not part of the default target: ask for results/{sky}/realism/realism.csv, or rule realism.
"""

REALISM = f"{RESULTS}/realism"
REALISM_FIELDS = sorted(map(Field.parse, config["realism"]["fields"]))


rule describe_simulated:
    """A simulated field in the numbers that are compared."""
    input:
        unpack(frames_of),
        code=code_of("describe_field"),
    output:
        f"{REALISM}/simulated/{{field}}.csv",
    log:
        f"{LOGS}/describe_simulated/{{field}}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=900,
        runtime=10,
    params:
        sky=SKY_NAME,
        bands="".join(config["bands"]),
    message:
        "Describing the simulated field {wildcards.field}"
    shell:
        "python {input.code[0]:q} {input.frames:q} --sky {params.sky:q} --field {wildcards.field} --bands {params.bands}"
        " --description {output:q} 2> {log:q}"


rule describe_real:
    """A real field in the numbers that are compared, by the same code."""
    input:
        frames=real_frames_of,
        code=code_of("describe_field"),
    output:
        f"{REALISM}/real/{{field}}.csv",
    log:
        f"{LOGS}/describe_real/{{field}}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=900,
        runtime=10,
    params:
        bands="".join(config["bands"]),
    message:
        "Describing the real field {wildcards.field}"
    shell:
        "python {input.code[0]:q} {input.frames:q} --sky 'SDSS sky' --field {wildcards.field} --bands {params.bands}"
        " --description {output:q} 2> {log:q}"


rule compare_realism:
    """Medians of the simulated against the real sky, and whether they are within their bars."""
    input:
        simulated=paths_of(f"{REALISM}/simulated/{{field}}.csv", REALISM_FIELDS),
        real=paths_of(f"{REALISM}/real/{{field}}.csv", REALISM_FIELDS),
        code=code_of("compare_realism"),
    output:
        report(
            f"{REALISM}/realism.csv",
            category="Realism",
            labels={"what": "simulated over real sky", "form": "table"},
            caption="../report/realism.rst",
        ),
    log:
        f"{LOGS}/compare_realism.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
    params:
        sky=SKY_NAME,
        fields=format_fields(REALISM_FIELDS),
        simulated=lambda _: f"{REALISM}/simulated/{{field}}.csv",
        real=lambda _: f"{REALISM}/real/{{field}}.csv",
    message:
        "Comparing the simulated with the real sky"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --simulated {params.simulated:q} --real {params.real:q}"
        " --fields {params.fields:q} --table {output:q} 2> {log:q}"


rule plot_realism:
    """Ratios of the simulated to the real sky; counts and concentration of sources in both."""
    input:
        table=f"{REALISM}/realism.csv",
        simulated=paths_of(f"{REALISM}/simulated/{{field}}.csv", REALISM_FIELDS),
        real=paths_of(f"{REALISM}/real/{{field}}.csv", REALISM_FIELDS),
        style=STYLE,
        code=code_of("plot_realism"),
    output:
        ratios=report(
            f"{REALISM}/ratios.svg",
            category="Realism",
            labels={"what": "simulated over real sky", "form": "figure"},
            caption="../report/realism.rst",
        ),
        sources=report(
            f"{REALISM}/sources.svg",
            category="Realism",
            labels={"what": "counts and concentration", "form": "figure"},
            caption="../report/realism_sources.rst",
        ),
    log:
        f"{LOGS}/plot_realism.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        fields=format_fields(REALISM_FIELDS),
        simulated=lambda _: f"{REALISM}/simulated/{{field}}.csv",
        real=lambda _: f"{REALISM}/real/{{field}}.csv",
    message:
        "Drawing the comparison with the real sky"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --table {input.table:q} --simulated {params.simulated:q}"
        " --real {params.real:q} --fields {params.fields:q} --ratios {output.ratios:q} --sources {output.sources:q} 2> {log:q}"


rule realism:
    """How like the real sky the simulated one is: table and figures."""
    input:
        f"{REALISM}/realism.csv",
        f"{REALISM}/ratios.svg",
        f"{REALISM}/sources.svg",
    localrule: True
