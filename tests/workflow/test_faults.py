"""Faults during a run: reported on one line, nothing is half-written, and a plain rerun repairs it.

The long ones run with `make faults`.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kill_runs import UNFINISHED, Killed, digests_of, kill_and_resume, start, state_of
from test_bad_input import refused

from archive_server import ArchiveServer, deaf_port
from conftest import ROOT, Project
from made_archive import MadeField, frame_bytes, frame_path, make_image
from stargal.io.files import record_of, sha256
from stargal.survey.fields import COLUMNS, ROWS, Field

FIRST, SECOND = Field(301, 1000, 1, 100), Field(301, 1000, 1, 110)
CUBES = [f"results/made/aligned/{field.name}.fits" for field in (FIRST, SECOND)]
SNAKEMAKE = 220.0
"""Memory of the two Snakemake processes of a SLURM job, MB (docs/howto/cluster.md)."""
PATCHES = f"results/made/patches/catalog/15/{FIRST.name}.npy"


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own at a folder."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """Give a small disk other options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def flip(path: Path, *, quietly: bool = False) -> None:
    """Flip one bit in the middle of a file; quietly, as a disk does it, without another time."""
    times = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 16
    path.write_bytes(data)
    if quietly:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def said(project: Project) -> str:
    return (project.folder / "run.log").read_text()


def wait_until(project: Project, text: str) -> None:
    """Wait until a started run has said something."""
    deadline = time.monotonic() + 120
    while text not in said(project):
        assert time.monotonic() < deadline, said(project)
        time.sleep(0.05)


# In `make test` -------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_killed_twice(project: Project, server: ArchiveServer, tmp_path: Path):
    """A field on one processor in another folder, killed at two moments; `make faults` has 25, with training."""
    expected = digests_of(project)
    folder = tmp_path / "killed"
    folder.mkdir()
    killed = Project(folder, server.url)
    before, result = len(server.requests), Killed()
    kill_and_resume(killed, expected, [random.Random(2).uniform(3, 6), 6.0], result, PATCHES, processors=1)
    assert result.kills >= 1
    assert len(server.requests) - before <= 7 + 2 * result.kills


def test_manifest_lists_all_that_was_made(project: Project):
    manifest = project.result("manifest.sha256")
    made = {path for path in manifest.parent.rglob("*") if path.is_file() and path.suffix != ".sha256"}
    listed = {manifest.parent / line.split("  ")[1] for line in manifest.read_text().splitlines()}
    assert listed == made
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", manifest.name], cwd=manifest.parent, check=True)


def test_verify_names_every_damage(project: Project):
    """Bits that flip under a file's old time are not seen by Snakemake, but by this."""
    said = project.run("verify")
    assert " MB are as recorded" in said
    harmed = [
        project.folder / CUBES[0],
        project.result("figures/roc.svg"),
        project.result("models/base_small/seed1/model.keras"),
        project.folder / "resources/made/frames/301/frame-g-001000-1-0110.fits.bz2",
    ]
    removed = project.result("tables/scores.csv")
    removed.rename(project.folder / "scores.csv")
    for path in harmed:
        flip(path, quietly=True)
    try:
        done = project.snakemake("verify")
    finally:
        for path in harmed:
            flip(path, quietly=True)
        (project.folder / "scores.csv").rename(removed)
    assert done.returncode != 0
    for path in harmed:
        assert f"changed: {path.relative_to(project.folder)}: its bytes are not those recorded" in done.stdout
    assert f"missing: {removed.relative_to(project.folder)}" in done.stdout
    assert "error: 5 files are not as recorded" in done.stdout


def test_two_runs_at_once(broken):
    """The second says so and leaves the first alone."""
    project, _ = broken
    first = start(project, CUBES[0])
    wait_until(project, "Fetching the frames")
    first.send_signal(signal.SIGSTOP)  # or it might be done before the second has begun
    second = project.snakemake(CUBES[0])
    first.send_signal(signal.SIGCONT)
    assert second.returncode != 0 and "Directory cannot be locked" in second.stdout
    assert first.wait() == 0, said(project)
    assert (project.folder / CUBES[0]).exists()


# In `make faults` -----------------------------------------------------------------------------------------------


def without_network(project: Project, folder: Path, url: str) -> str:
    """A whole run that cannot reach the archive: one line, and only the first downloads wait. Returns what it said."""
    temporary = folder / "tmp"
    temporary.mkdir()
    before = state_of(project)
    project.config["archive"] = {"url": url}
    project.write_config()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setenv("NO_PROXY", "127.0.0.1,archive.invalid")
        told = refused(project, "cannot be reached: ")
    assert before.items() <= state_of(project).items()
    assert list(temporary.glob("stargal*")) == []
    failed = [log.read_text() for log in (project.folder / "logs/made").glob("download_*/*.log")]
    failed = [log for log in failed if "cannot be reached" in log]
    assert len(failed) >= 4 and sum("attempt 1 of" in log for log in failed) <= 2  # two downloads at a time
    return told


@pytest.mark.long
@pytest.mark.parametrize("kind", ["unknown", "silent"])
def test_no_network(broken, tmp_path: Path, kind: str):
    """A name that is not known, and an address that does not answer; with the right one the run goes on."""
    project, archive = broken
    with deaf_port() as silent:
        without_network(project, tmp_path, {"unknown": "http://archive.invalid", "silent": silent}[kind])
    project.config["archive"] = {"url": f"file://{archive}"}
    project.write_config()
    project.run(CUBES[0])


@pytest.mark.long
def test_the_network_is_lost(broken, tmp_path: Path):
    """After a field has come. What is there is kept and used, though its archive cannot be reached."""
    project, archive = broken
    with ArchiveServer(archive) as server:
        project.config["archive"] = {"url": server.url}
        project.write_config()
        project.run(CUBES[0])
    without_network(project, tmp_path, server.url)
    (project.folder / CUBES[0]).unlink()
    project.run(CUBES[0])


@pytest.mark.long
def test_a_crowded_field(broken):
    """15,000 sources, as toward the Galactic plane: a catalogue, within the memory that is asked for."""
    project, archive = broken
    rng, count = np.random.default_rng(1), 16_000
    x, y = rng.uniform(40, COLUMNS - 40, count), rng.uniform(40, ROWS - 40, count)
    stars = MadeField(x, y, np.ones(count, int), 10 ** rng.uniform(0.3, 2, count))
    for band in "ugriz":
        frame = frame_path(archive, FIRST, band)
        frame.unlink()
        frame.write_bytes(frame_bytes(FIRST, band, make_image(stars, band)))
    project.config |= {
        "sky": "crowd",
        "skies": project.config["skies"] | {"crowd": {"origin": "archive"}},
        "classify": {"fields": [FIRST.name]},
    }
    project.write_config()
    catalog = f"results/crowd/catalogs/{FIRST.name}.parquet"
    detections = f"results/made/sources/detections/{FIRST.name}.parquet"
    for rule, file, target in [
        ("catalog_field", "classify", catalog),
        ("detect_sources", "dataset", detections),
    ]:
        rules = (ROOT / f"workflow/rules/{file}.smk").read_text()
        asked = float(re.findall(rf"rule {rule}:.*?asks\((\d+),", rules, re.DOTALL)[0])
        used = peak_memory(project, target)
        print(f"{rule}: {used:.0f} MB, {asked:.0f} MB asked for")
        assert used + SNAKEMAKE < asked
        assert len(pd.read_parquet(project.folder / target)) > 10_000


def peak_memory(project: Project, target: str) -> float:
    """Peak memory of the largest process of a run, MB. Snakemake's benchmarks look every half minute only."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-m", "snakemake", target, "--configfile", "made.yaml", "--cores", "1"]
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=project.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout) / 1024


@pytest.mark.long
def test_a_whole_run_from_a_notebook(project: Project, server: ArchiveServer, tmp_path: Path):
    """With other settings of all libraries, and another Python and no Snakemake in PATH: the same bytes."""
    home, folder = tmp_path / "home", tmp_path / "hostile"
    for name, text in {
        ".keras/keras.json": '{"image_data_format": "channels_first", "floatx": "float64"}',
        ".config/matplotlib/matplotlibrc": "font.size: 30\n",
    }.items():
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(text)
    folder.mkdir()
    hostile = Project(folder, server.url)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--configfile", "made.yaml", "--cores", "2"],
        cwd=folder,
        env={
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "KERAS_BACKEND": "jax",
            "PANDAS_FUTURE_INFER_STRING": "1",
            "PYTHONOPTIMIZE": "2",
            "TF_ENABLE_ONEDNN_OPTS": "0",
            "LC_ALL": "C",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert digests_of(hostile) == digests_of(project)


@pytest.mark.long
@pytest.mark.parametrize("quiet", [[], ["rules"], ["rules", "progress"], ["all"]], ids=" ".join)
def test_the_reason_is_seen_at_the_end(broken, quiet: list[str]):
    project, archive = broken
    frame_path(archive, FIRST, "g").unlink()
    frame = "resources/made/frames/301/frame-g-001000-1-0100.fits.bz2"
    done = project.snakemake(frame, *(["--quiet", *quiet] if quiet else []))
    assert done.returncode != 0
    last = [line for line in done.stdout.splitlines() if line][-6:]
    assert sum(line.startswith("error: ") and "frame-g-001000-1-0100.fits.bz2" in line for line in last) == 1, last


@pytest.mark.long
@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"classify": {"classifier": "/a/typo"}}, "classify.classifier: no model.onnx in /a/typo"),
        ({"bands": list("zirgu")}, "takes bands ugriz, but `bands` of the configuration has zirgu"),
        ({"classify": {"classifier": "mixed"}}, "is not the model that mixed/classifier.json describes"),
        (
            {"classify": {"fields": ["301-9999-1-11"]}},
            "classify.fields: 301-009999-1-0011: the archive has no run 9999",
        ),
        ({"archive": {"url": "no/such/folder"}}, "archive.url: "),
        ({"sky": "hers"}, "sky: found 'hers', allowed are the names in skies"),
    ],
    ids=["no classifier", "another order", "model and card", "no run", "no archive", "no sky"],
)
def test_told_before_any_job(broken, sections: dict[str, Any], expected: str):
    """What the configuration names wrongly: one line, and nothing is made."""
    project, _ = broken
    released = ROOT / "resources/classifiers/stargal_1"
    shutil.copytree(released, project.folder / "mixed")
    with (project.folder / "mixed/model.onnx").open("ab") as stream:
        stream.write(b"another")
    classify = {"classifier": "resources/classifiers/stargal_1", "fields": [FIRST.name]}
    sections = sections | {"classify": classify | sections.get("classify", {})}
    with project.configured(**sections):
        done = project.snakemake()
    assert done.returncode != 0 and "Job stats" not in done.stdout
    assert sum(expected in line for line in done.stdout.splitlines()) == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert not (project.folder / "results").exists() and not (project.folder / "resources/made").exists()


@pytest.mark.long
def test_ctrl_c(broken):
    """Nothing half-written under any name; no --unlock; what was done stays."""
    project, _ = broken
    moments = random.Random(3)
    for _ in range(3):
        run = start(project, *CUBES)
        wait_until(project, "Fetching the frames")
        time.sleep(moments.uniform(0, 4))
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait() != 0
        for path in (project.folder / "results").rglob("*.fits"):
            assert sha256(path) == record_of(path).read_text().split()[0]
        assert not list(project.folder.rglob("*.partial"))
    before = state_of(project)
    project.run(*CUBES)
    after = state_of(project)
    assert {name: after[name] for name in before} == before
    assert not [path for path in project.folder.rglob("*") if path.name.endswith(UNFINISHED)]


@pytest.mark.long
def test_full_disk(broken):
    """Room for one cube of two: the other is told; with more room it is made, and the first is left alone."""
    project, _ = broken
    with small_disk(project.folder / "results/made", "120m") as disk:
        told = refused(project, "cannot be written: ", *CUBES)
        assert "see that the disk has room" in told
        (made,) = disk.rglob("*.fits")
        before = made.stat()
        remount(disk, "size=400m")
        project.run(*CUBES)
        assert (made.stat().st_ino, made.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.long
def test_full_disk_under_the_downloads(broken):
    project, _ = broken
    frame = "resources/made/frames/301/frame-g-001000-1-0100.fits.bz2"
    with small_disk(project.folder / "resources/made", "100k") as disk:
        done = project.snakemake(frame)
        lines = {line for line in done.stdout.splitlines() if line.startswith("error: ")}
        assert done.returncode != 0 and len(lines) == 1 and "No space left on device" in lines.pop(), done.stdout
        assert not (project.folder / frame).exists()
        remount(disk, "size=100m")
        project.run(frame)


@pytest.mark.long
def test_read_only_results(broken):
    """Snakemake finds it out, before any script of ours; what was there stays, and the run goes on from it."""
    project, _ = broken
    with small_disk(project.folder / "results/made", "400m") as disk:
        project.run(CUBES[0])
        before = state_of(project)
        remount(disk, "ro")
        done = project.snakemake(*CUBES)
        assert done.returncode != 0 and f"Read-only file system: '{CUBES[1]}" in done.stdout
        remount(disk, "rw")
        project.run(*CUBES)
        assert before.items() <= state_of(project).items()


@pytest.mark.long
def test_config_changed_while_running(broken):
    """What began with the old configuration does not pass for the new one's."""
    project, _ = broken
    run = start(project, PATCHES)
    wait_until(project, "Aligning the bands")
    with project.configured(sources={"magnitude_limit": 20.0}):
        assert run.wait() == 0, said(project)
        old = project.folder.joinpath(PATCHES).read_bytes()
        assert project.planned(PATCHES) == {"select_sources": 1, "extract_patches": 1}
        project.run(PATCHES)
        assert project.planned(PATCHES) == {}
        assert len(project.folder.joinpath(PATCHES).read_bytes()) < len(old)


@pytest.mark.long
def test_damage_is_refused_and_repaired(broken):
    """A bit of each kind of file under resources and results: no job goes on with it, and removing it repairs all."""
    project, _ = broken
    frame = "resources/made/frames/301/frame-g-001000-1-0100.fits.bz2"
    catalog = "resources/made/catalogs/301/calibObj-001000-1-star.fits.gz"
    sources, report = f"results/made/sources/catalog/{FIRST.name}.parquet", f"results/made/aligned/{FIRST.name}.json"
    table, figure = "results/made/tables/footprints.csv", f"results/made/figures/patches/15/{FIRST.name}.png"
    project.run(figure, table)
    expected = digests_of(project)
    for name, user in [
        (frame, CUBES[0]),
        (catalog, sources),
        (CUBES[0], PATCHES),
        (sources, PATCHES),
        (report, table),
        (PATCHES, figure),
    ]:
        path = project.folder / name
        flip(path)
        refused(project, f"{name}: its bytes are not those recorded", user)
        path.unlink()
        # By name: what is made already does not need it any more.
        project.run(frame, catalog, CUBES[0], sources, PATCHES, table, figure)
        assert digests_of(project) == expected, f"after {name}"
    shutil.rmtree(project.folder)
