"""stargal: from SDSS imaging to a trained, evaluated star/galaxy classifier.

Results lie below results/{sky}/: aligned/ (cubes), sources/, patches/, sets/, models/{experiment}/seed{seed}/, tables/,
figures/, classifier/, catalogs/, viewer/, report.html, catalogs.html. {sky} is a name in `skies` of the configuration.
"""

from snakemake.utils import min_version

min_version("9.20")


configfile: os.path.join(os.path.dirname(workflow.snakefile), "config/config.yaml")


include: "workflow/rules/common.smk"


# Jobs run in this image with --sdm apptainer.
container: config["container"]


include: "workflow/rules/archive.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/align.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/rows.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/realism.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/classify.smk"
include: "workflow/rules/peers.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/manifest.smk"


rule all:
    """Every table and figure, the page, the classifier, its catalogues, and the manifest of them."""
    input:
        EVERYTHING,
        RUN.models(f"{MODEL}/metrics.json", [name for name in RUN.named if name in RUN.of_every_run]),
        fill(MANIFEST, sky=MAIN.name),


rule classify:
    """Catalogues of the fields in classify.fields, and a page of them."""
    input:
        CATALOG_FILES,
        CATALOG_PAGE_FILES,
        paths_made(TABLE_ROWS, "classify", MAIN.name),


rule release:
    """The classifier as the repository holds it, in resources/classifiers; with config/release.yaml."""
    input:
        rules.release_classifier.output,


rule study:
    """Every comparison that goes beyond the report, and a page that shows them, too."""
    input:
        STUDY_FILES,
        fill(STUDY, sky=MAIN.name),


rule peers:
    """Our classifier and the report's networks beside photo, SExtractor and a random forest, and a page of them."""
    input:
        lambda wildcards: OF.require_peers(MAIN, PEER_FIELDS) and PEER_FILES,
        fill(PEERS_PAGE, sky=MAIN.name) if MAIN.buckets else [],


rule realism:
    """The comparison of the simulated with a real sky, and networks that train on one and are tested on the other."""
    input:
        REALISM_FILES,
