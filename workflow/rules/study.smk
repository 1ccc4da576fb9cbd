"""Study: what goes beyond the report, asked for by `snakemake study`.

Needs networks, their predictions and scores; makes more tables and figures of them.
"""


rule plot_learning_curve:
    """Scores against the number of training sources."""
    input:
        metrics=lambda wildcards: expand(
            f"{MODEL}/metrics.json", experiment=compared("learning_curve"), seed=config["seeds"]
        ),
        sources=f"{TABLES}/sources.csv",
        style=STYLE,
        code=code_of("plot_learning_curve"),
    output:
        report(
            f"{FIGURES}/learning_curve.svg",
            category="Comparisons",
            labels={"what": "learning curve", "form": "figure"},
            caption="../report/learning_curve.rst",
        ),
    log:
        f"{LOGS}/plot_learning_curve.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        labels=config["labels"],
        training=lambda wildcards: json.dumps(
            {name: [field.name for field in training_fields(name)] for name in compared("learning_curve")}
        ),
        seeds=" ".join(map(str, config["seeds"])),
        metrics=lambda wildcards: f"{MODEL}/metrics.json",
    message:
        "Drawing the learning curve"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --training {params.training:q} --seeds {params.seeds:q}"
        " --metrics {params.metrics:q} --sources {input.sources:q} --labels {params.labels} --figure {output:q} 2> {log:q}"


BEYOND_FILES = [f"{FIGURES}/{name}.svg" for name in ("learning_curve",) if name in VARIED]
