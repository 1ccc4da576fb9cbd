"""Figures: a rule each, plot_{name}, from the rows of FIGURES_MADE, which are like those of tables.smk."""

EXAMPLES = [MAIN.fields(bucket)[0] for bucket in BUCKETS if MAIN.fields(bucket)]


def example_of(pattern, **wildcards):
    """A file of the first training field of a job's sky."""
    return lambda job: fill(pattern, sky=job.sky, field=sky_of(job).fields("train")[0].name, **wildcards)


OF_SCORED = {"experiments": lambda job: list(RUN.scored(job.sky)), **SEEDS}
PATCH_SIZE = config["patches"]["size"]

FIGURES_MADE = {
    "alignment": {
        "call": "data:alignment",
        "input": {"table": f"{TABLES}/alignment.csv"},
        "output": shown(f"{FIGURES}/alignment.svg", "alignment of the bands", "alignment", "Data", "figure"),
    },
    "statistics": {
        "call": "data:statistics",
        "input": {
            name: f"{TABLES}/{table}.csv"
            for name, table in {"counts": "sources", "magnitudes": "magnitudes", "sizes": "sizes"}.items()
        },
        "output": shown(
            f"{FIGURES}/statistics.svg", "sources by bucket, magnitude and size", "sources", "Data", "figure"
        ),
    },
    "patches": {
        "call": "data:patches",
        "input": {
            "sources": fill(SOURCES, positions="catalog"),
            "patches": fill(PATCHES, positions="catalog"),
        },
        "output": shown(
            f"{FIGURES}/patches/{{size}}/{{field}}.png", "{field}: example patches", "patches", "Data", "picture"
        ),
        "settings": {"bands": BANDS, "field": lambda job: job.field},
        "make": {"all": {"size": PATCH_SIZE, "field": [field.name for field in EXAMPLES]}},
    },
    "training": {
        "call": "training:training",
        "input": {"histories": of_scored(f"{MODEL}/history.csv")},
        "output": shown(f"{FIGURES}/training.svg", "loss and accuracy", "training", "Training", "figure"),
        "settings": OF_SCORED,
        "sky": label_of_scored(),
    },
    "augmentations": {
        "call": "training:augmentations",
        "input": {
            "sources": example_of(SOURCES, positions="catalog"),
            "patches": example_of(PATCHES, positions="catalog", size=PATCH_SIZE),
            "report": example_of(ALIGNMENT),
        },
        "output": shown(
            f"{FIGURES}/augmentations.png",
            "a patch under every augmentation",
            "augmentations",
            "Training",
            "picture",
        ),
        "settings": {"bands": BANDS, "augmentations": config["augmentations"], **LABELS},
    },
    "confusion": {
        "call": "scores:confusion",
        "input": {"scores": f"{TABLES}/scores.csv"},
        "output": shown(f"{FIGURES}/confusion.svg", "confusion matrices", "confusion", "Scores", "figure"),
        "settings": LABELS,
        "sky": label_of_scored(),
    },
    "roc": {
        "call": "scores:roc",
        "input": {
            "predictions": of_scored(f"{MODEL}/predictions.parquet"),
            "baselines": baselines_of("predictions.parquet"),
        },
        "output": shown(f"{FIGURES}/roc.svg", "ROC curves", "roc", "Scores", "figure"),
        "settings": {"training_sets": training_sets_of, **OF_SCORED, **LABELS},
        "sky": label_of_scored(),
    },
    "reliability": {
        "call": "scores:reliability",
        "input": {"predictions": of_scored(f"{MODEL}/predictions.parquet")},
        "output": shown(
            f"{FIGURES}/reliability.svg", "reliability of the probabilities", "reliability", "Scores", "figure"
        ),
        "settings": {**OF_SCORED, **LABELS},
        "sky": label_of_scored(),
    },
    "magnitude": {
        "call": "scores:magnitude",
        "input": {"scores": f"{TABLES}/scores_by_magnitude.csv"},
        "output": shown(f"{FIGURES}/magnitude.svg", "score by magnitude", "magnitude", "Scores", "figure"),
        "settings": LABELS,
        "sky": label_of_scored(),
    },
    "completeness": {
        "call": "scores:completeness",
        "input": {"scores": f"{TABLES}/scores_by_magnitude.csv"},
        "output": shown(
            f"{FIGURES}/completeness.svg", "completeness and purity", "completeness", "Scores", "figure"
        ),
        "settings": LABELS,
        "sky": label_of_scored(),
    },
    "differences": {
        "call": "comparisons:differences",
        "input": {"comparison": f"{TABLES}/{{comparison}}.csv"},
        "output": shown(
            f"{FIGURES}/comparisons/{{comparison}}.svg", "{comparison}", "differences", "Comparisons", "figure"
        ),
        "settings": {"varied": lambda job: "-".join(RUN.vary(job.comparison)) or "case"},
        "sky": lambda job: RUN.label(*RUN.compared(job.comparison)),
        "make": {"all": {"comparison": COMPARED}, "study": {"comparison": STUDIED}},
    },
    "grid": {
        "call": "comparisons:grid",
        "input": {"comparison": f"{TABLES}/{{comparison}}.csv"},
        "output": shown(
            f"{FIGURES}/grids/{{comparison}}.svg",
            "{comparison}: all combinations",
            "grid",
            "Comparisons",
            "figure",
        ),
        "settings": {"vary": lambda job: RUN.vary(job.comparison)},
        "sky": lambda job: RUN.label(*RUN.compared(job.comparison)),
        "make": {"study": {"comparison": [name for name in STUDIED if len(RUN.vary(name)) in (2, 3)]}},
    },
    "learning_curve": {
        "call": "comparisons:learning_curve",
        "input": {
            "metrics": lambda job: of_models(f"{MODEL}/metrics.json", RUN.compared("learning_curve")),
            "sources": f"{TABLES}/sources.csv",
        },
        "output": shown(
            f"{FIGURES}/learning_curve.svg", "learning curve", "learning_curve", "Comparisons", "figure"
        ),
        "settings": {
            "training": lambda job: {
                name: [field.name for field in RUN.fields_of_set(*RUN.experiments[name].sets["training"])]
                for name in RUN.compared("learning_curve")
            },
            **SEEDS,
            **LABELS,
        },
        "sky": lambda job: RUN.label(*RUN.compared("learning_curve")),
        "make": {"study": {}} if "learning_curve" in STUDIED else {},
    },
    "calibration": {
        "call": "classifier:calibration",
        "input": {"predictions": f"{CLASSIFIER}/predictions.parquet"},
        "output": shown(
            f"{FIGURES}/calibration.svg", "calibration of the classifier", "calibration", "Classifier", "figure"
        ),
        "settings": LABELS,
    },
    "classes": {
        "call": "classifier:classes",
        "input": {"scores": f"{TABLES}/classes_by_class.csv"},
        "output": shown(
            f"{FIGURES}/classes.svg", "four classes, confusion matrices", "classes", "Classes", "figure"
        ),
        "settings": LABELS,
        "sky": label_of_scored("four_classes"),
        "make": {"study": {}} if RUN.scored(MAIN.name, "four_classes") else {},
    },
    "explanation": {
        "call": "classifier:explanation",
        "input": {
            name: lambda job, file=file: of_models(f"{MODEL}/{file}", [job.experiment])
            for name, file in {"tables": "explanation.csv", "maps": "explanation.npz"}.items()
        },
        "output": shown(
            f"{FIGURES}/explanation_{{experiment}}.svg", "{experiment}", "explanation", "Explanation", "figure"
        ),
        "sky": lambda job: RUN.label(job.experiment),
        "make": {"study": {"experiment": config["report"]["best"]}},
    },
    "ratios": {
        "call": "realism:ratios",
        "input": {"table": f"{REALISM}/{{real}}/realism.csv"},
        "output": shown(
            f"{REALISM}/{{real}}/ratios.svg", "simulated over {real} sky", "realism", "Realism", "figure"
        ),
        "make": {"realism": {"real": REAL}},
    },
    "counts": {
        "call": "realism:counts",
        "input": {"simulated": lambda job: described(job.sky), "real": lambda job: described(job.real)},
        "output": shown(
            f"{REALISM}/{{real}}/counts.svg", "counts and concentration", "realism_sources", "Realism", "figure"
        ),
        "make": {"realism": {"real": REAL}},
    },
}

for name, figure in FIGURES_MADE.items():

    rule:
        name:
            f"plot_{name}"
        input:
            **figure["input"],
        output:
            figure=figure["output"],
        log:
            log_of(f"plot_{name}", wildcards_in({"figure": figure["output"]})),
        localrule: True
        conda:
            ENV
        threads: 1
        resources:
            **asks(500, 5),
        params:
            **command(
                "plot",
                ["stargal.report.figures." + figure["call"].partition(":")[0]],
                family=True,
                call=f"stargal.report.figures.{figure['call']}",
                sky=figure.get("sky", label_of),
                settings=family_settings(figure),
            ),
        message:
            f"Drawing {name}"
        shell:
            JOB


rule plot_cutouts:
    """A cut-out of a field as downloaded, aligned, and with its sources marked."""
    input:
        unpack(frames_of),
        cube=CUBE,
        sources=fill(SOURCES, positions="catalog"),
    output:
        figure=shown(
            f"{FIGURES}/cutouts/{{field}}.png", "{field} before and after alignment", "cutouts", "Data", "picture"
        ),
    log:
        log_of("plot_cutouts", "{field}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 5),
    params:
        **command("plot_cutouts", sky=label_of),
    message:
        "Drawing a cut-out of field {wildcards.field}"
    shell:
        JOB


def made_by(rows, target):
    """Outputs of the rows that are part of a target, of the main sky."""
    return [
        path
        for row in rows.values()
        for given in [row.get("make", {"all": {}}).get(target)]
        if given is not None
        for output in (row["output"].values() if isinstance(row["output"], dict) else [row["output"]])
        for path in expand(str(output), sky=MAIN.name, **given)
    ]


CUTOUTS = paths_of(f"{FIGURES}/cutouts/{{field}}.png", EXAMPLES, sky=MAIN.name)
SHOWN_FILES = [*made_by(TABLES_MADE, "all"), *CUTOUTS, *made_by(FIGURES_MADE, "all")]
STUDY_FILES = [*made_by(TABLES_MADE, "study"), *made_by(FIGURES_MADE, "study")]
REALISM_FILES = [*made_by(TABLES_MADE, "realism"), *made_by(FIGURES_MADE, "realism")]
