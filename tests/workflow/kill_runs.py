"""Kill whole runs with SIGKILL at random moments, go on with a plain run each time, and compare with a run left alone.

`make faults`. It takes made fields over HTTP through every stage, training included. Each run is killed again and again
until it has ended or the kills are used up; at last one runs on a single processor in another folder. After each kill
and after each end it looks whether

- every file under its name is the one of the undisturbed run, byte for byte;
- nothing that was done is done again: its file is the same inode with the same time;
- the archive was asked again for no file that had come.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64decode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from archive_server import ArchiveServer
from conftest import Project
from made_archive import make_archive
from stargal.io.files import ORIGIN, sha256
from stargal.survey.fields import Field

FIELDS = {
    Field(301, 1000, 1, 100): "train",
    Field(301, 1000, 1, 120): "validation",
    Field(301, 1000, 1, 130): "test",
}
UNFINISHED = (".partial", ".part", ".part.validator")
"""Ends of the names of what a killed job may leave."""

LONGEST = 0.15
"""The longest time before a kill, as a share of what the undisturbed run took; a seventh brings a run some jobs on."""

State = dict[str, tuple[int, int]]
"""Inode and time of change of each file."""


@dataclass
class Killed:
    """Results of the kills."""

    kills: int = 0
    ends: int = 0
    running: int = 0
    jobs: list[int] = field(default_factory=list)


def state_of(project: Project) -> State:
    """Every file of resources and results that has its name."""
    files = [path for name in ("resources", "results") for path in (project.folder / name).rglob("*")]
    return {
        str(path.relative_to(project.folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in files
        if path.is_file() and not path.name.endswith(UNFINISHED)
    }


def digests_of(project: Project) -> dict[str, str]:
    """SHA-256 of every file of resources and results that has its name, without the address of the archive."""
    return {name: sha256(project.folder / name) for name in state_of(project) if not name.endswith(ORIGIN)}


def outputs_of_running_jobs(project: Project) -> set[str]:
    """What Snakemake had noted as begun and not as ended."""
    notes = project.folder / ".snakemake/incomplete"
    names = ["".join(part.lstrip("@") for part in note.relative_to(notes).parts) for note in notes.rglob("*")]
    return {urlsafe_b64decode(name).decode() for name in names if name != "migration_underway"}


def start(project: Project, *targets: str, processors: int = 2) -> subprocess.Popen[bytes]:
    """Start snakemake as the leader of a process group of its own, on so many of the processors."""
    allowed = ",".join(map(str, sorted(os.sched_getaffinity(0))[:processors]))
    command = ["taskset", "--cpu-list", allowed, sys.executable, "-m", "snakemake", "--configfile", "made.yaml"]
    command += ["--cores", str(processors), *targets]
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    with (project.folder / "run.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=project.folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def jobs_done(project: Project) -> int:
    """Jobs that ended, over all runs in a folder."""
    log = project.folder / "run.log"
    return log.read_text().count("Finished jobid: ") if log.exists() else 0


def processes_in(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue  # it has ended meanwhile, or is not ours
    return found


def kill(run: subprocess.Popen[bytes], project: Project) -> None:
    """Kill all of a run at once, as a power cut would."""
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    deadline = time.monotonic() + 10
    while processes_in(project.folder):
        assert time.monotonic() < deadline, "a job outlives the kill of its process group"
        time.sleep(0.05)


def check_files(project: Project, expected: dict[str, str]) -> None:
    """Whatever has its name has the right bytes."""
    for name, digest in digests_of(project).items():
        assert expected.get(name) == digest, f"{name} differs from the undisturbed run's"


def check_kept(before: State, after: State, running: set[str]) -> None:
    """Nothing that was done has been done again."""
    for name, identity in before.items():
        if name.removesuffix(".sha256") not in running:
            assert after.get(name) == identity, f"{name} was there already and has been made again"


def kill_and_resume(
    project: Project,
    expected: dict[str, str],
    delays: list[float],
    result: Killed,
    *targets: str,
    processors: int = 2,
) -> None:
    """Kill a run after each delay (seconds) until it has ended or the delays are used up; then let it end.

    Takes the delays it uses off the list.
    """
    before, running = state_of(project), set[str]()
    while True:
        run = start(project, *targets, processors=processors)
        try:
            code = run.wait(delays[0] if delays else None)
        except subprocess.TimeoutExpired:
            delays.pop(0)
            kill(run, project)
            result.kills += 1
        else:
            assert code == 0, (project.folder / "run.log").read_text()[-3000:]
            result.ends += 1
            check_kept(before, state_of(project), running)
            break
        check_files(project, expected)
        after = state_of(project)
        check_kept(before, after, running)
        before, running = after, outputs_of_running_jobs(project)
        result.running += len(running)
        print(f"kill {result.kills}: {len(after)} files, {len(running)} outputs of running jobs", flush=True)
        unlocked = project.snakemake("--unlock")
        assert unlocked.returncode == 0, unlocked.stdout
    result.jobs.append(jobs_done(project))
    found = digests_of(project)
    assert found == {name: expected[name] for name in found}
    leftovers = [path for path in project.folder.rglob("*") if path.name.endswith(UNFINISHED)]
    assert leftovers == [], leftovers
    assert project.planned(*targets) == {}


def check_requests(server: ArchiveServer, fetched: Counter[str], interrupted: int) -> None:
    """A request a file, and one more at most for each of those that a kill interrupted."""
    again = sum(fetched.values()) - len(fetched)
    assert again <= interrupted, fetched.most_common(5)


def make_project(folder: Path, url: str) -> Project:
    """A project of three made fields and one experiment."""
    folder.mkdir(parents=True)
    project = Project(folder, url)
    project.write_fields(FIELDS)
    config = folder / "config/config.yaml"
    default = yaml.safe_load(config.read_text())
    default |= {"experiments": {"base_small": default["experiments"]["base_small"]}, "studies": {}}
    default["report"]["best"] = "base_small"
    config.write_text(yaml.safe_dump(default))
    project.config = project.config | {"comparisons": {"augmentation_small": None, "augmentation_large": None}}
    project.write_config()
    return project


def main(kills: int, seed: int, folder: Path) -> None:
    """Kill runs so many times, and print the result."""
    make_archive(folder / "archive", list(FIELDS))
    with ArchiveServer(folder / "archive") as server:
        project = make_project(folder / "undisturbed", server.url)
        since = time.monotonic()
        code = start(project).wait()
        took = time.monotonic() - since
        assert code == 0, (project.folder / "run.log").read_text()[-3000:]
        expected, jobs = digests_of(project), jobs_done(project)
        print(f"undisturbed: {jobs} jobs, {len(expected)} files, {took:.0f} s", flush=True)
        random_moments = random.Random(seed)
        delays = [random_moments.uniform(0, LONGEST) * took for _ in range(kills)]
        result, interrupted, asked = Killed(), 0, Counter[str]()
        while delays:
            server.requests.clear()
            project = make_project(folder / f"killed{result.ends}", server.url)
            kills_before = result.kills
            kill_and_resume(project, expected, delays, result)
            assert digests_of(project) == expected
            fetched = Counter(request.path for request in server.asked_for(".fits"))
            check_requests(server, fetched, 2 * (result.kills - kills_before))
            interrupted += sum(fetched.values()) - len(fetched)
            asked += fetched
            verified = project.snakemake("verify")
            assert verified.returncode == 0, verified.stdout
            shutil.rmtree(project.folder)
        again = sum(result.jobs) - result.ends * jobs
        print(
            f"{result.kills} kills, {result.ends} runs came to their end with the bytes of the undisturbed one; "
            f"{result.running} outputs belonged to running jobs, {max(again, 0)} ended jobs were done again; "
            f"{sum(asked.values())} requests, {interrupted} of them for files whose transfer a kill had interrupted",
            flush=True,
        )
        single = make_project(folder / "another/place", server.url)
        code = start(single, processors=1).wait()
        assert code == 0, (single.folder / "run.log").read_text()[-3000:]
        assert digests_of(single) == expected
        shutil.rmtree(single.folder)
        print("on one processor, in another folder: the same bytes", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        main(arguments.kills, arguments.seed, Path(name).resolve())
