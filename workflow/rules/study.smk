"""Study: what goes beyond the report, asked for by `snakemake study`.

Needs networks, their predictions and scores; makes more tables and figures of them, and results/{sky}/study.html, the
page with all of these in it.
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


rule explain_model:
    """How much of a network's decisions lies in the centre of the patches, for test sources by class."""
    input:
        model=f"{MODEL}/model.keras",
        test=sets_of("test"),
        code=code_of("explain_model"),
    output:
        table=report(
            f"{MODEL}/explanation.csv",
            category="Explanation",
            labels={"what": "{experiment}, seed {seed}", "form": "table"},
            caption="../report/explanation.rst",
        ),
        maps=f"{MODEL}/explanation.npz",
    log:
        f"{LOGS}/explain_model/{{experiment}}-seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/explain_model/{{experiment}}-seed{{seed}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(1200),
        runtime=grows(15),
    params:
        sky=SKY_NAME,
        auxiliary=auxiliary_of,
        labels=config["labels"],
    message:
        "Explaining {wildcards.experiment}, seed {wildcards.seed}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.model:q} --test {input.test:q}"
        " {params.auxiliary} --labels {params.labels}"
        " --table {output.table:q} --maps {output.maps:q} 2> {log:q}"


rule plot_explanation:
    """Where on a patch the decisions of an experiment come from, as maps and against the radius."""
    input:
        explanations=lambda wildcards: expand(
            f"{MODEL}/explanation.{{form}}",
            experiment=wildcards.experiment,
            seed=config["seeds"],
            form=["csv", "npz"],
        ),
        style=STYLE,
        code=code_of("plot_explanation"),
    output:
        report(
            f"{FIGURES}/explanation_{{experiment}}.svg",
            category="Explanation",
            labels={"what": "{experiment}", "form": "figure"},
            caption="../report/explanation.rst",
        ),
    log:
        f"{LOGS}/plot_explanation/{{experiment}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        tables=lambda wildcards: f"{MODEL}/explanation.csv".replace("{experiment}", wildcards.experiment),
        maps=lambda wildcards: f"{MODEL}/explanation.npz".replace("{experiment}", wildcards.experiment),
        seeds=" ".join(map(str, config["seeds"])),
    message:
        "Drawing the explanation of {wildcards.experiment}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --tables {params.tables:q} --maps {params.maps:q}"
        " --seeds {params.seeds:q} --figure {output:q} 2> {log:q}"


BEYOND_FILES = [
    *(f"{FIGURES}/{name}.svg" for name in ("learning_curve",) if name in VARIED),
    f"{FIGURES}/explanation_{config['report']['best']}.svg",
    *(CLASS_FILES if config["classes"] else []),
]

# Order of the last chapter of the study's page: each comparison's figure before its tables.
STUDIES_SHOWN = [
    *SHOWN,
    *shown_on_page(
        [*STUDY_FILES, *BEYOND_FILES],
        {
            "Beyond the report": [
                "figures/learning_curve.svg",
                *(
                    pattern
                    for name in STUDIED
                    for pattern in (f"figures/*/{name}.svg", f"tables/{name}.csv", f"timings/{name}.csv")
                ),
            ]
        },
    ),
]


use rule write_report as write_study with:
    input:
        **PAGE_INPUT,
        shown=[item["file"] for item in STUDIES_SHOWN],
        captions=sorted({item["caption"] for item in STUDIES_SHOWN}),
    output:
        f"{RESULTS}/study.html",
    log:
        f"{LOGS}/write_study.log",
    params:
        shown=json.dumps(STUDIES_SHOWN),
    message:
        "Writing the page with all studies"
