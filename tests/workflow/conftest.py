"""A copy of the workflow in a folder of its own, on an archive of made fields."""

import fcntl
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from archive_server import ArchiveServer
from made_archive import make_archive
from stargal.survey.fields import Field

ROOT = Path(__file__).parents[2]
FIELDS = {
    Field(301, 1000, 1, 100): "train",
    Field(301, 1000, 1, 110): "train",
    Field(301, 1000, 1, 120): "validation",
    Field(301, 1000, 1, 130): "test",
}
SPARE = Field(301, 1000, 1, 140)
"""A field that the archive has and the table of fields has not."""

CONFIG = {
    "sky": "made",
    "skies": {"made": {"origin": "archive", "fields": "config/fields.tsv"}},
    "patches": {"size": 15},
    "training_sets": {"small": ["301-1000-1-100"]},
    "training": {"max_epochs": 2},
    "comparisons": {
        "augmentation_small": {"vary": {"augmentation": ["blur_seeing"]}},
        "augmentation_large": None,
    },
    "evaluation": {"resamples": 100},
    "classify": {"classifier": None, "fields": ["301-1000-1-130"]},
}


@functools.cache
def planner() -> subprocess.Popen[str]:
    """The process that plans, until the tests end."""
    command = [sys.executable, str(ROOT / "tests/planner.py")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def pytest_sessionfinish() -> None:
    """End the process that plans."""
    if planner.cache_info().currsize:
        planner().communicate()


class Project:
    """The workflow in a folder, its configuration, and what snakemake says of it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.config = CONFIG | {"archive": {"url": url, "attempts": 2}}
        self.origin = folder / "resources/made/origin.json"
        for name in ("workflow", "config", "profiles", "envs", "resources/classifiers"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Snakefile", "README.md", "CITATION.cff"):
            shutil.copy(ROOT / name, folder)
        self.write_fields(FIELDS)
        self.write_config()

    def write_config(self) -> None:
        """Write the overlay that makes the default configuration this project's."""
        (self.folder / "made.yaml").write_text(yaml.safe_dump(self.config))

    def write_fields(self, fields: dict[Field, str]) -> None:
        """Write the table of fields."""
        rows = [f"{f.rerun}\t{f.run}\t{f.camcol}\t{f.field}\t{bucket}\n" for f, bucket in fields.items()]
        (self.folder / "config/fields.tsv").write_text("rerun\trun\tcamcol\tfield\tbucket\n" + "".join(rows))

    def adopt(self, finished: Path) -> None:
        """Take over all files of a finished run, whose archive had another address."""
        shutil.copytree(finished, self.folder, ignore=shutil.ignore_patterns("made.yaml"), dirs_exist_ok=True)
        self.origin.unlink()

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake in the folder; its output and errors are one text."""
        command = [sys.executable, "-m", "snakemake", "--configfile", "made.yaml", "--cores", "2", *arguments]
        environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
        return subprocess.run(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *arguments: str) -> str:
        """Run snakemake; it must succeed."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def plan(self, *arguments: str) -> str:
        """Return what a dry run prints, a second cheaper than `run`; it must succeed."""
        log = self.folder / "plan.log"
        order = [str(self.folder), str(log), ["-n", "--configfile", "made.yaml", "--cores", "2", *arguments]]
        stdin, stdout = planner().stdin, planner().stdout
        assert stdin and stdout
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        status = stdout.readline().strip()
        assert status == "0", log.read_text()
        return log.read_text()

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a run would start."""
        plan = self.plan(*arguments)
        if "Nothing to be done" in plan:
            return {}
        table = plan.partition("Job stats:")[2].partition("total")[0]
        return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.M) if rule != "all"}

    def result(self, path: str) -> Path:
        """A file below results/made."""
        return self.folder / "results/made" / path

    @contextmanager
    def edited(self, path: str, content: bytes | None = None, line: str = "") -> Iterator[None]:
        """Replace a file's content, or add a line to it, for a while."""
        file = self.folder / path
        before = file.read_bytes()
        try:
            file.write_bytes(before + f"\n{line}\n".encode() if content is None else content)
            yield
        finally:
            file.write_bytes(before)

    @contextmanager
    def configured(self, **sections: object) -> Iterator[None]:
        """Other values in sections of the configuration for a while."""
        before = self.config
        try:
            self.config = before | sections
            self.write_config()
            yield
        finally:
            self.config = before
            self.write_config()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all processes that test."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def made_once(path: Path) -> Iterator[bool]:
    """Whether a file or folder has still to be made; other processes wait at the same place."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not path.exists()


@pytest.fixture(scope="session")
def archive(shared: Path) -> Path:
    """An archive of made fields, made once; tests that break it take a copy."""
    root = shared / "archive"
    with made_once(root) as wanted:
        if wanted:
            make_archive(root, [*FIELDS, SPARE])
    return root


@pytest.fixture(scope="session")
def server(archive: Path) -> Iterator[ArchiveServer]:
    """The archive over HTTP."""
    with ArchiveServer(archive) as server:
        yield server


@pytest.fixture(scope="session")
def made(shared: Path, server: ArchiveServer) -> tuple[Path, list[str]]:
    """The folder of a project whose whole run is done, and what it asked for; made once for all processes that test."""
    folder, asked = shared / "made", shared / "asked.json"
    with made_once(asked) as wanted:
        if wanted:
            folder.mkdir()
            Project(folder, server.url).run()
            asked.write_text(json.dumps([request.path for request in server.requests]))
    return folder, json.loads(asked.read_text())


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, server: ArchiveServer, made: tuple[Path, list[str]]) -> Project:
    """A project whose whole run is done. Tests plan with it and leave it as it was."""
    project = Project(tmp_path_factory.mktemp("project"), server.url)
    project.adopt(made[0])
    return project


@pytest.fixture
def broken(tmp_path: Path, archive: Path) -> tuple[Project, Path]:
    """A fresh project on a copy of the archive that a test may break."""
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy, copy_function=os.link)
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, f"file://{copy}"), copy


@pytest.fixture
def finished(broken: tuple[Project, Path], made: tuple[Path, list[str]]) -> tuple[Project, Path]:
    """The same, with all results of a whole run."""
    broken[0].adopt(made[0])
    return broken
