"""Report: one page for a reader, with a viewer of the test fields.

Needs tables and figures, and of the fields viewed cubes, sources, patches and predictions; makes results/{sky}/viewer
and results/{sky}/report.html. Titles and captions are those of report().
"""

PAGE = f"{RESULTS}/report.html"
VIEWER = f"{RESULTS}/viewer/{{field}}"
# A field adds about 4 MB to the page.
VIEWED = fields_in("test")[:3]

# Tables and figures of each chapter in the order of the 2023 report; those not named follow in the last chapter.
CHAPTERS = {
    "Data and alignment": [
        "figures/cutouts/*",
        "figures/alignment.svg",
        "tables/alignment.csv",
        "tables/footprints.csv",
        "figures/statistics.svg",
        "tables/sources.csv",
        "tables/magnitudes.csv",
        "tables/sizes.csv",
        "figures/patches/*",
    ],
    "Modeling": [
        "tables/architecture_*",
        "figures/training.svg",
        "figures/confusion.svg",
    ],
    "Data augmentation": [
        "figures/augmentations.png",
        "figures/comparisons/*",
        "tables/augmentation_*",
    ],
    "Evaluation": [
        "tables/scores.csv",
        "figures/roc.svg",
        "figures/reliability.svg",
        "figures/magnitude.svg",
        "figures/completeness.svg",
        "tables/scores_by_magnitude.csv",
    ],
    "The classifier": ["figures/calibration.svg", "tables/calibration.csv", "tables/catalogs.csv"],
}

SHOWN = shown_on_page(
    [
        *[*DATA_FILES, *PICTURE_FILES, *ARCHITECTURE_FILES, *TABLE_FILES, *FIGURE_FILES],
        *[*CALIBRATION_FILES, *CATALOG_TABLES],
    ],
    CHAPTERS,
)


# What the page needs beside the tables and figures that it shows.
PAGE_INPUT = {
    "footprints": FOOTPRINTS,
    "counts": f"{TABLES}/sources.csv",
    "alignment": f"{TABLES}/alignment.csv",
    "scores": f"{TABLES}/scores.csv",
    "sources": paths_of(SOURCES, VIEWED),
    "predictions": expand(f"{MODEL}/predictions.parquet", experiment=BEST, seed=config["seeds"][0]),
    "pictures": paths_of(f"{VIEWER}.jpg", VIEWED),
    "sheets": paths_of(f"{VIEWER}.png", VIEWED),
    "catalogs": sorted(
        {
            f"{CATALOG.format(kind=kind, **archive_keys(field))}.sha256"
            for kind in ("star", "gal")
            for field in fields_in(*settings.BUCKETS)
        }
    ),
    "citation": os.path.relpath(WORKFLOW.parent / "CITATION.cff"),
    "corrections": os.path.relpath(WORKFLOW / "report/corrections.rst"),
    "template": os.path.relpath(WORKFLOW / "report/page.html"),
    "style": os.path.relpath(WORKFLOW / "report/page.css"),
    "code": code_of("write_report"),
}


rule render_field:
    """The pictures of the field viewer: the aligned field in colour, and all its patches."""
    input:
        cube=CUBE,
        patches=PATCHES.replace("{size}", str(EXPERIMENTS[BEST].patch_size)),
        code=code_of("render_field"),
    output:
        picture=f"{VIEWER}.jpg",
        sheet=f"{VIEWER}.png",
    log:
        f"{LOGS}/render_field/{{field}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=600,
        runtime=5,
    params:
        sky=SKY_NAME,
    message:
        "Rendering field {wildcards.field} for the viewer"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --cube {input.cube:q} --patches {input.patches:q}"
        " --picture {output.picture:q} --sheet {output.sheet:q} 2> {log:q}"


rule write_report:
    """The page."""
    input:
        **PAGE_INPUT,
        shown=[item["file"] for item in SHOWN],
        captions=sorted({item["caption"] for item in SHOWN}),
    output:
        PAGE,
    log:
        f"{LOGS}/write_report.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        shown=json.dumps(SHOWN),
        experiments=json.dumps(config["experiments"]),
        best=BEST,
        fields=format_fields(VIEWED),
        bands="".join(config["bands"]),
        size=EXPERIMENTS[BEST].patch_size,
        sources=lambda _: SOURCES,
        picture=lambda _: f"{VIEWER}.jpg",
        sheet=lambda _: f"{VIEWER}.png",
        catalogs=lambda _: f"{CATALOG}.sha256",
    message:
        "Writing the page"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --shown {params.shown:q} --footprints {input.footprints:q}"
        " --counts {input.counts:q} --alignment {input.alignment:q} --scores {input.scores:q}"
        " --experiments {params.experiments:q} --best {params.best} --fields {params.fields:q} --bands {params.bands}"
        " --size {params.size} --sources {params.sources:q} --predictions {input.predictions:q}"
        " --picture {params.picture:q} --sheet {params.sheet:q} --catalogs {params.catalogs:q}"
        " --citation {input.citation:q} --corrections {input.corrections:q} --template {input.template:q}"
        " --page {output:q} 2> {log:q}"


REPORT_FILES = [PAGE, *paths_of(f"{VIEWER}.jpg", VIEWED), *paths_of(f"{VIEWER}.png", VIEWED)]
