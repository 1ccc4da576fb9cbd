"""Classes: what a patch shows, sky, stars, galaxies or both, told by the network of an experiment with four outputs.

Needs cubes, catalogues and sources; makes results/{sky}/classes, two tables and a figure. Part of `snakemake study`.
"""

CLASSIFIED = EXPERIMENTS[config["classes"]]
CLASS_SETS = {
    name: PLACED_SET.format(size=CLASSIFIED.patch_size, set=name)
    for name in (CLASSIFIED.training_set, "validation", "test")
}


rule place_patches:
    """Where the patches of a field lie, about its sources and on empty sky, and what each shows."""
    input:
        unpack(catalogs_of),
        cube=CUBE,
        sources=SOURCES,
    output:
        PLACED,
    log:
        f"{LOGS}/place_patches/{{size}}/{{field}}.log",
    group:
        "patches"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(600),
        runtime=grows(5),
    params:
        script=code_of("place_patches")[0],
        code=digest_of("place_patches"),
        labels=config["labels"],
    message:
        "Placing patches of {wildcards.size} pixels on sky and sources of field {wildcards.field}"
    shell:
        "python {params.script:q} --cube {input.cube:q} --star {input.star:q} --gal {input.gal:q}"
        " --sources {input.sources:q} --field {wildcards.field} --labels {params.labels} --size {wildcards.size}"
        " --placed {output:q} 2> {log:q}"


use rule extract_patches as extract_placed with:
    input:
        cube=CUBE,
        sources=PLACED,
    output:
        patches=PLACED_PATCHES,
        record=f"{PLACED_PATCHES}.sha256",
    log:
        f"{LOGS}/extract_placed/{{size}}/{{field}}.log",
    message:
        "Cutting the placed patches of {wildcards.size} pixels from field {wildcards.field}"


use rule list_set as list_placed with:
    input:
        sources=lambda wildcards: paths_of(PLACED, fields_of_set(wildcards.set), size=wildcards.size),
        patches=lambda wildcards: paths_of(PLACED_PATCHES, fields_of_set(wildcards.set), size=wildcards.size),
        reports=lambda wildcards: paths_of(ALIGNMENT, fields_of_set(wildcards.set)),
        code=code_of("list_set"),
    output:
        PLACED_SET,
    log:
        f"{LOGS}/list_placed/{{size}}/{{set}}.log",
    params:
        sky=SKY_NAME,
        fields=lambda wildcards: format_fields(fields_of_set(wildcards.set)),
        sources=lambda wildcards: PLACED.replace("{size}", wildcards.size),
        patches=lambda wildcards: PLACED_PATCHES.replace("{size}", wildcards.size),
        reports=lambda _: ALIGNMENT,
    message:
        "Listing the files of set {wildcards.set} with its placed patches"


rule train_classes:
    """The network of four classes, and its history."""
    input:
        training=CLASS_SETS[CLASSIFIED.training_set],
        validation=CLASS_SETS["validation"],
        code=code_of("train_classes"),
    output:
        model=f"{CLASS_MODEL}/model.keras",
        history=f"{CLASS_MODEL}/history.csv",
    log:
        f"{LOGS}/train_classes/seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/train_classes/seed{{seed}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(1100),
        runtime=grows(15 + 6 * len(fields_of_set(CLASSIFIED.training_set))),
    params:
        sky=SKY_NAME,
        training_set=CLASSIFIED.training_set,
        model=json.dumps(CLASSIFIED.model, sort_keys=True),
        augmentation=json.dumps(CLASSIFIED.augmentation, sort_keys=True),
        settings=json.dumps(config["training"], sort_keys=True),
    message:
        "Training the network of four classes, seed {wildcards.seed}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --training-set {params.training_set} --training {input.training:q}"
        " --validation {input.validation:q} --model {params.model:q} --augmentation {params.augmentation:q}"
        " --settings {params.settings:q} --seed {wildcards.seed}"
        " --output {output.model:q} --history {output.history:q} 2> {log:q}"


rule predict_classes:
    """Probabilities of the four classes for every placed patch of the validation and test fields."""
    input:
        model=f"{CLASS_MODEL}/model.keras",
        validation=CLASS_SETS["validation"],
        test=CLASS_SETS["test"],
        code=code_of("predict_classes"),
    output:
        f"{CLASS_MODEL}/predictions.parquet",
    log:
        f"{LOGS}/predict_classes/seed{{seed}}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(15 + len(fields_in("validation", "test")) // 15),
    message:
        "Telling the four classes apart, seed {wildcards.seed}"
    shell:
        "python {input.code[0]:q} {input.model:q} --validation {input.validation:q} --test {input.test:q}"
        " --predictions {output:q} 2> {log:q}"


rule tabulate_classes:
    """Scores of the four classes with intervals, as a whole and by class."""
    input:
        predictions=expand(f"{CLASS_MODEL}/predictions.parquet", seed=config["seeds"]),
        training=CLASS_SETS[CLASSIFIED.training_set],
        buckets=FOOTPRINTS,  # no score of a split that shares sky
        code=code_of("tabulate_classes"),
    output:
        overall=report(
            f"{TABLES}/classes.csv",
            category="Classes",
            labels={"what": "four classes, all patches", "form": "table"},
            caption="../report/classes.rst",
        ),
        by_class=report(
            f"{TABLES}/classes_by_class.csv",
            category="Classes",
            labels={"what": "four classes, by class", "form": "table"},
            caption="../report/classes.rst",
        ),
    log:
        f"{LOGS}/tabulate_classes.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        predictions=lambda _: f"{CLASS_MODEL}/predictions.parquet",
        seeds=" ".join(map(str, config["seeds"])),
        labels=config["labels"],
        resamples=config["evaluation"]["resamples"],
    message:
        "Scoring the four classes"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --training {input.training:q} --predictions {params.predictions:q} --seeds {params.seeds:q}"
        " --labels {params.labels} --resamples {params.resamples}"
        " --overall {output.overall:q} --by-class {output.by_class:q} 2> {log:q}"


rule plot_classes:
    """Labels against calls of the four classes."""
    input:
        scores=f"{TABLES}/classes_by_class.csv",
        style=STYLE,
        code=code_of("plot_classes"),
    output:
        report(
            f"{FIGURES}/classes.svg",
            category="Classes",
            labels={"what": "four classes, confusion matrices", "form": "figure"},
            caption="../report/classes.rst",
        ),
    log:
        f"{LOGS}/plot_classes.log",
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
        "Drawing the confusion matrices of the four classes"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.scores:q} --labels {params.labels} --figure {output:q} 2> {log:q}"


CLASS_FILES = [f"{FIGURES}/classes.svg", f"{TABLES}/classes.csv", f"{TABLES}/classes_by_class.csv"]
