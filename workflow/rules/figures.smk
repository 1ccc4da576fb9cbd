"""Figures: what was learned and how good it is, on the test fields.

Needs histories, predictions and tables; makes results/{sky}/figures.
"""

COMPARISON_FIGURE = f"{FIGURES}/comparisons/{{comparison}}.svg"
GRID_FIGURE = f"{FIGURES}/grids/{{comparison}}.svg"
GRIDS = [
    name for name, block in settings.all_comparisons(config).items() if len(block.get("vary", [])) in (2, 3)
]
EXAMPLE = fields_in("train")[0].name


rule plot_training:
    """Loss and accuracy against the epoch, experiments side by side."""
    input:
        histories=expand(f"{MODEL}/history.csv", experiment=NAMED, seed=config["seeds"]),
        style=STYLE,
        code=code_of("plot_training"),
    output:
        report(
            f"{FIGURES}/training.svg",
            category="Training",
            labels={"what": "loss and accuracy", "form": "figure"},
            caption="../report/training.rst",
        ),
    log:
        f"{LOGS}/plot_training.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        experiments=" ".join(NAMED),
        seeds=" ".join(map(str, config["seeds"])),
        histories=lambda wildcards: f"{MODEL}/history.csv",
    message:
        "Drawing the training curves"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --experiments {params.experiments:q} --seeds {params.seeds:q}"
        " --histories {params.histories:q} --figure {output:q} 2> {log:q}"


rule plot_confusion:
    """Labels against predictions, experiments side by side."""
    input:
        scores=f"{TABLES}/scores.csv",
        style=STYLE,
        code=code_of("plot_confusion"),
    output:
        report(
            f"{FIGURES}/confusion.svg",
            category="Scores",
            labels={"what": "confusion matrices", "form": "figure"},
            caption="../report/confusion.rst",
        ),
    log:
        f"{LOGS}/plot_confusion.log",
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
        "Drawing the confusion matrices"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.scores:q} --labels {params.labels} --figure {output:q} 2> {log:q}"


rule plot_roc:
    """Stars found against galaxies mistaken for stars, of experiments and baselines."""
    input:
        predictions=expand(
            f"{MODEL}/predictions.parquet",
            experiment=NAMED,
            seed=config["seeds"],
        ),
        baselines=expand(f"{BASELINES}/predictions.parquet", training_set=USED_SETS),
        style=STYLE,
        code=code_of("plot_roc"),
    output:
        report(
            f"{FIGURES}/roc.svg",
            category="Scores",
            labels={"what": "ROC curves", "form": "figure"},
            caption="../report/roc.rst",
        ),
    log:
        f"{LOGS}/plot_roc.log",
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
        experiments=" ".join(NAMED),
        seeds=" ".join(map(str, config["seeds"])),
        predictions=lambda wildcards: f"{MODEL}/predictions.parquet",
        training_sets=" ".join(USED_SETS),
        baselines=lambda wildcards: f"{BASELINES}/predictions.parquet",
    message:
        "Drawing the ROC curves"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --experiments {params.experiments:q} --seeds {params.seeds:q}"
        " --predictions {params.predictions:q} --training-sets {params.training_sets:q}"
        " --baselines {params.baselines:q} --labels {params.labels} --figure {output:q} 2> {log:q}"


rule plot_reliability:
    """Share of stars against the probability given, experiments side by side."""
    input:
        predictions=expand(
            f"{MODEL}/predictions.parquet",
            experiment=NAMED,
            seed=config["seeds"],
        ),
        style=STYLE,
        code=code_of("plot_reliability"),
    output:
        report(
            f"{FIGURES}/reliability.svg",
            category="Scores",
            labels={"what": "reliability of the probabilities", "form": "figure"},
            caption="../report/reliability.rst",
        ),
    log:
        f"{LOGS}/plot_reliability.log",
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
        experiments=" ".join(NAMED),
        seeds=" ".join(map(str, config["seeds"])),
        predictions=lambda wildcards: f"{MODEL}/predictions.parquet",
    message:
        "Drawing the reliability diagrams"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --experiments {params.experiments:q} --seeds {params.seeds:q}"
        " --predictions {params.predictions:q} --labels {params.labels} --figure {output:q} 2> {log:q}"


rule plot_magnitude:
    """Matthews coefficient against r magnitude, of experiments and baselines."""
    input:
        scores=f"{TABLES}/scores_by_magnitude.csv",
        style=STYLE,
        code=code_of("plot_magnitude"),
    output:
        report(
            f"{FIGURES}/magnitude.svg",
            category="Scores",
            labels={"what": "score by magnitude", "form": "figure"},
            caption="../report/magnitude.rst",
        ),
    log:
        f"{LOGS}/plot_magnitude.log",
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
        "Drawing the scores by magnitude"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.scores:q} --labels {params.labels} --figure {output:q} 2> {log:q}"


rule plot_completeness:
    """Completeness and purity of stars and galaxies against r magnitude."""
    input:
        scores=f"{TABLES}/scores_by_magnitude.csv",
        style=STYLE,
        code=code_of("plot_completeness"),
    output:
        report(
            f"{FIGURES}/completeness.svg",
            category="Scores",
            labels={"what": "completeness and purity", "form": "figure"},
            caption="../report/completeness.rst",
        ),
    log:
        f"{LOGS}/plot_completeness.log",
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
        "Drawing completeness and purity"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.scores:q} --labels {params.labels} --figure {output:q} 2> {log:q}"


rule plot_augmentations:
    """A patch under every augmentation."""
    input:
        sources=SOURCES.format(field=EXAMPLE),
        patches=PATCHES.format(field=EXAMPLE, size=config["patches"]["size"]),
        report=ALIGNMENT.format(field=EXAMPLE),
        style=STYLE,
        code=code_of("plot_augmentations"),
    output:
        report(
            f"{FIGURES}/augmentations.png",
            category="Training",
            labels={"what": "a patch under every augmentation", "form": "picture"},
            caption="../report/augmentations.rst",
        ),
    log:
        f"{LOGS}/plot_augmentations.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        bands="".join(config["bands"]),
        augmentations=json.dumps(config["augmentations"]),
        labels=config["labels"],
    message:
        "Drawing the augmentations"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --sources {input.sources:q} --patches {input.patches:q}"
        " --report {input.report:q} --bands {params.bands} --augmentations {params.augmentations:q}"
        " --labels {params.labels} --figure {output:q} 2> {log:q}"


rule plot_comparison:
    """How far the experiments of a comparison are from their base."""
    input:
        comparison=f"{TABLES}/{{comparison}}.csv",
        style=STYLE,
        code=code_of("plot_comparison"),
    output:
        report(
            COMPARISON_FIGURE,
            category="Comparisons",
            labels={"what": "{comparison}", "form": "figure"},
            caption="../report/differences.rst",
        ),
    log:
        f"{LOGS}/plot_comparison/{{comparison}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        varied=lambda wildcards: "-".join(
            settings.all_comparisons(config)[wildcards.comparison].get("vary", ["case"])
        ),
    message:
        "Drawing the comparison {wildcards.comparison}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.comparison:q} --varied {params.varied:q} --figure {output:q} 2> {log:q}"


rule plot_grid:
    """Validation loss of all combinations of two or three settings."""
    input:
        comparison=f"{TABLES}/{{comparison}}.csv",
        style=STYLE,
        code=code_of("plot_grid"),
    output:
        report(
            GRID_FIGURE,
            category="Comparisons",
            labels={"what": "{comparison}: all combinations", "form": "figure"},
            caption="../report/grid.rst",
        ),
    log:
        f"{LOGS}/plot_grid/{{comparison}}.log",
    wildcard_constraints:
        comparison="|".join(GRIDS) or "none",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        vary=lambda wildcards: json.dumps(settings.all_comparisons(config)[wildcards.comparison]["vary"]),
    message:
        "Drawing all combinations of {wildcards.comparison}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.comparison:q} --vary {params.vary:q} --figure {output:q} 2> {log:q}"


FIGURE_FILES = [
    *(
        f"{FIGURES}/{name}.svg"
        for name in ("training", "confusion", "roc", "reliability", "magnitude", "completeness")
    ),
    f"{FIGURES}/augmentations.png",
    *expand(COMPARISON_FIGURE, comparison=COMPARED),
]
STUDY_FILES = [
    *STUDY_TABLE_FILES,
    *expand(COMPARISON_FIGURE, comparison=STUDIED),
    *expand(GRID_FIGURE, comparison=[name for name in STUDIED if name in GRIDS]),
]
