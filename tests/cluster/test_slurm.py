"""profiles/slurm on a real SLURM of one node (tests/slurm.sh): `make test-slurm`.

The default experiment at reduced size goes through sbatch, while everything happens to it that happens on a cluster: a
job asks for too little memory, the node is drained. What comes out must be what a run without a cluster makes.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FIELDS = {174: "train", 120: "validation", 80: "test"}
SIMULATED = [f"301_008162_6_{field:04d}" for field in FIELDS] + ["301_008162_3_0080"]
"""The fields in buckets, and one that is classified only (`classify.fields` of the default experiment)."""

TOO_LITTLE = 200
"""Memory that align_field is made to ask for at first, MB. It takes 300, that of Snakemake included."""

ENVIRONMENT = os.environ | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "OMP_NUM_THREADS": "1",
}
HERE = ["--cores", "2", "--latency-wait", "20"]
"""What a test sets otherwise than the profile: two CPUs are all there are, and no network lies between them."""

IMPATIENT = ["--slurm-init-seconds-before-status-checks", "2"]

GPU = [
    "--set-resources",
    *(f"{rule}:{what}" for rule in ("train_network",) for what in ("slurm_partition=gpu", "gres=gpu:1")),
]


def ask(*command: str) -> list[str]:
    """Lines that a command of SLURM prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.splitlines()


def queue() -> Counter[str]:
    """How many jobs are in which state."""
    return Counter(ask("squeue", "--noheader", "--format=%T"))


def all_submitted() -> bool:
    """Whether each field has its job, and one of them runs."""
    return queue()["RUNNING"] > 0 and queue().total() == len(SIMULATED)


def wait_for(what: str, happened: Callable[[], bool], seconds: int = 600) -> None:
    """Wait until something has happened, and fail if it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"{what}: not within {seconds} s; {queue()}"
        time.sleep(0.5)


@dataclass
class Job:
    """A SLURM job as the accounting has it."""

    number: int
    state: str
    memory: str
    partition: str
    resources: str
    comment: str


def accounted(since: int = 0) -> list[Job]:
    """Jobs after a given one, in the order of their numbers."""
    columns = "jobid,state,reqmem,partition,alloctres,comment"
    rows = ask("sacct", "--allocations", "--noheader", "--parsable2", "--starttime=now-1days", f"--format={columns}")
    jobs = [Job(int(row.split("|")[0]), *row.split("|")[1:]) for row in rows]
    return sorted((job for job in jobs if job.number > since), key=lambda job: job.number)


def last_job() -> int:
    return max((job.number for job in accounted()), default=0)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A SLURM of one node with two partitions, main and gpu."""
    if os.getuid() != 0 or not Path("/etc/debian_version").exists():
        pytest.skip("starting a SLURM takes root on Debian")
    missing = [name for name in ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd") if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: bash tests/slurm.sh install")
    if Path("/etc/slurm/slurm.conf").exists():
        pytest.skip("/etc/slurm/slurm.conf: this machine has a SLURM, which is left alone")
    folder = tmp_path_factory.mktemp("slurm")
    script = ["bash", str(ROOT / "tests/slurm.sh")]
    try:
        with (folder / "up.log").open("w") as log:
            subprocess.run([*script, "up", str(folder)], check=True, timeout=180, stdout=log, stderr=log)
        yield
    finally:
        with (folder / "down.log").open("w") as log:
            subprocess.run([*script, "down", str(folder)], check=True, timeout=180, stdout=log, stderr=log)


def make_project(folder: Path) -> Path:
    """A copy of the workflow with three fields and short trainings."""
    for name in ("workflow", "config", "profiles", "envs", "resources/classifiers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    rows = [f"301\t8162\t6\t{field}\t{bucket}\n" for field, bucket in FIELDS.items()]
    (folder / "config/fields.tsv").write_text("rerun\trun\tcamcol\tfield\tbucket\n" + "".join(rows))
    small = {
        "training": {"max_epochs": 2},
        "evaluation": {"resamples": 100},
        "comparisons": {"augmentation_small": None, "augmentation_large": None},
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(small))
    return folder


def start(project: Path, *arguments: str, first_in_path: Path | None = None) -> subprocess.Popen[bytes]:
    """Start snakemake; what it says goes to run.log."""
    command = [sys.executable, "-m", "snakemake", "--configfile", "small.yaml", *arguments]
    path = os.pathsep.join([str(first_in_path), ENVIRONMENT["PATH"]]) if first_in_path else ENVIRONMENT["PATH"]
    with (project / "run.log").open("w") as log:
        return subprocess.Popen(
            command, cwd=project, env=ENVIRONMENT | {"PATH": path}, stdout=log, stderr=subprocess.STDOUT
        )


def slow_command(folder: Path, name: str) -> Path:
    """Put a command of SLURM that takes 15 s more into a folder; return the file that its call leaves there."""
    folder.mkdir()
    asked = folder / f"{name}.called"
    (folder / name).write_text(f'#!/bin/sh\ntouch {asked}\nsleep 15\nexec {shutil.which(name)} "$@"\n')
    (folder / name).chmod(0o755)
    return asked


def said(project: Path) -> str:
    return (project / "run.log").read_text()


@dataclass
class Finished:
    """A run through SLURM, and what was seen on the way."""

    project: Path
    jobs: list[Job]
    queue_while_drained: Counter[str]


@pytest.fixture(scope="session")
def finished(slurm: None, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A whole run: align_field asks for too little memory at first; the node is drained, and comes back."""
    project = make_project(tmp_path_factory.mktemp("cluster"))
    rules = project / "workflow/rules/align.smk"
    text = rules.read_text()
    assert text.count("asks(600,") == 1
    rules.write_text(text.replace("asks(600,", f"asks({TOO_LITTLE},"))
    node, since = ask("sinfo", "--noheader", "--format=%N")[0], last_job()
    run = start(project, "--workflow-profile", "profiles/slurm", *HERE, *IMPATIENT, *GPU)
    try:
        wait_for("a job for each field, one of them running", all_submitted)
        ask("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        wait_for("drained", lambda: ask("sinfo", "--noheader", "--format=%T")[0] == "drained")
        time.sleep(10)  # time enough for anything to start that should not
        drained = queue()
        ask("scontrol", "update", f"nodename={node}", "state=resume")
        run.wait(timeout=2400)
    finally:
        run.kill()
        run.wait(timeout=30)
        subprocess.run(["scancel", "--user=root"], check=True, timeout=30)
    assert run.returncode == 0, said(project)
    return Finished(project, accounted(since), drained)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same experiment without a cluster."""
    project = make_project(tmp_path_factory.mktemp("local"))
    run = start(project, "--cores", "2")
    assert run.wait(timeout=2400) == 0, said(project)
    return project


def test_heavy_jobs_go_through_sbatch(finished: Finished):
    """Fields each by themselves; sources, detections and patches of all fields in one job."""
    done = Counter(re.sub("_wildcards.*", "", job.comment) for job in finished.jobs if job.state == "COMPLETED")
    assert done == {
        "rule_simulate_field": 4,
        "rule_measure_field": 4,
        "rule_align_field": 4,
        "rule_patches_extract_patches_list_detections_select_sources": 1,
        "rule_train_network": 4,
        "rule_classify_field": 2,
        "rule_catalog_sky": 1,
    }


def test_a_job_short_of_memory_is_killed_and_tried_again_with_more(finished: Finished):
    aligned = [job for job in finished.jobs if "align_field" in job.comment]
    for field in SIMULATED:
        asked = [(job.memory, job.state) for job in aligned if job.comment.replace("-", "_").endswith(field)]
        assert asked == [(f"{TOO_LITTLE}M", "FAILED"), (f"{2 * TOO_LITTLE}M", "COMPLETED")]
    others = {job.state for job in finished.jobs if job not in aligned}
    assert others == {"COMPLETED"}
    logs = (finished.project / ".snakemake/slurm_logs/rule_align_field").rglob("*.log")
    assert sum("exceeded memory limit" in log.read_text() for log in logs) == len(SIMULATED)


def test_a_drained_node_delays_and_loses_nothing(finished: Finished):
    """While it is drained what is queued waits; later all of it is done, once."""
    assert finished.queue_while_drained["RUNNING"] == 0 and finished.queue_while_drained["PENDING"] > 0
    simulated = [job.comment for job in finished.jobs if "simulate_field" in job.comment]
    assert len(simulated) == len(set(simulated)) == len(SIMULATED)


def test_networks_go_to_the_partition_with_gpus(finished: Finished):
    for job in finished.jobs:
        network = job.comment.startswith("rule_train_network_")
        assert job.partition == ("gpu" if network else "main")
        assert ("gres/gpu=1" in job.resources) == network


def test_results_are_those_of_a_local_run(finished: Finished, local: Path):
    def contents(project: Path) -> dict[str, bytes]:
        files = [
            file for folder in ("results", "resources") for file in (project / folder).rglob("*") if file.is_file()
        ]
        return {str(file.relative_to(project)): file.read_bytes() for file in files}

    expected, found = contents(local), contents(finished.project)
    assert expected.keys() == found.keys()
    assert [path for path in expected if expected[path] != found[path]] == []
    assert {Path(path).suffix for path in found} >= {".fits", ".parquet", ".npy", ".keras", ".csv", ".svg", ".png"}


@pytest.mark.parametrize(
    ("slow", "submitted"),
    [
        (None, len(SIMULATED)),
        ("sacct", len(SIMULATED)),  # Snakemake forgets its jobs while it asks for their status
        ("sbatch", 1),  # and knows nothing of those that it is submitting
    ],
    ids=["waiting", "asking", "submitting"],
)
def test_interrupting_snakemake_cancels_the_jobs(slurm: None, tmp_path: Path, slow: str | None, submitted: int):
    """At the profile's own pace of status checks, and in the two moments in which Snakemake misses jobs."""
    project = make_project(tmp_path)
    asked = slow_command(tmp_path / "bin", slow) if slow else None
    pace = IMPATIENT if slow else []
    since = last_job()
    run = start(project, "--workflow-profile", "profiles/slurm", *HERE, *pace, first_in_path=tmp_path / "bin")
    try:
        wait_for("jobs, one of them running", lambda: queue()["RUNNING"] > 0 and queue().total() >= submitted)
        wait_for(f"a call of {slow}", lambda: asked is None or asked.exists())
        run.send_signal(signal.SIGINT)
        if slow == "sbatch":  # jobs may come until Snakemake has ended
            run.wait(timeout=300)
        wait_for("an empty queue", lambda: not queue(), seconds=60)
    finally:
        run.kill()
        run.wait(timeout=30)
        subprocess.run(["scancel", "--user=root"], check=True, timeout=30)

    def cancelled() -> bool:  # the accounting hears of it a little later
        jobs = accounted(since)
        return len(jobs) >= submitted and {job.state.split()[0] for job in jobs} == {"CANCELLED"}

    wait_for("account of it", cancelled, seconds=60)
