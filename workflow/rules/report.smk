"""Report: one page for a reader, with a viewer of the test fields, a page with all studies, and one of the catalogues."""

# Fields in the viewers: with its patches, one adds 1.7 MB to a page, without, 0.7 MB; pages have 5 MB at most.
VIEWED = MAIN.fields("test")[:1]
VIEWED_CATALOGS = TO_CLASSIFY[:3]

# Tables and figures of each chapter in the order of the 2023 report; those not named follow in the last chapter.
CHAPTERS = {
    "Data and alignment": [
        *["figures/cutouts/*", "figures/alignment.svg", "tables/alignment.csv", "tables/footprints.csv"],
        *["figures/statistics.svg", "tables/sources.csv", "tables/magnitudes.csv", "tables/sizes.csv"],
        "figures/patches/*",
    ],
    "Modeling": ["tables/architecture_*", "figures/training.svg", "figures/confusion.svg"],
    "Data augmentation": ["figures/augmentations.png", "figures/comparisons/*", "tables/augmentation_*"],
    "Evaluation": [
        *["tables/scores.csv", "figures/roc.svg", "figures/reliability.svg", "figures/magnitude.svg"],
        *["figures/completeness.svg", "tables/scores_by_magnitude.csv"],
    ],
    "The classifier": ["figures/calibration.svg", "tables/calibration.csv", "tables/catalogs.csv"],
}
BEYOND = {
    "Beyond the report": [
        "figures/learning_curve.svg",
        *(
            pattern
            for name in config["studies"]
            for pattern in (f"figures/*/{name}.svg", f"tables/{name}.csv", f"timings/{name}.csv")
        ),
    ]
}


PAGES = {
    "page": (PAGE, on_page(SHOWN_FILES, CHAPTERS)),
    "study": (STUDY, on_page(SHOWN_FILES, CHAPTERS) + on_page(STUDY_FILES, BEYOND)),
    "peers": (PEERS_PAGE, on_page(PEER_FILES, {"Beside other classifiers": []})),
}
# What all pages have in common.
TEMPLATES = [repository(f"workflow/report/{name}") for name in ("base.html", "macros.html", "page.css")]
CATALOG_RECORDS = sorted(
    {
        f"{fill(CATALOG, sky=MAIN.name, kind=kind, **archive_keys(field))}.sha256"
        for kind in ("star", "gal")
        for field in MAIN.fields()
    }
)


rule render_picture:
    """The aligned field in colour, for the field viewers."""
    input:
        cube=CUBE,
    output:
        picture=f"{VIEWER}.jpg",
    log:
        log_of("render_picture", "{field}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 5),
    params:
        **command("render_picture", sky=OF.label),
    message:
        "Rendering field {wildcards.field} for the viewer"
    shell:
        JOB


rule render_patches:
    """All patches of a field on one sheet, for the field viewer."""
    input:
        cube=CUBE,
        patches=fill(PATCHES, positions="catalog", size=RUN.experiments[BEST].patch_size),
    output:
        sheet=f"{VIEWER}.patches.jpg",
    log:
        log_of("render_patches", "{field}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 5),
    params:
        **command("render_patches"),
    message:
        "Rendering the patches of field {wildcards.field} for the viewer"
    shell:
        JOB


for name, (path, items) in PAGES.items():

    rule:
        name:
            f"write_{name}"
        input:
            [
                item["caption"] and repository(f"workflow/report/{Path(item['caption']).name}")
                for item in items
            ],
            TEMPLATES,
            shown_files=[item["file"] for item in items],
            footprints=FOOTPRINTS,
            counts=f"{TABLES}/sources.csv",
            alignment=f"{TABLES}/alignment.csv",
            scores=f"{TABLES}/scores.csv",
            sources=paths_of(fill(SOURCES, positions="catalog"), VIEWED, sky=MAIN.name),
            predictions=RUN.models(f"{MODEL}/predictions.parquet", [BEST])[0],
            pictures=paths_of(f"{VIEWER}.jpg", VIEWED, sky=MAIN.name),
            sheets=paths_of(f"{VIEWER}.patches.jpg", VIEWED, sky=MAIN.name),
            catalogs=CATALOG_RECORDS,
            citation=repository("CITATION.cff"),
            corrections=repository("workflow/report/corrections.rst"),
            template=repository("workflow/report/page.html"),
        output:
            page=path,
        log:
            log_of(f"write_{name}"),
        localrule: True
        conda:
            ENV
        threads: 1
        resources:
            **asks(500, 5),
        params:
            **command(
                "write_page",
                sky=OF.label,
                shown=[{key: one[key] for key in ("name", "chapter", "title", "caption")} for one in items],
                experiments={key: one for key, one in config["experiments"].items() if one},
                best=BEST,
                fields=[field.name for field in VIEWED],
                bands=BANDS,
                size=RUN.experiments[BEST].patch_size,
            ),
        message:
            "Writing the page"
        shell:
            JOB


rule write_catalog_page:
    """The page of the catalogues: fields on the sky, colours, number counts, and a viewer of the first fields."""
    input:
        TEMPLATES,
        catalogs=lambda wildcards: paths_of(f"{FIELD_CATALOG}.parquet", TO_CLASSIFY, sky=wildcards.sky),
        summaries=lambda wildcards: paths_of(ALIGNMENT, TO_CLASSIFY, sky=wildcards.sky),
        counts=f"{TABLES}/catalogs.csv",
        caption=repository("workflow/report/catalogs.rst"),
        pictures=lambda wildcards: paths_of(f"{VIEWER}.jpg", VIEWED_CATALOGS, sky=wildcards.sky),
        classifier=f"{USED_CLASSIFIER}/classifier.json",
        citation=repository("CITATION.cff"),
        template=repository("workflow/report/catalogs.html"),
    output:
        page=CATALOG_PAGE,
    log:
        log_of("write_catalog_page"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(500, 20),
    params:
        **command(
            "write_catalog_page",
            of_fields=("catalogs", "summaries"),
            sky=OF.label,
            fields=format_fields(TO_CLASSIFY),
            viewed=[field.name for field in VIEWED_CATALOGS],
        ),
    message:
        "Writing the page of the catalogues"
    shell:
        JOB


CATALOG_PAGE_FILES = []
if TO_CLASSIFY:
    CATALOG_PAGE_FILES = [
        fill(CATALOG_PAGE, sky=MAIN.name),
        *paths_of(f"{VIEWER}.jpg", VIEWED_CATALOGS, sky=MAIN.name),
    ]
PAGE_FILES = [fill(PAGE, sky=MAIN.name)] + [
    path for form in ("jpg", "patches.jpg") for path in paths_of(f"{VIEWER}.{form}", VIEWED, sky=MAIN.name)
]
