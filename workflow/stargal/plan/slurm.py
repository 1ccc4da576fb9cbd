"""Cancel the SLURM jobs of an interrupted run.

On Ctrl-C, Snakemake 9.27 cancels the jobs that it has in its list. The list is empty while it asks for the status of
jobs, and jobs that are just being submitted are not in it yet. All jobs of a run have the run's ID as their name, so
they can be cancelled by it.
"""

import atexit
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

RUN_ID = re.compile(r"SLURM run ID: (\S+)")
"""Line of Snakemake's log with the ID of the run, written before the first job is submitted."""

AGAIN = 5.0
"""Seconds until jobs that were submitted meanwhile are cancelled, too."""

AWAKE = 1.0
"""Seconds in which the main thread should have heard of an interrupt."""

TIMEOUT = 60.0
"""Longest time that SLURM is given for its answer, seconds."""


def run_id(logs: str | Iterable[str]) -> str | None:
    """Return the ID of a run on SLURM from Snakemake's logs of the run; None if it runs elsewhere.

    Parameters
    ----------
    logs : str or iterable of str
        Paths of the logs: what Snakemake hands to ``onstart`` as ``log``. Some of its versions hand on one path.
    """
    for log in [logs] if isinstance(logs, str) else logs:
        try:
            found = RUN_ID.search(Path(log).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if found:
            return found[1]
    return None


def cancel_jobs(run: str) -> None:
    """Cancel all SLURM jobs of a run; failure is left to Snakemake's own report."""
    command = ["scancel", "--quiet", f"--name={run}"]
    try:
        subprocess.run(command, check=False, capture_output=True, timeout=TIMEOUT, start_new_session=True)
    except (OSError, subprocess.TimeoutExpired):
        return


def cancel_when_interrupted(run: str) -> None:
    """Cancel the SLURM jobs of a run at Ctrl-C: at once, every few seconds until this process ends, and at its end.

    Python handles signals in its main thread. That of Snakemake waits on after a signal that arrives in another thread,
    or just before the wait. So a thread of its own hears of the signal, and wakes the main thread if need be. The
    interrupt is passed on to Snakemake. Call it in the main thread; in another, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    interrupted: list[int] = []
    passed_on: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        passed_on.append(number)
        signal.default_int_handler(number, frame)

    def watch() -> None:
        while signal.SIGINT not in os.read(reading, 64):
            continue
        interrupted.append(signal.SIGINT)
        cancel_jobs(run)
        time.sleep(AWAKE)
        if not passed_on:
            signal.pthread_kill(main, signal.SIGINT)
        while True:
            time.sleep(AGAIN)
            cancel_jobs(run)

    def end() -> None:
        if interrupted or passed_on:
            cancel_jobs(run)

    main = threading.get_ident()
    signal.signal(signal.SIGINT, interrupt)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    atexit.register(end)
    threading.Thread(target=watch, daemon=True).start()
