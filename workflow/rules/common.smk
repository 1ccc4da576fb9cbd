"""Look-ups shared by the rules: paths, fields by bucket, and the code each job runs."""

import ast
import atexit
import dataclasses
import fnmatch
import functools
import gc
import hashlib
import inspect
import json
import os
import re
import shlex
import sys
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

# Of this file, not workflow.basedir: another workflow may use this one as a module.
WORKFLOW = Path(workflow.snakefile).parents[1]
OWN_CONFIG = WORKFLOW.parent / "config/config.yaml"
sys.path.insert(0, str(WORKFLOW))

from stargal.plan import config as settings
from stargal.errors import StargalError
from stargal.survey.fields import Field, format_fields

# Used as a module with a configuration, Snakemake reads no file of ours: what is left out there is as in config.yaml.
if workflow.modifier.skip_configfile:
    given, config = config, load_configfile(OWN_CONFIG)
    update_config(config, given)

# A module's prefix goes into the paths here, since parameters name paths too, and Snakemake would leave it out there.
PREFIX = workflow.modifier.path_modifier.prefix or ""
workflow.modifier.path_modifier.skip_properties |= {"input", "output", "log", "benchmark"}

# A plan is some million objects, all of them needed to the end: hardly ever look for garbage among them (a seventh of the
# time it takes to plan a large run), and at the end leave them to the system (another seventh).
gc.set_threshold(200_000, 20, 100)
atexit.register(gc.freeze)

# Paths, each spelled once. {sky} keeps two archives apart; {field} is 301-008162-6-0080.
SKY = config.get("sky")
SKY_NAME = f"simulated sky, seed {config['simulate']['seed']}" if config.get("simulate") else f"{SKY} sky"
RESOURCES = f"{PREFIX}resources/{SKY}"
RESULTS = f"{PREFIX}results/{SKY}"
LOGS = f"{PREFIX}logs/{SKY}"
BENCHMARKS = f"{PREFIX}benchmarks/{SKY}"
FRAME = f"{RESOURCES}/frames/{{rerun}}/frame-{{band}}-{{run}}-{{camcol}}-{{number}}.fits.bz2"
CATALOG = f"{RESOURCES}/catalogs/{{rerun}}/calibObj-{{run}}-{{camcol}}-{{kind}}.fits.gz"
TRUTH = f"{RESOURCES}/truth/{{field}}.parquet"
CUBE = f"{RESULTS}/aligned/{{field}}.fits"
ALIGNMENT = f"{RESULTS}/aligned/{{field}}.json"
SOURCES = f"{RESULTS}/sources/{{field}}.parquet"
PATCHES = f"{RESULTS}/patches/{{size}}/{{field}}.npy"
SET = f"{RESULTS}/sets/{{size}}/{{set}}.csv"
PLACED = f"{RESULTS}/classes/{{size}}/{{field}}.parquet"
PLACED_PATCHES = f"{RESULTS}/classes/{{size}}/{{field}}.npy"
PLACED_SET = f"{RESULTS}/classes/{{size}}/{{set}}.csv"
CLASS_MODEL = f"{RESULTS}/classes/seed{{seed}}"
MODEL = f"{RESULTS}/models/{{experiment}}/seed{{seed}}"
TABLES = f"{RESULTS}/tables"
FOOTPRINTS = f"{TABLES}/footprints.csv"
FIGURES = f"{RESULTS}/figures"
MANIFEST = f"{RESULTS}/manifest.sha256"
STYLE = os.path.relpath(WORKFLOW / "stargal/report/stargal.mplstyle")


wildcard_constraints:
    rerun=r"\d+",
    run=r"\d{6}",
    camcol=r"[1-6]",
    number=r"\d{4}",
    band=r"[ugriz]",
    kind=r"star|gal",
    field=r"\d+-\d{6}-[1-6]-\d{4}",
    size=r"\d+",
    seed=r"\d+",


def beside_or_in_workflow(path):
    """A path from the config: in the working directory if it is there, else in the workflow's."""
    return path if os.path.exists(path) else os.path.relpath(WORKFLOW.parent / path)


# The last file wins; Snakemake lists those of --configfile before the workflow's own.
CONFIG_FILES = sorted(map(Path, workflow.configfiles), key=lambda file: file != OWN_CONFIG)

try:
    settings.check_config(config, WORKFLOW / "schemas/config.schema.yaml", CONFIG_FILES)
    BUCKETS = settings.read_fields(
        Path(beside_or_in_workflow(config["fields"])), WORKFLOW / "schemas/fields.schema.yaml"
    )
    TRAINING_SETS = {
        name: settings.resolve_training_set(name, members, BUCKETS)
        for name, members in config["training_sets"].items()
    }
    NAMED = settings.named_experiments(config)
    VARIED = {name: settings.vary_experiment(name, config) for name in settings.all_comparisons(config)}
except StargalError as error:
    raise WorkflowError(str(error)) from None

EXPERIMENTS = {name: experiment for part in (NAMED, *VARIED.values()) for name, experiment in part.items()}

# The experiments of rule all; those of studies are trained when asked for.
OF_EVERY_RUN = [*NAMED, *(name for part in config["comparisons"] for name in VARIED.get(part, ()))]


wildcard_constraints:
    experiment="|".join(map(re.escape, EXPERIMENTS)),
    model="|".join(map(re.escape, config["models"])),
    comparison="|".join(map(re.escape, VARIED)) or "none",
    set="|".join(map(re.escape, ("validation", "test", *TRAINING_SETS))),


# At most this many downloads at once, unless the command line or a profile says otherwise.
workflow.global_resources.setdefault("downloads", config["archive"]["connections"])

# The scripts find the library of this checkout, whatever else is installed; tensorflow keeps its notes to itself.
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [str(WORKFLOW), os.getenv("PYTHONPATH")])),
    TF_CPP_MIN_LOG_LEVEL=os.getenv("TF_CPP_MIN_LOG_LEVEL", "2"),
    # Tensorflow's faster convolutions, which it leaves off on processors without AVX-512.
    TF_ENABLE_ONEDNN_OPTS=os.getenv("TF_ENABLE_ONEDNN_OPTS", "1"),
)


@functools.cache
def library_modules(source):
    """Modules of the library that a Python file imports, directly or through others; at its top, as all of ours do."""
    found = set()
    for node in ast.parse(source.read_text()).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            file = WORKFLOW.joinpath(*name.split(".")).with_suffix(".py")
            if name.startswith("stargal.") and file.exists():
                found |= {file} | library_modules(file)
    return frozenset(found)


@functools.cache
def code_of(rule):
    """The script of a rule and the library modules it runs, as inputs of the job.

    As inputs they are compared by content: an edit rebuilds what it can change, a touch nothing.
    """
    script = WORKFLOW / "scripts" / f"{rule}.py"
    return [os.path.relpath(path) for path in [script, *sorted(library_modules(script))]]


@functools.cache
def digest_of(rule):
    """SHA-256 of the code of a rule, for the params of rules with a job a field.

    It rebuilds what `code_of` among the inputs would. With ten modules a job, though, those would be most of the
    inputs of a large run, and a fifth of the time it takes to plan one.
    """
    digest = hashlib.sha256()
    for path in code_of(rule):
        digest.update(f"{Path(path).name}\0".encode() + Path(path).read_bytes())
    return digest.hexdigest()


def fields_in(*buckets):
    """Fields of the given buckets, in ascending order."""
    return sorted(field for field, bucket in BUCKETS.items() if bucket in buckets)


def fields_of_set(name):
    """Fields of a training set, or of a bucket that is not learned from."""
    return TRAINING_SETS[name] if name in TRAINING_SETS else fields_in(name)


def paths_of(pattern, fields, **wildcards):
    """A path for each field."""
    return expand(pattern, field=[field.name for field in fields], **wildcards)


def frames_of(wildcards):
    """The five frames of a field, in the order of the bands, and the records of their SHA-256.

    The records are asked for so that a frame put there by hand is verified before it is used.
    """
    frames = expand(FRAME, band=config["bands"], **archive_keys(Field.parse(wildcards.field)))
    return {"frames": frames, "records": [f"{frame}.sha256" for frame in frames]}


def catalogs_of(wildcards):
    """The star and galaxy catalogues of a field's camcol, by kind, and the records of their SHA-256."""
    keys = archive_keys(Field.parse(wildcards.field))
    catalogs = {kind: CATALOG.format(kind=kind, **keys) for kind in ("star", "gal")}
    return catalogs | {"records": [f"{catalog}.sha256" for catalog in catalogs.values()]}


def archive_keys(field):
    """Wildcards of a field's files in the archive."""
    return {
        "rerun": field.rerun,
        "run": f"{field.run:06d}",
        "camcol": field.camcol,
        "number": f"{field.field:04d}",
    }


def neighbours_of(wildcards):
    """Numbers of the configured fields of the same camcol that share rows with a field, comma-separated."""
    own = Field.parse(wildcards.field)
    beside = [dataclasses.replace(own, field=own.field + step) for step in (-1, 1)]
    return ",".join(str(field.field) for field in beside if field in BUCKETS)


def sets_of(*names):
    """Lists of sets, with the patches of an experiment; {training} stands for what the experiment learns from."""

    def lists(wildcards):
        experiment = EXPERIMENTS[wildcards.experiment]
        sets = [name.format(training=experiment.training_set) for name in names]
        return expand(SET, size=experiment.patch_size, set=sets)

    return lists


def auxiliary_of(wildcards):
    """What the networks of an experiment are told beside the patches, as an option of a script."""
    return option("auxiliary", " ".join(EXPERIMENTS[wildcards.experiment].settings["auxiliary"]))


def training_fields(experiment):
    """Fields an experiment learns from."""
    return TRAINING_SETS[EXPERIMENTS[experiment].training_set]


def compared(comparison):
    """The experiments of a comparison, the base first, each with what it has of that which is varied."""
    block = settings.all_comparisons(config)[comparison]
    return {
        name: {key: EXPERIMENTS[name].settings.get(key) for key in settings.changed_keys(block)}
        for name in (block["base"], *VARIED[comparison])
    }


def grows(amount):
    """Memory or time a job asks for: as much again at each attempt, so that what a cluster has killed is done later."""

    def asked(wildcards, attempt):
        return attempt * amount

    # Snakemake asks for it at every job, and to work it out takes longer than all else that is done with `asked`.
    asked.__signature__ = inspect.signature(asked)
    return asked


def fields_with_patches(size):
    """Fields whose patches of a size are made: those that an experiment reads, and those that are shown."""
    read = [training_fields(name) for name in OF_EVERY_RUN if EXPERIMENTS[name].patch_size == size]
    if read:
        read.append(fields_in("validation", "test"))
    if size == config["patches"]["size"]:
        read.append(EXAMPLES)
    return sorted(set().union(*read))


def flag(name, value):
    """A yes/no option of a script."""
    return f"--{name}" if value else f"--no-{name}"


def option(name, value):
    """An option of a script, left out where there is no value."""
    return "" if value is None or value == "" else f"--{name} {shlex.quote(str(value))}"


def bucket_options():
    """The fields of each bucket as options of a script."""
    return " ".join(option(bucket, format_fields(fields_in(bucket))) for bucket in settings.BUCKETS)


def shown_on_page(files, chapters):
    """Tables and figures as the page shows them, in the order of the chapters; what none lists ends the last."""
    order = [(chapter, pattern) for chapter, patterns in chapters.items() for pattern in patterns]
    order.append((list(chapters)[-1], "*"))
    placed = []
    for file in files:
        name = os.path.relpath(file, RESULTS)
        place = next(place for place, (_, pattern) in enumerate(order) if fnmatch.fnmatch(name, pattern))
        placed.append((place, {"name": name, "file": file, "chapter": order[place][0], **reported(file)}))
    return [item for _, item in sorted(placed, key=lambda pair: pair[0])]


def reported(file):
    """Title and caption of a table or figure, as its rule gives them to report()."""
    for maker in workflow.rules:
        for output in maker.output:
            match = output.match(file)
            if match and "report" in output.flags:
                said = output.flags["report"]
                title = said.labels["what"].format(**match.groupdict())
                caption = os.path.relpath(said.caption.get_path_or_uri(secret_free=True))
                return {"title": title[0].upper() + title[1:].replace("_", " "), "caption": caption}
    raise WorkflowError(f"{file} is to be on the page, but its rule does not give it to report()")


def group_options(name, groups):
    """Files of fields as options of a script, FIELDS=PATH each."""
    return " ".join(option(name, f"{format_fields(fields)}={path}") for path, fields in groups.items())


def fields_of_camcol(wildcards):
    """Configured fields of a camcol."""
    keys = {key: wildcards[key] for key in ("rerun", "run", "camcol")}
    own = {key: int(value) for key, value in keys.items()}
    return [
        field for field in fields_in(*settings.BUCKETS) if {key: getattr(field, key) for key in own} == own
    ]


def in_mirror(name, template, **more):
    """Path of a file of a field, by its name, in the mirror of real files; the template is frame or catalog."""
    mirror = os.getenv("STARGAL_MIRROR")
    if mirror is None:
        raise WorkflowError(
            "STARGAL_MIRROR is not set: realism is measured against a folder of real frames in the archive's layout"
        )
    path = config["archive"]["releases"][config["archive"]["release"]][template]
    return os.path.join(mirror, path.format(**dataclasses.asdict(Field.parse(name)), **more))


def real_frames_of(wildcards):
    """The five frames of a field in the mirror, in the order of the bands."""
    return [in_mirror(wildcards.field, "frame", band=band) for band in config["bands"]]
