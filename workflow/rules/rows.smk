"""Rows of the tables and figures: what each is, the library function that makes it, the files and settings it gets.

A value may be a function of wildcards. Inputs are given by name; `after` must be there but is not read. `make` says of
which targets the outputs are part, and for which wildcards: of rule all unless it says otherwise.
"""

FOOTPRINTS = f"{TABLES}/footprints.csv"
COMPARISON = f"{TABLES}/{{comparison}}.csv"
DESCRIPTION = f"{REALISM}/{{field}}.csv"
PREDICTIONS = f"{MODEL}/predictions.parquet"
METRICS = f"{MODEL}/metrics.json"
LABELS = {"labels": config["labels"]}
RESAMPLES = {"resamples": config["evaluation"]["resamples"]}
SEEDS = {"seeds": config["seeds"]}
SCORED = {"experiments": lambda job: list(RUN.scored(job.sky)), **SEEDS}
PATCH_SIZE = config["patches"]["size"]
BEST = config["report"]["best"]
TO_CLASSIFY = sorted(set(map(Field.parse, config["classify"]["fields"])))
REALISM_FIELDS = sorted(map(Field.parse, config["realism"]["fields"]))
REAL = {"realism": {"real": config["realism"]["real"] or []}}
COMPARED, STUDIED = (
    [name for name in config[part] if name in RUN.varied and RUN.home(name) == MAIN.name]
    for part in ("comparisons", "studies")
)
MODELS_USED = list(dict.fromkeys(one.settings["model"] for one in RUN.scored(MAIN.name).values()))
EXAMPLES = [MAIN.fields(bucket)[0] for bucket in BUCKETS if MAIN.fields(bucket)]
ALL_COMPARED = {"all": {"comparison": COMPARED}, "study": {"comparison": STUDIED}}
NETWORKS = RUN.compared_with_peers(MAIN.name)
PEER_FIELDS = OF.of_peers(MAIN, TO_CLASSIFY)


def catalogued(job):
    """Fields of a job's sky with a catalogue in the table: on another sky than that of the run, all in its table."""
    return TO_CLASSIFY if job.sky == MAIN.name else OF.sky(job).fields()


# Tables from elsewhere are shown by every run, without optional programs.
BESIDE = {"peers": {"scope": "peers"}}
if MAIN.tables and PEER_FIELDS:
    BESIDE["all" if MAIN.buckets else "classify"] = {"scope": "independent"}
CLASSES = {"study": {}} if RUN.scored(MAIN.name, "four_classes") else {}

TABLE_ROWS = [
    table(
        "alignment",
        "dataset.tables:alignment_table",
        "Data",
        "alignment of the bands",
        of_fields=True,
        summaries=OF.of_sky(ALIGNMENT),
    ),
    table(
        "footprints",
        "dataset.tables:footprint_table",
        "Data",
        "footprints of the fields",
        digits=9,
        of_fields=True,
        summaries=OF.of_sky(ALIGNMENT),
    ),
    table(
        "sources",
        "dataset.tables:source_tables",
        "Data",
        {
            "counts": "sources by field and bucket",
            "magnitudes": "sources by magnitude",
            "sizes": "sources by size",
        },
        paths={"counts": f"{TABLES}/sources.csv"},
        of_fields=True,
        settings={"size": PATCH_SIZE},
        sources=OF.of_sky(SOURCES, positions="catalog"),
    ),
    table(
        "architecture",
        "learning.architectures:architecture_table",
        "Training",
        "architecture {model}",
        paths={"table": f"{TABLES}/architecture_{{model}}.csv"},
        make={"all": {"model": MODELS_USED}},
        mem_mb=1000,
        settings={"model": lambda job: config["models"][job.model], "size": PATCH_SIZE, "bands": len(BANDS)},
    ),
    table(
        "scores",
        "evaluation.scores:score_tables",
        "Scores",
        {"scores": "scores, all sources", "by_magnitude": "scores by magnitude"},
        paths={"by_magnitude": f"{TABLES}/scores_by_magnitude.csv"},
        captions={"by_magnitude": "scores_by_magnitude"},
        after=FOOTPRINTS,
        sky=OF.label_of_scored(),
        settings={
            "experiments": lambda job: {name: one.training_set for name, one in RUN.scored(job.sky).items()},
            "training_sets": OF.training_sets,
            **SEEDS,
        },
        metrics=OF.of_scored(METRICS),
        baselines=OF.of_baselines("metrics.json"),
    ),
    table(
        "transfer",
        "evaluation.scores:field_scores",
        "Realism",
        "scores on another sky",
        sky=lambda job: RUN.label(*RUN.transferred(job.sky)),
        make={"realism": {}},
        settings={"experiments": lambda job: RUN.transferred(job.sky), **SEEDS, **RESAMPLES},
        predictions=lambda job: RUN.models(PREDICTIONS, RUN.transferred(job.sky)),
    ),
    table(
        "classes",
        "evaluation.classes:class_tables",
        "Classes",
        {"overall": "four classes, all patches", "by_class": "four classes, by class"},
        paths={"overall": f"{TABLES}/classes.csv", "by_class": f"{TABLES}/classes_by_class.csv"},
        after=FOOTPRINTS,
        sky=OF.label_of_scored("four_classes"),
        make=CLASSES,
        settings={**SEEDS, **LABELS},
        metrics=OF.of_scored(METRICS, "four_classes"),
    ),
    table(
        "comparison",
        "evaluation.comparisons:comparison_table",
        "Comparisons",
        "{comparison}",
        paths={"table": COMPARISON},
        after=FOOTPRINTS,
        sky=OF.label_of_compared,
        make=ALL_COMPARED,
        settings={
            "comparison": lambda job: job.comparison,
            "experiments": lambda job: RUN.compared(job.comparison),
            **SEEDS,
            **LABELS,
        },
        histories=OF.of_compared(f"{MODEL}/history.csv"),
        predictions=OF.of_compared(PREDICTIONS),
        networks=OF.of_compared(f"{MODEL}/model.keras", config["seeds"][:1]),
        published=repository("workflow/report/published.csv"),
    ),
    table(  # not below tables/: it is never the same twice
        "timings",
        "evaluation.comparisons:timing_table",
        "Comparisons",
        "{comparison}: cost of training",
        paths={"table": TIMINGS},
        sky=OF.label_of_compared,
        make={"study": {"comparison": STUDIED}},
        settings=SEEDS,
        comparison=COMPARISON,
        benchmarks=OF.of_compared(TRAINING_TIME),
        histories=OF.of_compared(f"{MODEL}/history.csv"),
    ),
    table(
        "calibration",
        "evaluation.calibration:calibration_table",
        "Classifier",
        "calibration of the classifier",
        after=FOOTPRINTS,
        settings=RESAMPLES,
        predictions=f"{CLASSIFIER}/predictions.parquet",
    ),
    table(
        "field_calibration",
        "evaluation.calibration:field_calibration_table",
        "Classifier",
        "calibration of the classifier by field",
        after=FOOTPRINTS,
        predictions=f"{CLASSIFIER}/predictions.parquet",
    ),
    table(
        "catalogs",
        "evaluation.catalogs:catalog_table",
        "Classifier",
        "catalogues of classified fields",
        make={"all": {}, "classify": {}} if TO_CLASSIFY else {},
        settings={
            "fields": lambda job: [field.name for field in catalogued(job)],
            "buckets": lambda job: {
                one.name: OF.sky(job).buckets[one] for one in OF.sky(job).listed(catalogued(job))
            },
            "labels": lambda job: config["labels"] if OF.sky(job).simulated else "photo",
            **RESAMPLES,
        },
        catalogs=lambda job: paths_of(f"{FIELD_CATALOG}.parquet", catalogued(job), sky=job.sky),
        sources=lambda job: paths_of(
            SOURCES, OF.sky(job).listed(catalogued(job)), sky=job.sky, positions="catalog"
        ),
    ),
    table(
        "realism",
        "evaluation.realism:realism_table",
        "Realism",
        "simulated over {real} sky",
        paths={"table": f"{REALISM}/{{real}}/realism.csv"},
        make=REAL,
        simulated=lambda job: paths_of(DESCRIPTION, REALISM_FIELDS, sky=job.sky),
        real=lambda job: paths_of(DESCRIPTION, REALISM_FIELDS, sky=job.real),
    ),
    table(
        "peers",
        "evaluation.peers:peer_tables",
        "Peers",
        {
            "scores": "{scope}: scores beside other classifiers",
            "by_magnitude": "{scope}: scores by magnitude",
            "curves": "{scope}: completeness and purity",
        },
        paths={
            "scores": f"{TABLES}/{{scope}}_scores.csv",
            "by_magnitude": f"{TABLES}/{{scope}}_by_magnitude.csv",
            "curves": f"{TABLES}/{{scope}}_curves.csv",
        },
        captions={"by_magnitude": "peers_magnitude", "curves": "peers_curves"},
        make=BESIDE,
        settings={
            "experiments": NETWORKS,
            "edges": config["evaluation"]["magnitude_edges"],
            **RESAMPLES,
        },
        scores=GATHERED,
    ),
]

FIGURE_ROWS = [
    figure("alignment", "data", "Data", "alignment of the bands", table=f"{TABLES}/alignment.csv"),
    figure(
        "statistics",
        "data",
        "Data",
        "sources by bucket, magnitude and size",
        caption="sources",
        counts=f"{TABLES}/sources.csv",
        magnitudes=f"{TABLES}/magnitudes.csv",
        sizes=f"{TABLES}/sizes.csv",
    ),
    figure(
        "patches",
        "data",
        "Data",
        "{field}: example patches",
        path=f"{FIGURES}/patches/{{size}}/{{field}}.png",
        make={"all": {"size": PATCH_SIZE, "field": [field.name for field in EXAMPLES]}},
        settings={"bands": BANDS, "field": lambda job: job.field},
        sources=fill(SOURCES, positions="catalog"),
        patches=fill(PATCHES, positions="catalog"),
    ),
    figure(
        "training",
        "training",
        "Training",
        "loss and accuracy",
        settings=SCORED,
        sky=OF.label_of_scored(),
        histories=OF.of_scored(f"{MODEL}/history.csv"),
    ),
    figure(
        "augmentations",
        "training",
        "Training",
        "a patch under every augmentation",
        path=f"{FIGURES}/augmentations.png",
        settings={"bands": BANDS, "augmentations": config["augmentations"], **LABELS},
        sources=OF.example_of(SOURCES, positions="catalog"),
        patches=OF.example_of(PATCHES, positions="catalog", size=PATCH_SIZE),
        summary=OF.example_of(ALIGNMENT),
    ),
    figure(
        "confusion",
        "scores",
        "Scores",
        "confusion matrices",
        settings=LABELS,
        sky=OF.label_of_scored(),
        scores=f"{TABLES}/scores.csv",
    ),
    figure(
        "roc",
        "scores",
        "Scores",
        "ROC curves",
        settings={"training_sets": OF.training_sets, **SCORED, **LABELS},
        sky=OF.label_of_scored(),
        predictions=OF.of_scored(PREDICTIONS),
        baselines=OF.of_baselines("predictions.parquet"),
    ),
    figure(
        "reliability",
        "scores",
        "Scores",
        "reliability of the probabilities",
        settings={**SCORED, **LABELS},
        sky=OF.label_of_scored(),
        predictions=OF.of_scored(PREDICTIONS),
    ),
    figure(
        "magnitude",
        "scores",
        "Scores",
        "score by magnitude",
        settings=LABELS,
        sky=OF.label_of_scored(),
        scores=f"{TABLES}/scores_by_magnitude.csv",
    ),
    figure(
        "completeness",
        "scores",
        "Scores",
        "completeness and purity",
        settings=LABELS,
        sky=OF.label_of_scored(),
        scores=f"{TABLES}/scores_by_magnitude.csv",
    ),
    figure(
        "differences",
        "comparisons",
        "Comparisons",
        "{comparison}",
        path=f"{FIGURES}/comparisons/{{comparison}}.svg",
        sky=OF.label_of_compared,
        make=ALL_COMPARED,
        settings={"varied": lambda job: "-".join(RUN.vary(job.comparison)) or "case"},
        comparison=COMPARISON,
    ),
    figure(
        "grid",
        "comparisons",
        "Comparisons",
        "{comparison}: all combinations",
        path=f"{FIGURES}/grids/{{comparison}}.svg",
        sky=OF.label_of_compared,
        make={"study": {"comparison": [name for name in STUDIED if len(RUN.vary(name)) in (2, 3)]}},
        settings={"vary": lambda job: RUN.vary(job.comparison)},
        comparison=COMPARISON,
    ),
    figure(
        "learning_curve",
        "comparisons",
        "Comparisons",
        "learning curve",
        make={"study": {}} if "learning_curve" in STUDIED else {},
        sky=lambda job: RUN.label(*RUN.compared("learning_curve")),
        settings={
            "training": lambda job: RUN.training_fields(RUN.compared("learning_curve")),
            **SEEDS,
            **LABELS,
        },
        metrics=lambda job: RUN.models(METRICS, RUN.compared("learning_curve")),
        sources=f"{TABLES}/sources.csv",
    ),
    figure(
        "calibration",
        "classifier",
        "Classifier",
        "calibration of the classifier",
        settings=LABELS,
        predictions=f"{CLASSIFIER}/predictions.parquet",
    ),
    figure(
        "field_calibration",
        "classifier",
        "Classifier",
        "calibration of the classifier by field",
        settings=LABELS,
        predictions=f"{CLASSIFIER}/predictions.parquet",
    ),
    figure(
        "classes",
        "classifier",
        "Classes",
        "four classes, confusion matrices",
        settings=LABELS,
        sky=OF.label_of_scored("four_classes"),
        make=CLASSES,
        scores=f"{TABLES}/classes_by_class.csv",
    ),
    figure(
        "explanation",
        "classifier",
        "Explanation",
        "{experiment}",
        path=f"{FIGURES}/explanation_{{experiment}}.svg",
        make={"study": {"experiment": BEST}},
        sky=lambda job: RUN.label(job.experiment),
        tables=lambda job: RUN.models(f"{MODEL}/explanation.csv", [job.experiment]),
        maps=lambda job: RUN.models(f"{MODEL}/explanation.npz", [job.experiment]),
    ),
    figure(
        "ratios",
        "realism",
        "Realism",
        "simulated over {real} sky",
        path=f"{REALISM}/{{real}}/ratios.svg",
        caption="realism",
        make=REAL,
        table=f"{REALISM}/{{real}}/realism.csv",
    ),
    figure(
        "counts",
        "realism",
        "Realism",
        "counts and concentration",
        path=f"{REALISM}/{{real}}/counts.svg",
        caption="realism_sources",
        make=REAL,
        simulated=lambda job: paths_of(DESCRIPTION, REALISM_FIELDS, sky=job.sky),
        real=lambda job: paths_of(DESCRIPTION, REALISM_FIELDS, sky=job.real),
    ),
    figure(
        "trade",
        "peers",
        "Peers",
        "{scope}: completeness against purity",
        path=f"{FIGURES}/{{scope}}_completeness.svg",
        caption="peers_curves",
        make=BESIDE,
        scores=f"{TABLES}/{{scope}}_scores.csv",
        curves=f"{TABLES}/{{scope}}_curves.csv",
    ),
    figure(
        "accuracy",
        "peers",
        "Peers",
        "{scope}: accuracy by magnitude",
        path=f"{FIGURES}/{{scope}}_accuracy.svg",
        caption="peers_magnitude",
        make=BESIDE,
        scores=f"{TABLES}/{{scope}}_by_magnitude.csv",
    ),
]

CUTOUTS = paths_of(f"{FIGURES}/cutouts/{{field}}.png", EXAMPLES, sky=MAIN.name)
SHOWN_FILES = [
    *paths_made(TABLE_ROWS, "all", MAIN.name),
    *CUTOUTS,
    *paths_made(FIGURE_ROWS, "all", MAIN.name),
]
STUDY_FILES = [*paths_made(TABLE_ROWS, "study", MAIN.name), *paths_made(FIGURE_ROWS, "study", MAIN.name)]
PEER_FILES = [*paths_made(TABLE_ROWS, "peers", MAIN.name), *paths_made(FIGURE_ROWS, "peers", MAIN.name)]
REALISM_FILES = [
    *paths_made(TABLE_ROWS, "realism", MAIN.name),
    *paths_made(FIGURE_ROWS, "realism", MAIN.name),
]
