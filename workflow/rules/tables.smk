"""Tables: a rule each, tabulate_{name}, from the rows of TABLES.

A row names the library function that makes the table, the files that it reads and its settings, constants or functions
of wildcards. Files that only must be there are given as `after`; `make` says of which targets its outputs are part, and
for which wildcards: rule all unless it says otherwise.
"""

FOOTPRINTS = f"{TABLES}/footprints.csv"
PUBLISHED = repository("workflow/report/published.csv")


def of_sky(pattern, **wildcards):
    """The files of a kind of all fields of a job's sky."""
    return lambda job: paths_of(fill(pattern, sky=job.sky, **wildcards), sky_of(job).fields())


def of_scored(pattern, task="star_galaxy"):
    """The files of a kind of the listed experiments of a job's sky, by experiment, then seed."""
    return lambda job: of_models(pattern, RUN.scored(job.sky, task))


def of_compared(pattern, seeds=None):
    """The files of a kind of the experiments of a comparison, by experiment, then seed."""
    return lambda job: [
        fill(pattern, sky=RUN.home(job.comparison), experiment=name, seed=seed)
        for name in RUN.compared(job.comparison)
        for seed in seeds or config["seeds"]
    ]


def training_sets_of(job):
    """Training sets of the listed experiments of a job's sky."""
    return sorted({experiment.training_set for experiment in RUN.scored(job.sky).values()})


def baselines_of(file):
    """A file of the baselines of each training set of a job's sky."""
    return lambda job: [fill(f"{BASELINES}/{file}", sky=job.sky, training_set=name) for name in training_sets_of(job)]


def label_of_scored(task="star_galaxy"):
    """Name of the skies of the listed experiments of a job's sky."""
    return lambda job: RUN.label(*RUN.scored(job.sky, task))


LABELS = {"labels": config["labels"]}
RESAMPLES = {"resamples": config["evaluation"]["resamples"]}
SEEDS = {"seeds": config["seeds"]}

COMPARED = [name for name in config["comparisons"] if name in RUN.varied and RUN.home(name) == MAIN.name]
STUDIED = [name for name in config["studies"] if name in RUN.varied and RUN.home(name) == MAIN.name]
MODELS_USED = list(dict.fromkeys(one.settings["model"] for one in RUN.scored(MAIN.name).values()))
REAL = config["realism"]["real"] or []

TABLES_MADE = {
    "alignment": {
        "call": "stargal.dataset.statistics:alignment_table",
        "input": {"summaries": of_sky(ALIGNMENT)},
        "of_fields": True,
        "output": {"table": shown(f"{TABLES}/alignment.csv", "alignment of the bands", "alignment", "Data")},
    },
    "footprints": {
        "call": "stargal.dataset.buckets:footprint_table",
        "input": {"summaries": of_sky(ALIGNMENT)},
        "of_fields": True,
        "output": {"table": shown(FOOTPRINTS, "footprints of the fields", "footprints", "Data")},
        "digits": 9,
    },
    "sources": {
        "call": "stargal.dataset.statistics:source_tables",
        "input": {"sources": of_sky(SOURCES, positions="catalog")},
        "of_fields": True,
        "output": {
            "counts": shown(f"{TABLES}/sources.csv", "sources by field and bucket", "sources", "Data"),
            "magnitudes": shown(f"{TABLES}/magnitudes.csv", "sources by magnitude", "sources", "Data"),
            "sizes": shown(f"{TABLES}/sizes.csv", "sources by size", "sources", "Data"),
        },
        "settings": {"size": config["patches"]["size"]},
    },
    "architecture": {
        "call": "stargal.learning.architectures:architecture_table",
        "output": {
            "table": shown(
                f"{TABLES}/architecture_{{model}}.csv", "architecture {model}", "architecture", "Training"
            )
        },
        "settings": {
            "model": lambda job: config["models"][job.model],
            "size": config["patches"]["size"],
            "bands": len(BANDS),
        },
        "mem_mb": 1000,
        "make": {"all": {"model": MODELS_USED}},
    },
    "scores": {
        "call": "stargal.evaluation.scores:score_tables",
        "input": {"metrics": of_scored(f"{MODEL}/metrics.json"), "baselines": baselines_of("metrics.json")},
        "after": FOOTPRINTS,  # no score of a split that shares sky
        "output": {
            "scores": shown(f"{TABLES}/scores.csv", "scores, all sources", "scores", "Scores"),
            "by_magnitude": shown(
                f"{TABLES}/scores_by_magnitude.csv", "scores by magnitude", "scores_by_magnitude", "Scores"
            ),
        },
        "sky": label_of_scored(),
        "settings": {
            "experiments": lambda job: {name: one.training_set for name, one in RUN.scored(job.sky).items()},
            "training_sets": training_sets_of,
            **SEEDS,
        },
    },
    "transfer": {
        "call": "stargal.evaluation.scores:field_scores",
        "input": {
            "predictions": lambda job: of_models(f"{MODEL}/predictions.parquet", transferred(job.sky)),
        },
        "output": {"table": shown(f"{TABLES}/transfer.csv", "scores on another sky", "transfer", "Realism")},
        "sky": lambda job: RUN.label(*transferred(job.sky)),
        "settings": {"experiments": lambda job: transferred(job.sky), **SEEDS, **RESAMPLES},
        "make": {"realism": {}},
    },
    "classes": {
        "call": "stargal.evaluation.classes:class_tables",
        "input": {"metrics": of_scored(f"{MODEL}/metrics.json", "four_classes")},
        "after": FOOTPRINTS,
        "output": {
            "overall": shown(f"{TABLES}/classes.csv", "four classes, all patches", "classes", "Classes"),
            "by_class": shown(f"{TABLES}/classes_by_class.csv", "four classes, by class", "classes", "Classes"),
        },
        "sky": label_of_scored("four_classes"),
        "settings": {
            "experiments": lambda job: list(RUN.scored(job.sky, "four_classes")),
            **SEEDS,
            **LABELS,
        },
        "make": {"study": {}} if RUN.scored(MAIN.name, "four_classes") else {},
    },
    "comparison": {
        "call": "stargal.evaluation.comparisons:comparison_table",
        "input": {
            "histories": of_compared(f"{MODEL}/history.csv"),
            "predictions": of_compared(f"{MODEL}/predictions.parquet"),
            "networks": of_compared(f"{MODEL}/model.keras", config["seeds"][:1]),
            "published": PUBLISHED,
        },
        "after": FOOTPRINTS,
        "output": {"table": shown(f"{TABLES}/{{comparison}}.csv", "{comparison}", "comparison", "Comparisons")},
        "sky": lambda job: RUN.label(*RUN.compared(job.comparison)),
        "settings": {
            "comparison": lambda job: job.comparison,
            "experiments": lambda job: RUN.compared(job.comparison),
            **SEEDS,
            **LABELS,
        },
        "make": {"all": {"comparison": COMPARED}, "study": {"comparison": STUDIED}},
    },
    "timings": {  # not below tables/: it is never the same twice
        "call": "stargal.evaluation.comparisons:timing_table",
        "input": {
            "comparison": f"{TABLES}/{{comparison}}.csv",
            "benchmarks": of_compared(TRAINING_TIME),
            "histories": of_compared(f"{MODEL}/history.csv"),
        },
        "output": {"table": shown(TIMINGS, "{comparison}: cost of training", "timings", "Comparisons")},
        "sky": lambda job: RUN.label(*RUN.compared(job.comparison)),
        "settings": SEEDS,
        "make": {"study": {"comparison": STUDIED}},
    },
    "calibration": {
        "call": "stargal.evaluation.calibration:calibration_table",
        "input": {"predictions": f"{CLASSIFIER}/predictions.parquet"},
        "after": FOOTPRINTS,
        "output": {
            "table": shown(
                f"{TABLES}/calibration.csv", "calibration of the classifier", "calibration", "Classifier"
            )
        },
        "settings": RESAMPLES,
    },
    "catalogs": {
        "call": "stargal.evaluation.catalogs:catalog_table",
        "input": {
            "catalogs": lambda job: paths_of(f"{FIELD_CATALOG}.parquet", TO_CLASSIFY, sky=job.sky),
            "sources": lambda job: paths_of(
                SOURCES, classified_in_bucket(job), sky=job.sky, positions="catalog"
            ),
        },
        "output": {
            "table": shown(f"{TABLES}/catalogs.csv", "catalogues of classified fields", "catalogs", "Classifier")
        },
        "settings": {
            "fields": [field.name for field in TO_CLASSIFY],
            "buckets": lambda job: {one.name: sky_of(job).buckets[one] for one in classified_in_bucket(job)},
            **LABELS,
            **RESAMPLES,
        },
        "make": {"all": {}, "classify": {}} if TO_CLASSIFY else {},
    },
    "realism": {
        "call": "stargal.evaluation.realism:realism_table",
        "input": {"simulated": lambda job: described(job.sky), "real": lambda job: described(job.real)},
        "output": {
            "table": shown(f"{REALISM}/{{real}}/realism.csv", "simulated over {real} sky", "realism", "Realism")
        },
        "make": {"realism": {"real": REAL}},
    },
}


def transferred(sky):
    """The listed experiments that train on a sky and are tested on another."""
    return [name for name, experiment in RUN.scored(sky).items() if experiment.sky("test") != sky]


def classified_in_bucket(job):
    """The fields to classify that are in a bucket of a job's sky."""
    return [field for field in TO_CLASSIFY if field in sky_of(job).buckets]


def described(sky):
    """The descriptions of the fields by which a simulated and a real sky are compared."""
    return paths_of(f"{REALISM}/{{field}}.csv", REALISM_FIELDS, sky=sky)


def family_settings(row):
    """Settings of a row of a family of rules as a function of wildcards."""

    def asked(job):
        return {name: value(job) if callable(value) else value for name, value in row.get("settings", {}).items()}

    return asked


def wildcards_in(outputs):
    """The wildcards of some outputs but {sky}, as part of the path of a log."""
    names = re.findall(r"\{(\w+)\}", next(iter(outputs.values())))
    return "-".join(f"{{{name}}}" for name in names if name != "sky")


for name, table in TABLES_MADE.items():

    rule:
        name:
            f"tabulate_{name}"
        input:
            table.get("after", []),
            **table.get("input", {}),
        output:
            **table["output"],
        log:
            log_of(f"tabulate_{name}", wildcards_in(table["output"])),
        localrule: True
        conda:
            ENV
        threads: 1
        resources:
            **asks(table.get("mem_mb", 500), 5),
        params:
            **command(
                "tabulate",
                [table["call"].partition(":")[0]],
                list(table.get("input", {})) if table.get("of_fields") else (),
                family=True,
                call=table["call"],
                sky=table.get("sky", label_of),
                digits=table.get("digits"),
                buckets=(lambda job: buckets_of(sky_of(job))) if table.get("of_fields") else None,
                settings=family_settings(table),
            ),
        message:
            f"Tabulating {name}"
        shell:
            JOB
