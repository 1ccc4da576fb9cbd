"""stargal: from SDSS imaging to a trained, evaluated star/galaxy classifier.

Results lie below results/{sky}/, in the order of the includes: aligned/ (cubes), sources/, patches/{size}/, sets/{size}/,
models/{experiment}/seed{seed}/, tables/, figures/, classifier/, catalogs/, viewer/, report.html. {sky} names the archive
in the config.
"""

from snakemake.settings.types import Quietness
from snakemake.utils import min_version

min_version("9.20")


configfile: os.path.join(os.path.dirname(workflow.snakefile), "config/config.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk" if config["simulate"] else "workflow/rules/archive.smk"
include: "workflow/rules/align.smk"
include: "workflow/rules/patches.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/classify.smk"
include: "workflow/rules/report.smk"


if config["classes"]:

    include: "workflow/rules/classes.smk"


include: "workflow/rules/study.smk"
include: "workflow/rules/manifest.smk"


if config["simulate"]:

    include: "workflow/rules/realism.smk"


onstart:
    # How fast jobs start is not limited, unless by the command line or a profile: with a limit, as with Snakemake's own of
    # 100 a second, its main loop wakes every second once more for each job that has ended, a fifth of a processor after a
    # hundred jobs.
    limiter = workflow.scheduler.job_rate_limiter
    if limiter and limiter.max_jobs == 100:
        workflow.scheduler.job_rate_limiter = None


# The first plan of a large table is counted, as by --quiet: it is thousands of jobs, of which all there is to say is
# that nothing is there yet, and to list them takes as long as all the rest. -p, for shell commands, lists them, too.
if workflow.modifier.is_main_snakefile() and len(BUCKETS) > 500 and not os.path.exists(MANIFEST):
    printed = workflow.output_settings
    if printed.dryrun and printed.quiet is None and not printed.printshellcmds:
        logger.info(f"A first plan of {len(BUCKETS)} fields: jobs are counted; add -p to list them.")
        printed.quiet = {Quietness.RULES, Quietness.PROGRESS}


rule all:
    """Every table and figure of every experiment, the page, the classifier, its catalogues, and the manifest of it all."""
    input:
        DATA_FILES,
        PICTURE_FILES,
        ARCHITECTURE_FILES,
        TABLE_FILES,
        FIGURE_FILES,
        CALIBRATION_FILES,
        CLASSIFIER_FILES,
        CATALOG_FILES,
        CATALOG_TABLES,
        REPORT_FILES,
        MANIFEST,


rule classify:
    """Catalogues of the fields to classify, by the classifier of this run or another."""
    input:
        CATALOG_FILES,
        CATALOG_TABLES,


rule study:
    """Every comparison that goes beyond the report, and a page that shows them, too."""
    input:
        STUDY_FILES,
        BEYOND_FILES,
        f"{RESULTS}/study.html",
