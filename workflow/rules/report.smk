"""Report: one page for a reader, with a viewer of the test fields, and a page with all studies."""

VIEWED = MAIN.fields("test")[:3]  # a field adds about 4 MB to the page

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
CATALOG_RECORDS = sorted(
    {
        f"{fill(CATALOG, sky=MAIN.name, kind=kind, **archive_keys(field))}.sha256"
        for kind in ("star", "gal")
        for field in MAIN.fields()
    }
)


rule render_field:
    """The pictures of the field viewer: the aligned field in colour, and all its patches."""
    input:
        cube=CUBE,
        patches=fill(PATCHES, positions="catalog", size=RUN.experiments[BEST].patch_size),
    output:
        picture=f"{VIEWER}.jpg",
        sheet=f"{VIEWER}.png",
    log:
        log_of("render_field", "{field}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 5),
    params:
        **command("render_field", sky=OF.label),
    message:
        "Rendering field {wildcards.field} for the viewer"
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
            repository("workflow/report/page.css"),
            shown_files=[item["file"] for item in items],
            footprints=FOOTPRINTS,
            counts=f"{TABLES}/sources.csv",
            alignment=f"{TABLES}/alignment.csv",
            scores=f"{TABLES}/scores.csv",
            sources=paths_of(fill(SOURCES, positions="catalog"), VIEWED, sky=MAIN.name),
            predictions=RUN.models(f"{MODEL}/predictions.parquet", [BEST])[0],
            pictures=paths_of(f"{VIEWER}.jpg", VIEWED, sky=MAIN.name),
            sheets=paths_of(f"{VIEWER}.png", VIEWED, sky=MAIN.name),
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


PAGE_FILES = [fill(PAGE, sky=MAIN.name)] + [
    path for form in ("jpg", "png") for path in paths_of(f"{VIEWER}.{form}", VIEWED, sky=MAIN.name)
]
