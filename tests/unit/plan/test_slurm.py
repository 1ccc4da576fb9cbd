"""Interrupting a run cancels its SLURM jobs by the ID of the run, also those submitted meanwhile."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from stargal.plan.slurm import cancel_jobs, run_id

CALL = "--quiet --name=run-1"
"""Arguments of scancel."""

SCANCEL = f"""#!{sys.executable}
import pathlib, sys
with pathlib.Path(__file__).with_name("calls").open("a") as calls:
    print(*sys.argv[1:], file=calls)
"""
RUN = """
import sys, time
from stargal.plan import slurm
slurm.AGAIN = 0.1
slurm.cancel_when_interrupted("run-1")
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.read()
"""
"""It ends when its input is closed."""

DEAF = """
import signal, threading
from stargal.plan import slurm
slurm.AWAKE = 0.1
slurm.cancel_when_interrupted("run-1")
lock = threading.Lock()
lock.acquire()
threading.Timer(0.5, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT)).start()
try:
    lock.acquire()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
"""The signal arrives in another thread, and the main thread waits on."""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in PATH with a scancel that writes down its arguments."""
    (tmp_path / "scancel").write_text(SCANCEL)
    (tmp_path / "scancel").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "workflow"))
    return tmp_path


@contextmanager
def started(code: str) -> Iterator[Any]:
    """A process that has said that it is ready."""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout and run.stdout.readline() == "ready\n"
        yield run


def calls(path: Path) -> list[str]:
    return (path / "calls").read_text().splitlines() if (path / "calls").exists() else []


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("host: login1\nSLURM run ID: 0a1b-2c\nBuilding DAG of jobs...\n", "0a1b-2c"),
        ("SLURM run ID: survey_0a1b-2c\n", "survey_0a1b-2c"),
        ("host: login1\nBuilding DAG of jobs...\n", None),
    ],
)
def test_id_of_a_run(tmp_path: Path, log: str, expected: str | None) -> None:
    (tmp_path / "log").write_text(log)
    assert run_id(str(tmp_path / "log")) == run_id([str(tmp_path / "none"), str(tmp_path / "log")]) == expected


def test_no_log_no_id(tmp_path: Path) -> None:
    assert run_id(str(tmp_path / "none")) is run_id([]) is None


@pytest.mark.parametrize("meanwhile", [0, 2])
def test_an_interrupt_cancels_until_the_run_has_ended(path: Path, meanwhile: int) -> None:
    """Snakemake hears of the interrupt, too; the last call comes when nothing can be submitted any more."""
    with started(RUN) as run:
        assert calls(path) == []
        run.send_signal(signal.SIGINT)
        assert run.stdout.readline() == "interrupted\n"
        deadline = time.monotonic() + 60
        while len(calls(path)) < meanwhile:
            assert time.monotonic() < deadline, "no more calls"
            time.sleep(0.05)
        run.stdin.close()
        assert run.wait(timeout=30) == 0
    assert set(calls(path)) == {CALL} and len(calls(path)) > meanwhile


def test_a_run_that_ends_at_once_cancels_too(path: Path) -> None:
    """The process may end before its other thread has heard of the interrupt."""
    slow = "import os; read = os.read; os.read = lambda *given: (read(*given), time.sleep(1))[0]\n"
    with started(RUN.replace("from stargal", slow + "from stargal", 1)) as run:
        run.send_signal(signal.SIGINT)
        run.stdin.close()
        assert run.wait(timeout=30) == 0
    assert set(calls(path)) == {CALL}


def test_the_main_thread_cannot_sleep_through_an_interrupt(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DEAF], timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")
    assert set(calls(path)) == {CALL}


def test_a_run_that_is_not_interrupted_cancels_nothing(path: Path) -> None:
    code = RUN.replace("time.sleep(60)", "pass")
    assert subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, timeout=30).returncode == 0
    time.sleep(0.2)
    assert calls(path) == []


def test_without_scancel_the_interrupt_is_only_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cancel_jobs("run-1")
