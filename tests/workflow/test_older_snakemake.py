"""Versions of Snakemake that are too old, with the profile of the workflow."""

import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.long
@pytest.mark.parametrize("version", ["8.30.0", "9.0.0"])
def test_the_version_that_is_needed_is_named(tmp_path, version):
    """Neither the profile nor the Snakefile fails before: Snakemake 8 does not know all options of our profile."""
    programs = tmp_path / "environment/bin"
    subprocess.run([sys.executable, "-m", "venv", programs.parent], check=True)
    install = [programs / "pip", "install", "--quiet", "--disable-pip-version-check", f"snakemake=={version}"]
    installed = subprocess.run(install, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"snakemake {version} cannot be installed: {installed.stderr.strip().splitlines()[-1]}")
    command = [programs / "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1", "-n"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    lines = (done.stdout + done.stderr).splitlines()
    assert f"Expecting Snakemake version 9.20 or higher (you are currently using {version})." in lines
    assert any(line.endswith("profiles/default for setting default command line arguments.") for line in lines)
    assert "Traceback" not in done.stderr
