"""Realism: how like the real sky the simulated one is.

Needs a mirror of real frames and catalogues in the folder that STARGAL_MIRROR names, and simulates the same fields;
makes results/{sky}/realism. Real fields stay below realism/real, apart from everything simulated. Not part of the
default target: ask for rule realism.
"""

REALISM = f"{RESULTS}/realism"
REALISM_FIELDS = sorted(map(Field.parse, config["realism"]["fields"]))
REAL = f"{REALISM}/real"
REAL_SKY_NAME = "SDSS sky"
REAL_CUBE = f"{REAL}/aligned/{{field}}.fits"
REAL_ALIGNMENT = f"{REAL}/aligned/{{field}}.json"
REAL_SOURCES = f"{REAL}/sources/{{field}}.parquet"
REAL_PATCHES = f"{REAL}/patches/{{size}}/{{field}}.npy"
REAL_SET = f"{REAL}/sets/{{size}}.csv"
TRANSFER_PREDICTIONS = f"{REAL}/predictions/{{experiment}}/seed{{seed}}.parquet"
TRANSFERRED = config["realism"]["transfer_experiment"]
TRANSFER_FIELDS = sorted(map(Field.parse, config["realism"]["transfer_fields"]))


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
        mem_mb=grows(900),
        runtime=grows(10),
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
        f"{REAL}/{{field}}.csv",
    log:
        f"{LOGS}/describe_real/{{field}}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(900),
        runtime=grows(10),
    params:
        sky=REAL_SKY_NAME,
        bands="".join(config["bands"]),
    message:
        "Describing the real field {wildcards.field}"
    shell:
        "python {input.code[0]:q} {input.frames:q} --sky {params.sky:q} --field {wildcards.field} --bands {params.bands}"
        " --description {output:q} 2> {log:q}"


rule compare_realism:
    """Medians of the simulated against the real sky, and whether they are within their bars."""
    input:
        simulated=paths_of(f"{REALISM}/simulated/{{field}}.csv", REALISM_FIELDS),
        real=paths_of(f"{REAL}/{{field}}.csv", REALISM_FIELDS),
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
        real=lambda _: f"{REAL}/{{field}}.csv",
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
        real=paths_of(f"{REAL}/{{field}}.csv", REALISM_FIELDS),
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
        real=lambda _: f"{REAL}/{{field}}.csv",
    message:
        "Drawing the comparison with the real sky"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --table {input.table:q} --simulated {params.simulated:q}"
        " --real {params.real:q} --fields {params.fields:q} --ratios {output.ratios:q} --sources {output.sources:q} 2> {log:q}"


use rule align_field as align_real with:
    input:
        frames=real_frames_of,
    output:
        cube=REAL_CUBE,
        record=f"{REAL_CUBE}.sha256",
        report=REAL_ALIGNMENT,
    log:
        f"{LOGS}/align_real/{{field}}.log",
    benchmark:
        f"{BENCHMARKS}/align_real/{{field}}.tsv"
    message:
        "Aligning the bands of the real field {wildcards.field}"


use rule select_sources as select_real with:
    input:
        star=lambda wildcards: in_mirror(wildcards.field, "catalog", kind="star"),
        gal=lambda wildcards: in_mirror(wildcards.field, "catalog", kind="gal"),
        cube=REAL_CUBE,
    output:
        REAL_SOURCES,
    log:
        f"{LOGS}/select_real/{{field}}.log",
    message:
        "Selecting the sources of the real field {wildcards.field}"


use rule extract_patches as extract_real with:
    input:
        cube=REAL_CUBE,
        sources=REAL_SOURCES,
    output:
        patches=REAL_PATCHES,
        record=f"{REAL_PATCHES}.sha256",
    log:
        f"{LOGS}/extract_real/{{size}}/{{field}}.log",
    message:
        "Cutting patches of {wildcards.size} pixels from the real field {wildcards.field}"


use rule list_set as list_real with:
    input:
        sources=paths_of(REAL_SOURCES, TRANSFER_FIELDS),
        patches=lambda wildcards: paths_of(REAL_PATCHES, TRANSFER_FIELDS, size=wildcards.size),
        reports=paths_of(REAL_ALIGNMENT, TRANSFER_FIELDS),
        code=code_of("list_set"),
    output:
        REAL_SET,
    log:
        f"{LOGS}/list_real/{{size}}.log",
    params:
        sky=REAL_SKY_NAME,
        fields=format_fields(TRANSFER_FIELDS),
        sources=lambda _: REAL_SOURCES,
        patches=lambda wildcards: REAL_PATCHES.replace("{size}", wildcards.size),
        reports=lambda _: REAL_ALIGNMENT,
    message:
        "Listing the files of the real fields"


use rule predict as predict_real with:
    input:
        model=f"{MODEL}/model.keras",
        sets=lambda wildcards: REAL_SET.format(size=EXPERIMENTS[wildcards.experiment].patch_size),
        code=code_of("predict"),
    output:
        TRANSFER_PREDICTIONS,
    log:
        f"{LOGS}/predict_real/{{experiment}}-seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/predict_real/{{experiment}}-seed{{seed}}.tsv"
    params:
        buckets="test",
        auxiliary=auxiliary_of,
    message:
        "Classifying real fields with {wildcards.experiment}, seed {wildcards.seed}, of the simulated sky"


rule score_transfer:
    """Scores on real fields of networks that have seen the simulated sky alone, against photo's types."""
    input:
        predictions=expand(TRANSFER_PREDICTIONS, experiment=TRANSFERRED, seed=config["seeds"]),
        code=code_of("score_transfer"),
    output:
        report(
            f"{REALISM}/transfer.csv",
            category="Realism",
            labels={"what": "from the simulated to the real sky", "form": "table"},
            caption="../report/transfer.rst",
        ),
    log:
        f"{LOGS}/score_transfer.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=REAL_SKY_NAME,
        learned=SKY_NAME,
        experiment=TRANSFERRED,
        seeds=" ".join(map(str, config["seeds"])),
        predictions=lambda _: TRANSFER_PREDICTIONS,
        resamples=config["evaluation"]["resamples"],
    message:
        "Scoring networks of the simulated sky on real fields"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --learned {params.learned:q} --experiment {params.experiment}"
        " --seeds {params.seeds:q} --predictions {params.predictions:q} --resamples {params.resamples}"
        " --table {output:q} 2> {log:q}"


rule realism:
    """How like the real sky the simulated one is: tables and figures."""
    input:
        f"{REALISM}/realism.csv",
        f"{REALISM}/ratios.svg",
        f"{REALISM}/sources.svg",
        f"{REALISM}/transfer.csv",
    localrule: True
