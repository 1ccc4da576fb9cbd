"""What the rules share: the configuration, its run, the code and command line of jobs. Paths are in stargal.plan.paths."""

import inspect
import os
import re
import sys
import time
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

# Of this file, not workflow.basedir: another workflow may use this one as a module.
WORKFLOW = Path(workflow.snakefile).parents[1]
OWN_CONFIG = WORKFLOW.parent / "config/config.yaml"
sys.path.insert(0, str(WORKFLOW))

from stargal import hooks
from stargal.archive.addresses import check_base, local_archive
from stargal.archive.origin import check_origin
from stargal.errors import StargalError
from stargal.plan import config as settings
from stargal.plan import experiments, failures, jobs, outputs, slurm
from stargal.plan.availability import check_fields
from stargal.plan.classifiers import find_classifier
from stargal.plan.code import digest_of
from stargal.plan.inputs import Inputs, paths_made, paths_of
from stargal.plan.paths import *
from stargal.plan.run import Run
from stargal.plan.skies import BUCKETS
from stargal.plan.surroundings import job_environment, share_folder
from stargal.survey.fields import Field, format_fields

# A module's configuration replaces this one: what it leaves out is as in config.yaml.
given = dict(config)
config.update(load_configfile(OWN_CONFIG))
update_config(config, given)

# The last file wins; Snakemake lists those of --configfile before the workflow's own.
CONFIG_FILES = sorted(map(Path, workflow.configfiles), key=lambda file: file != OWN_CONFIG)

try:
    settings.check_config(config, WORKFLOW / "schemas/config.schema.yaml", CONFIG_FILES)
    RUN = Run(config, WORKFLOW.parent, WORKFLOW / "schemas/fields.schema.yaml")
    USED_CLASSIFIER = find_classifier(
        config["classify"]["classifier"], WORKFLOW.parent, "".join(config["bands"])
    ) or fill(CLASSIFIER, sky=config["sky"])
except StargalError as error:
    raise WorkflowError(str(error)) from None

hooks.collect_garbage_seldom()

MAIN = RUN.skies[config["sky"]]
OF = Inputs(RUN)
BANDS = "".join(config["bands"])
ENV = "../../envs/environment.yaml"
# A sky without a table of fields is only classified: all of a field is made in one job, by rule catalog_field.
ONLY_CLASSIFIED = not (MAIN.simulated or MAIN.buckets or config["classify"]["classifier"] is None)
IN_ONE_JOB = [MAIN.name] if ONLY_CLASSIFIED else []
IN_STEPS = [name for name in RUN.skies if name not in IN_ONE_JOB]
JOB = "python {params.script:q} {params.files} {params.settings} 2> {log:q}"


wildcard_constraints:
    **WILDCARDS,
    sky=one_of(RUN.skies),
    experiment=one_of(RUN.experiments),
    model=one_of(config["models"]),
    comparison=one_of(RUN.varied),
    training_set=one_of(config["training_sets"]),
    set=one_of(("validation", "test", *config["training_sets"])),


# What this process and its jobs run with: see stargal.plan.surroundings.
for variable in set(os.environ) - set(SURROUNDINGS := job_environment(WORKFLOW, os.environ)):
    del os.environ[variable]
os.environ.update(SURROUNDINGS)
share_folder()
BEGUN = time.time()


onstart:
    # Ctrl-C leaves no job behind on SLURM: see stargal.plan.slurm.
    if submitted := slurm.run_id(log):
        slurm.cancel_when_interrupted(submitted)


onerror:
    # Whatever else is printed, or not (--quiet): why jobs failed, each reason once, at the end.
    for line in failures.reasons(Path("logs"), BEGUN):
        print(line, file=sys.stderr)


def repository(path):
    """A file of the checkout as an input, wherever this workflow is used as a module."""
    return local(os.path.relpath(WORKFLOW.parent / path))


def log_of(job, wildcards="", sky="{sky}"):
    """Log of a job, by its wildcards."""
    return f"logs/{sky}/{job}{wildcards and '/'}{wildcards}.log"


def benchmark_of(job, wildcards):
    """Benchmark of a job."""
    return f"benchmarks/{{sky}}/{job}/{wildcards}.tsv"


def command(script, modules=(), of_fields=(), family=False, **given):
    """Params of a job: its script and code, its files as options and its settings, constants or functions of wildcards."""

    def files(wildcards, input, output):
        read, made = ("input", "output") if family else ("", "")
        return " ".join(
            [jobs.file_options(input.items(), of_fields, read), jobs.file_options(output.items(), (), made)]
        )

    def of_job(wildcards):
        return jobs.options(
            {name: value(wildcards) if callable(value) else value for name, value in given.items()}
        )

    return {
        "script": os.path.relpath(WORKFLOW / "scripts" / f"{script}.py"),
        "code": digest_of(script, tuple(modules)),
        "files": files,
        "settings": of_job,
    }


def asks(mem_mb, minutes):
    """Memory and time of a job: as much again at each attempt, so that what a cluster has killed is done later."""

    def grows(amount):
        def asked(wildcards, attempt):
            return attempt * (amount(wildcards) if callable(amount) else amount)

        # Snakemake asks for the signature at every job.
        asked.__signature__ = inspect.signature(asked)
        return asked

    return {"mem_mb": grows(mem_mb), "runtime": grows(minutes)}


def frames_of(wildcards):
    """The five frames of a field, in the order of the bands, and the records of their SHA-256.

    The records are asked for so that a frame that someone puts there is verified before it is used.
    """
    keys = archive_keys(Field.parse(wildcards.field))
    frames = expand(FRAME, sky=wildcards.sky, band=config["bands"], **keys)
    return {"frames": frames, "records": [f"{frame}.sha256" for frame in frames]}


def catalogs_of(wildcards):
    """The star and galaxy catalogues of a field's camcol, by kind, and the records of their SHA-256."""
    keys = archive_keys(Field.parse(wildcards.field))
    catalogs = {kind: fill(CATALOG, sky=wildcards.sky, kind=kind, **keys) for kind in ("star", "gal")}
    return catalogs | {"records": [f"{catalog}.sha256" for catalog in catalogs.values()]}


def of_experiment(value):
    """A function of an experiment as a function of wildcards, which must name the sky that it trains on."""

    def asked(wildcards):
        experiment = RUN.experiments[wildcards.experiment]
        if experiment.sky("train") != wildcards.sky:
            raise WorkflowError(
                f"experiment {wildcards.experiment} trains on sky {experiment.sky('train')}: ask for "
                f"results/{experiment.sky('train')}/models/{wildcards.experiment}"
            )
        return value(experiment)

    return asked


def set_of(role):
    """The list of an experiment's set: training, validation or test."""

    return of_experiment(lambda experiment: RUN.set_path(experiment, role))


PAGE_ITEMS = []


def shown(path, what, caption, category, form="table"):
    """A table or figure of the page and of Snakemake's own report."""
    PAGE_ITEMS.append(outputs.Shown(path, what, caption))
    return report(
        path, category=category, labels={"what": what, "form": form}, caption=f"../report/{caption}.rst"
    )


def download(script, **given):
    """Params of a download."""
    return {key: value for key, value in command(script, **given).items() if key != "code"}


def archive_of(template):
    """Address of the archive of a job's sky, and how patiently it is asked, as options."""

    def asked(wildcards):
        source, archive = OF.sky(wildcards).source, config["archive"]
        path = archive["releases"][source["release"]][template]
        patience = {name: archive[name] for name in ("timeout", "attempts")}
        return jobs.options(
            {"base": source["url"], "template": path, **patience, "origin": OF.sky(wildcards).record}
        )

    return asked


def on_page(files, chapters):
    """Tables and figures of the main sky with their chapters, titles and captions."""
    folder = fill(RESULTS, sky=MAIN.name)
    items = [outputs.Shown(fill(one.pattern, sky=MAIN.name), one.title, one.caption) for one in PAGE_ITEMS]
    return [
        item | {"caption": os.path.relpath(WORKFLOW / "report" / f"{item['caption']}.rst")}
        for item in outputs.place_on_page(files, items, chapters, folder)
    ]


def table(name, call, category, what, *, paths=None, captions=None, of_fields=False, **more):
    """Row of a table: `what` is its title, or the titles of several by the names that the function gives them."""
    titles = what if isinstance(what, dict) else {"table": what}
    output = {}
    for key, title in titles.items():
        path = (paths or {}).get(key, f"{TABLES}/{name if key == 'table' else key}.csv")
        output[key] = shown(path, title, (captions or {}).get(key, name), category)
    return row(f"tabulate_{name}", "tabulate", call, output, of_fields=of_fields, **more)


def figure(name, module, category, what, *, path=None, caption=None, **more):
    """Row of a figure, by the function of its name in a module of stargal.report.figures."""
    output = {"figure": shown(path or f"{FIGURES}/{name}.svg", what, caption or name, category, "figure")}
    return row(f"plot_{name}", "plot", f"report.figures.{module}:{name}", output, **more)


def row(
    name,
    script,
    call,
    output,
    *,
    after=(),
    sky=OF.label,
    settings=None,
    make=None,
    mem_mb=500,
    digits=None,
    of_fields=False,
    **input,
):
    """Row of the tables and figures: all that its rule needs."""

    def asked(job):
        return {key: value(job) if callable(value) else value for key, value in (settings or {}).items()}

    params = command(
        script,
        [f"stargal.{call.partition(':')[0]}"],
        list(input) if of_fields else (),
        family=True,
        call=f"stargal.{call}",
        sky=sky,
        digits=digits,
        buckets=(lambda job: OF.sky(job).texts()) if of_fields else None,
        settings=asked,
    )
    return {
        "name": name,
        "input": input,
        "output": output,
        "params": params,
        "mem_mb": mem_mb,
        "after": after or [],
        "make": {"all": {}} if make is None else make,
    }
