"""Publish: the classifier to reuse, with calibrated probabilities, a folder to copy."""


rule publish_classifier:
    """The networks of the best experiment as one model, calibrated on the validation fields."""
    input:
        networks=RUN.models(f"{MODEL}/model.keras", [BEST]),
        predictions_of=RUN.models(f"{MODEL}/predictions.parquet", [BEST]),
        training=RUN.set_path(RUN.experiments[BEST], "training"),
    output:
        model=f"{CLASSIFIER}/model.keras",
        onnx=f"{CLASSIFIER}/model.onnx",
        description=f"{CLASSIFIER}/classifier.json",
        predictions=f"{CLASSIFIER}/predictions.parquet",
    log:
        log_of("publish_classifier"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(1000, 10),
    params:
        **command("publish_classifier", sky=RUN.label(BEST), experiment=BEST, bands=BANDS, **SEEDS, **LABELS),
    message:
        "Publishing the classifier"
    shell:
        JOB


rule write_card:
    """README.md of the classifier: what it is, how good, and how to use it."""
    input:
        description=f"{CLASSIFIER}/classifier.json",
        calibration=f"{TABLES}/calibration.csv",
        real=(
            fill(f"{TABLES}/catalogs.csv", sky=config["realism"]["real"])
            if config["realism"]["real"]
            else []
        ),
        citation=repository("CITATION.cff"),
        template=repository("workflow/report/classifier.md"),
    output:
        card=f"{CLASSIFIER}/README.md",
    log:
        log_of("write_card"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(200, 5),
    params:
        **command("write_card"),
    message:
        "Writing the card of the classifier"
    shell:
        JOB


CLASSIFIER_FILES = [
    fill(f"{CLASSIFIER}/{name}", sky=MAIN.name)
    for name in ("model.keras", "model.onnx", "classifier.json", "predictions.parquet", "README.md")
]


rule release_classifier:
    """The classifier as the repository holds it: without its predictions."""
    input:
        [path for path in CLASSIFIER_FILES if not path.endswith(".parquet")],
    output:
        model=f"{RELEASED}/{BEST}/model.keras",
        onnx=f"{RELEASED}/{BEST}/model.onnx",
        description=f"{RELEASED}/{BEST}/classifier.json",
        card=f"{RELEASED}/{BEST}/README.md",
    log:
        f"logs/release_classifier/{BEST}.log",
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(200, 5),
    message:
        "Releasing the classifier"
    shell:
        "cp {input:q} $(dirname {output.card:q}) 2> {log:q}"
