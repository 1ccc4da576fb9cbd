"""`--sdm apptainer`, with a stand-in for Apptainer that runs a job's command as an image does: with a PATH of its own.

`make test-container` runs the same in a real image.
"""

import os
import sys
from pathlib import Path

import pytest

from conftest import FIELDS

APPTAINER = f"""#!{sys.executable}
import os, sys
if "--version" in sys.argv:
    print("apptainer version 1.4.5")
else:
    *_, image, shell, option, command = sys.argv
    os.execvpe(shell, [shell, option, command], os.environ | {{"PATH": image + "/bin:/usr/bin:/bin"}})
"""
PYTHON = f"""#!/bin/sh
echo "$1" >> "$(dirname "$0")/called"
exec {sys.executable} "$@"
"""


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_jobs_run_with_the_interpreter_of_the_image(broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    project, _ = broken
    write_program(tmp_path / "programs/apptainer", APPTAINER)
    write_program(tmp_path / "image/bin/python", PYTHON)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "programs"), os.environ["PATH"]]))
    run, camcol, number = list(FIELDS)[-1].name.split("-")[1:]
    frame = f"resources/made/frames/301/frame-r-{run}-{camcol}-{number}.fits.bz2"
    with project.configured(container=str(tmp_path / "image")):
        project.run("--sdm", "apptainer", "--", frame)
    assert (tmp_path / "image/bin/called").read_text() == "workflow/scripts/download_field.py\n"
    with project.configured(container="image.sif"):
        done = project.snakemake("--sdm", "apptainer", "-n")
    assert done.returncode != 0
    assert "made.yaml: container: found 'image.sif', which does not exist; allowed: the path of an im" in done.stdout
