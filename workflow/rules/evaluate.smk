"""Evaluate: what the networks and simple baselines say of the validation and test fields, and how good it is.

Needs models, sources and patches; makes predictions and scores beside each model, results/{sky}/baselines, and
results/{sky}/tables. Labels are SDSS photo's own types: all scores are agreement with photo.
"""

PUBLISHED = os.path.relpath(WORKFLOW / "report/published.csv")
BASELINES = f"{RESULTS}/baselines/{{training_set}}"
TIMINGS = f"{RESULTS}/timings/{{comparison}}.csv"
COMPARED = [name for name in config["comparisons"] if name in VARIED]
STUDIED = [name for name in config["studies"] if name in VARIED]
USED_SETS = sorted({experiment.training_set for experiment in NAMED.values()})


rule predict:
    """Probability of a star for every source of the validation and test fields."""
    input:
        model=f"{MODEL}/model.keras",
        sets=sets_of("validation", "test"),
        code=code_of("predict"),
    output:
        f"{MODEL}/predictions.parquet",
    log:
        f"{LOGS}/predict/{{experiment}}-seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/predict/{{experiment}}-seed{{seed}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(15 + len(fields_in("validation", "test")) // 30),
    params:
        buckets="validation test",
        auxiliary=auxiliary_of,
    message:
        "Classifying validation and test fields with {wildcards.experiment}, seed {wildcards.seed}"
    shell:
        "python {input.code[0]:q} {input.model:q} {input.sets:q} --buckets {params.buckets:q}"
        " {params.auxiliary}"
        " --predictions {output:q} 2> {log:q}"


rule evaluate_model:
    """Scores of a network with intervals, as a whole and by magnitude."""
    input:
        predictions=f"{MODEL}/predictions.parquet",
        code=code_of("evaluate_model"),
    output:
        f"{MODEL}/metrics.json",
    log:
        f"{LOGS}/evaluate_model/{{experiment}}-seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_model/{{experiment}}-seed{{seed}}.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        edges=" ".join(map(str, config["evaluation"]["magnitude_edges"])),
        resamples=config["evaluation"]["resamples"],
    message:
        "Scoring {wildcards.experiment}, seed {wildcards.seed}"
    shell:
        "python {input.code[0]:q} {input.predictions:q} --edges {params.edges:q} --resamples {params.resamples}"
        " --metrics {output:q} 2> {log:q}"


rule score_baselines:
    """What chance, the majority, the magnitude alone and photo's own rule score."""
    input:
        sources=lambda wildcards: paths_of(
            SOURCES,
            TRAINING_SETS[wildcards.training_set] + fields_in("validation", "test"),
        ),
        code=code_of("score_baselines"),
    output:
        predictions=f"{BASELINES}/predictions.parquet",
        metrics=f"{BASELINES}/metrics.json",
    log:
        f"{LOGS}/score_baselines/{{training_set}}.log",
    benchmark:
        f"{BENCHMARKS}/score_baselines/{{training_set}}.tsv"
    wildcard_constraints:
        training_set=r"[A-Za-z0-9_]+",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        labels=config["labels"],
        training_fields=lambda wildcards: format_fields(TRAINING_SETS[wildcards.training_set]),
        validation_fields=format_fields(fields_in("validation")),
        test_fields=format_fields(fields_in("test")),
        sources=lambda wildcards: SOURCES,
        seed=config["seeds"][0],
        edges=" ".join(map(str, config["evaluation"]["magnitude_edges"])),
        resamples=config["evaluation"]["resamples"],
    message:
        "Scoring the baselines learned on training set {wildcards.training_set}"
    shell:
        "python {input.code[0]:q} --training-set {wildcards.training_set} --training-fields {params.training_fields:q}"
        " --validation-fields {params.validation_fields:q} --test-fields {params.test_fields:q}"
        " --sources {params.sources:q} --labels {params.labels} --seed {params.seed} --edges {params.edges:q} --resamples {params.resamples}"
        " --predictions {output.predictions:q} --metrics {output.metrics:q} 2> {log:q}"


rule tabulate_scores:
    """The scores of everything, side by side."""
    input:
        metrics=expand(f"{MODEL}/metrics.json", experiment=NAMED, seed=config["seeds"]),
        baselines=expand(f"{BASELINES}/metrics.json", training_set=USED_SETS),
        buckets=FOOTPRINTS,  # no score of a split that shares sky
        code=code_of("tabulate_scores"),
    output:
        scores=report(
            f"{TABLES}/scores.csv",
            category="Scores",
            labels={"what": "scores, all sources", "form": "table"},
            caption="../report/scores.rst",
        ),
        by_magnitude=report(
            f"{TABLES}/scores_by_magnitude.csv",
            category="Scores",
            labels={"what": "scores by magnitude", "form": "table"},
            caption="../report/scores_by_magnitude.rst",
        ),
    log:
        f"{LOGS}/tabulate_scores.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        experiments=" ".join(f"{name}={experiment.training_set}" for name, experiment in NAMED.items()),
        seeds=" ".join(map(str, config["seeds"])),
        metrics=lambda wildcards: f"{MODEL}/metrics.json",
        baselines=lambda wildcards: f"{BASELINES}/metrics.json",
    message:
        "Tabulating the scores"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --experiments {params.experiments:q} --seeds {params.seeds:q}"
        " --metrics {params.metrics:q} --baselines {params.baselines:q}"
        " --scores {output.scores:q} --by-magnitude {output.by_magnitude:q} 2> {log:q}"


rule compare_experiments:
    """Experiments that differ in one thing: scores over the seeds, and differences from their base."""
    input:
        histories=lambda wildcards: expand(
            f"{MODEL}/history.csv", experiment=compared(wildcards.comparison), seed=config["seeds"]
        ),
        models=lambda wildcards: expand(
            f"{MODEL}/model.keras", experiment=compared(wildcards.comparison), seed=config["seeds"][0]
        ),
        predictions=lambda wildcards: expand(
            f"{MODEL}/predictions.parquet", experiment=compared(wildcards.comparison), seed=config["seeds"]
        ),
        published=PUBLISHED,
        buckets=FOOTPRINTS,  # no score of a split that shares sky
        code=code_of("compare_experiments"),
    output:
        report(
            f"{TABLES}/{{comparison}}.csv",
            category="Comparisons",
            labels={"what": "{comparison}", "form": "table"},
            caption="../report/comparison.rst",
        ),
    log:
        f"{LOGS}/compare_experiments/{{comparison}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        experiments=lambda wildcards: json.dumps(compared(wildcards.comparison)),
        seeds=" ".join(map(str, config["seeds"])),
        labels=config["labels"],
        models=lambda wildcards: f"{MODEL}/model.keras",
        histories=lambda wildcards: f"{MODEL}/history.csv",
        predictions=lambda wildcards: f"{MODEL}/predictions.parquet",
    message:
        "Comparing the experiments of {wildcards.comparison}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --comparison {wildcards.comparison} --experiments {params.experiments:q}"
        " --seeds {params.seeds:q} --labels {params.labels} --models {params.models:q} --histories {params.histories:q}"
        " --predictions {params.predictions:q} --published {input.published:q} --table {output:q} 2> {log:q}"


rule tabulate_timings:
    """What the training of compared experiments took. Not below tables/: it is never the same twice."""
    input:
        comparison=f"{TABLES}/{{comparison}}.csv",
        benchmarks=lambda wildcards: expand(
            TRAINING_TIME, experiment=compared(wildcards.comparison), seed=config["seeds"]
        ),
        histories=lambda wildcards: expand(
            f"{MODEL}/history.csv", experiment=compared(wildcards.comparison), seed=config["seeds"]
        ),
        code=code_of("tabulate_timings"),
    output:
        report(
            TIMINGS,
            category="Comparisons",
            labels={"what": "{comparison}: what training took", "form": "table"},
            caption="../report/timings.rst",
        ),
    log:
        f"{LOGS}/tabulate_timings/{{comparison}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        seeds=" ".join(map(str, config["seeds"])),
        benchmarks=lambda wildcards: TRAINING_TIME,
        histories=lambda wildcards: f"{MODEL}/history.csv",
    message:
        "Tabulating what the training of {wildcards.comparison} took"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.comparison:q} --seeds {params.seeds:q}"
        " --benchmarks {params.benchmarks:q} --histories {params.histories:q} --table {output:q} 2> {log:q}"


TABLE_FILES = [
    f"{TABLES}/scores.csv",
    f"{TABLES}/scores_by_magnitude.csv",
    *expand(f"{TABLES}/{{comparison}}.csv", comparison=COMPARED),
]
STUDY_TABLE_FILES = expand([f"{TABLES}/{{comparison}}.csv", TIMINGS], comparison=STUDIED)
MODEL_FILES = [
    *expand(
        f"{MODEL}/{{file}}",
        experiment=OF_EVERY_RUN,
        seed=config["seeds"],
        file=["model.keras", "history.csv", "predictions.parquet"],
    ),
    *expand(f"{MODEL}/metrics.json", experiment=NAMED, seed=config["seeds"]),
    *expand(f"{BASELINES}/{{file}}", training_set=USED_SETS, file=["predictions.parquet", "metrics.json"]),
]
