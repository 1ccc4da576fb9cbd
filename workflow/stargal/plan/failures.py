"""Why a run has failed: the last lines of the logs of its jobs."""

from pathlib import Path

MARK = "error: "
"""Beginning of the line with which a job says why it failed."""


def reasons(logs: Path, since: float) -> list[str]:
    """Return the lines with which failed jobs said why, each once, in the order of the logs.

    Parameters
    ----------
    logs : path
        Folder of the logs.
    since : float
        Time at which the run began, seconds since 1970; older logs are left out.
    """
    found: dict[str, None] = {}
    for log in sorted(logs.rglob("*.log")):
        try:
            if log.stat().st_mtime >= since:
                last = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
                if last.startswith(MARK):
                    found[last] = None
        except OSError:  # it may be replaced meanwhile
            continue
    return list(found)
