"""Evaluate: scores of networks and baselines on the validation and test fields, with intervals, beside each model.

Labels are SDSS photo's own types: all scores are agreement with photo. Against the truth of a simulated sky, too.
"""

EVALUATION = {
    "edges": config["evaluation"]["magnitude_edges"],
    "resamples": config["evaluation"]["resamples"],
}


rule score_network:
    """Scores of a network with intervals, as a whole and by magnitude."""
    input:
        predictions=f"{MODEL}/predictions.parquet",
        training=set_of("training"),
    output:
        metrics=f"{MODEL}/metrics.json",
    log:
        log_of("score_network", "{experiment}-seed{seed}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 15),
    params:
        **command("score_network", task=of_experiment(lambda experiment: experiment.task), **EVALUATION),
    message:
        "Scoring {wildcards.experiment}, seed {wildcards.seed}"
    shell:
        JOB


rule score_baselines:
    """Scores of chance, the majority, the magnitude alone and photo's own rule."""
    input:
        sources=lambda wildcards: [
            path
            for fields in OF.scored_fields(wildcards).values()
            for path in paths_of(SOURCES, fields, sky=wildcards.sky, positions="catalog")
        ],
    output:
        predictions=f"{BASELINES}/predictions.parquet",
        metrics=f"{BASELINES}/metrics.json",
    log:
        log_of("score_baselines", "{training_set}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 15),
    params:
        **command(
            "score_baselines",
            of_fields=["sources"],
            training_set=lambda wildcards: wildcards.training_set,
            fields=lambda wildcards: {
                role: format_fields(fields) for role, fields in OF.scored_fields(wildcards).items()
            },
            labels=config["labels"],
            seed=config["seeds"][0],
            **EVALUATION,
        ),
    message:
        "Scoring the baselines trained on set {wildcards.training_set}"
    shell:
        JOB


rule explain_network:
    """How much of a network's decisions lies in the centre of the patches, for test sources by class."""
    input:
        network=f"{MODEL}/model.keras",
        test=set_of("test"),
    output:
        table=shown(f"{MODEL}/explanation.csv", "{experiment}, seed {seed}", "explanation", "Explanation"),
        maps=f"{MODEL}/explanation.npz",
    log:
        log_of("explain_network", "{experiment}-seed{seed}"),
    benchmark:
        benchmark_of("explain_network", "{experiment}-seed{seed}")
    conda:
        ENV
    threads: 1
    resources:
        **asks(1200, 15),
    params:
        **command(
            "explain_network",
            sky=lambda wildcards: RUN.label(wildcards.experiment),
            auxiliary=of_experiment(lambda experiment: experiment.auxiliary),
            labels=config["labels"],
        ),
    message:
        "Explaining {wildcards.experiment}, seed {wildcards.seed}"
    shell:
        JOB
