"""Train: a network for each experiment and seed.

Needs the lists of the training sets and of the validation fields; makes results/{sky}/models/{experiment}/seed{seed}.
"""

TRAINING_TIME = f"{BENCHMARKS}/train_model/{{experiment}}-seed{{seed}}.tsv"


rule train_model:
    """The network of an experiment, and its history. One thread: two trainings side by side beat one on two."""
    input:
        training=sets_of("{training}"),
        validation=sets_of("validation"),
        code=code_of("train_model"),
    output:
        model=f"{MODEL}/model.keras",
        history=f"{MODEL}/history.csv",
    log:
        f"{LOGS}/train_model/{{experiment}}-seed{{seed}}.log",
    benchmark:
        TRAINING_TIME
    conda:
        "../../envs/environment.yaml"
    threads: 1
    # Memory is tensorflow's, whatever the number of patches; time is about a millisecond a patch and epoch.
    resources:
        mem_mb=grows(1000),
        runtime=lambda wildcards, attempt: attempt * (15 + 3 * len(training_fields(wildcards.experiment))),
    params:
        sky=SKY_NAME,
        training_set=lambda wildcards: EXPERIMENTS[wildcards.experiment].training_set,
        model=lambda wildcards: json.dumps(EXPERIMENTS[wildcards.experiment].model, sort_keys=True),
        augmentation=lambda wildcards: json.dumps(
            EXPERIMENTS[wildcards.experiment].augmentation, sort_keys=True
        ),
        auxiliary=auxiliary_of,
        labels=config["labels"],
        settings=json.dumps(config["training"], sort_keys=True),
    message:
        "Training {wildcards.experiment}, seed {wildcards.seed}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --training-set {params.training_set} --training {input.training:q}"
        " --validation {input.validation:q} --model {params.model:q} --augmentation {params.augmentation:q}"
        " {params.auxiliary} --labels {params.labels} --settings {params.settings:q}"
        " --seed {wildcards.seed}"
        " --output {output.model:q} --history {output.history:q} 2> {log:q}"


rule tabulate_architecture:
    """Layers, output shapes and parameters of a model."""
    input:
        code=code_of("tabulate_architecture"),
    output:
        report(
            f"{TABLES}/architecture_{{model}}.csv",
            category="Training",
            labels={"what": "architecture {model}", "form": "table"},
            caption="../report/architecture.rst",
        ),
    log:
        f"{LOGS}/tabulate_architecture/{{model}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        sky=SKY_NAME,
        model=lambda wildcards: json.dumps(
            {
                key: value
                for key, value in config["models"][wildcards.model].items()
                if key != "learning_rate"
            }
        ),
        size=config["patches"]["size"],
        bands=len(config["bands"]),
    message:
        "Tabulating the architecture {wildcards.model}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --model {params.model:q} --size {params.size} --bands {params.bands}"
        " --table {output:q} 2> {log:q}"


SET_FILES = sorted(
    {
        SET.format(size=experiment.patch_size, set=name)
        for experiment in map(EXPERIMENTS.get, OF_EVERY_RUN)
        for name in (experiment.training_set, "validation", "test")
    }
)
ARCHITECTURE_FILES = expand(
    f"{TABLES}/architecture_{{model}}.csv",
    model=dict.fromkeys(experiment.settings["model"] for experiment in NAMED.values()),
)
