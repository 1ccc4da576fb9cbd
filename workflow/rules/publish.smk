"""Publish: the classifier to reuse, with calibrated probabilities.

Needs the networks of the experiment report.best and their predictions; makes results/{sky}/classifier, a folder to copy,
and what its calibration does.
"""

CLASSIFIER = f"{RESULTS}/classifier"
BEST = config["report"]["best"]


rule publish_model:
    """The networks of the best experiment as one model, calibrated on the validation fields."""
    input:
        models=expand(f"{MODEL}/model.keras", experiment=BEST, seed=config["seeds"]),
        predictions=expand(f"{MODEL}/predictions.parquet", experiment=BEST, seed=config["seeds"]),
        training=SET.format(size=EXPERIMENTS[BEST].patch_size, set=EXPERIMENTS[BEST].training_set),
        code=code_of("publish_model"),
    output:
        model=f"{CLASSIFIER}/model.keras",
        description=f"{CLASSIFIER}/classifier.json",
        predictions=f"{CLASSIFIER}/predictions.parquet",
    log:
        f"{LOGS}/publish_model.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sky=SKY_NAME,
        experiment=BEST,
        seeds=" ".join(map(str, config["seeds"])),
        networks=lambda _: f"{MODEL}/model.keras".replace("{experiment}", BEST),
        predicted=lambda _: f"{MODEL}/predictions.parquet".replace("{experiment}", BEST),
        labels=config["labels"],
        bands="".join(config["bands"]),
    message:
        f"Publishing the classifier of {BEST}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --experiment {params.experiment} --seeds {params.seeds:q}"
        " --networks {params.networks:q} --predicted {params.predicted:q} --training {input.training:q}"
        " --labels {params.labels} --bands {params.bands} --model {output.model:q}"
        " --description {output.description:q} --predictions {output.predictions:q} 2> {log:q}"


rule tabulate_calibration:
    """Scores of the classifier with its calibration and without."""
    input:
        predictions=f"{CLASSIFIER}/predictions.parquet",
        buckets=FOOTPRINTS,  # no score of a split that shares sky
        code=code_of("tabulate_calibration"),
    output:
        report(
            f"{TABLES}/calibration.csv",
            category="Classifier",
            labels={"what": "calibration of the classifier", "form": "table"},
            caption="../report/calibration.rst",
        ),
    log:
        f"{LOGS}/tabulate_calibration.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        resamples=config["evaluation"]["resamples"],
    message:
        "Scoring the calibration of the classifier"
    shell:
        "python {input.code[0]:q} {input.predictions:q} --sky {params.sky:q} --resamples {params.resamples}"
        " --table {output:q} 2> {log:q}"


rule plot_calibration:
    """Share of stars against the probability given, with calibration and without."""
    input:
        predictions=f"{CLASSIFIER}/predictions.parquet",
        style=STYLE,
        code=code_of("plot_calibration"),
    output:
        report(
            f"{FIGURES}/calibration.svg",
            category="Classifier",
            labels={"what": "calibration of the classifier", "form": "figure"},
            caption="../report/calibration.rst",
        ),
    log:
        f"{LOGS}/plot_calibration.log",
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
    message:
        "Drawing the calibration of the classifier"
    shell:
        "python {input.code[0]:q} {input.predictions:q} --sky {params.sky:q} --labels {params.labels}"
        " --figure {output:q} 2> {log:q}"


rule write_card:
    """README.md of the classifier: what it is, how good, and how to use it."""
    input:
        description=f"{CLASSIFIER}/classifier.json",
        calibration=f"{TABLES}/calibration.csv",
        citation=os.path.relpath(WORKFLOW.parent / "CITATION.cff"),
        template=os.path.relpath(WORKFLOW / "report/classifier.md"),
        code=code_of("write_card"),
    output:
        f"{CLASSIFIER}/README.md",
    log:
        f"{LOGS}/write_card.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=200,
        runtime=5,
    message:
        "Writing what the classifier is"
    shell:
        "python {input.code[0]:q} --description {input.description:q} --calibration {input.calibration:q}"
        " --citation {input.citation:q} --template {input.template:q} --card {output:q} 2> {log:q}"


CALIBRATION_FILES = [f"{FIGURES}/calibration.svg", f"{TABLES}/calibration.csv"]
CLASSIFIER_FILES = [
    f"{CLASSIFIER}/{name}" for name in ("model.keras", "classifier.json", "predictions.parquet", "README.md")
]
