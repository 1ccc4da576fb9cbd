"""Train: a network for each experiment and seed, and its predictions for its validation and test fields."""

TRAINING_TIME = benchmark_of("train_network", "{experiment}-seed{seed}")


rule train_network:
    """The network of an experiment, its history and its predictions. One thread: two side by side beat one on two."""
    input:
        training=set_of("training"),
        validation=set_of("validation"),
        test=set_of("test"),
    output:
        network=f"{MODEL}/model.keras",
        history=f"{MODEL}/history.csv",
        predictions=f"{MODEL}/predictions.parquet",
    log:
        log_of("train_network", "{experiment}-seed{seed}"),
    benchmark:
        TRAINING_TIME
    conda:
        ENV
    threads: 1
    resources:
        **asks(1400, OF.training_minutes),
    params:
        **command(
            "train_network",
            sky=lambda wildcards: RUN.label(wildcards.experiment),
            training_set=of_experiment(lambda experiment: experiment.training_set),
            task=of_experiment(lambda experiment: experiment.task),
            model=of_experiment(lambda experiment: experiment.model),
            augmentation=of_experiment(lambda experiment: experiment.augmentation),
            auxiliary=of_experiment(lambda experiment: experiment.auxiliary),
            labels=config["labels"],
            settings=config["training"],
            seed=lambda wildcards: wildcards.seed,
        ),
    message:
        "Training {wildcards.experiment}, seed {wildcards.seed}"
    shell:
        JOB
