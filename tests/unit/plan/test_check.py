"""YAML as people write it: the file and the line are named."""

import subprocess
from pathlib import Path

import pytest

from configurations import DEFAULT
from conftest import ROOT
from stargal.errors import StargalError
from stargal.plan.check import config_files, main, read_overlay


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sky:hers\n", "line 1: found no keys; a key ends in a colon and a space"),
        ("labels: photo\nsky: hers: his\n", "line 2, column 10: mapping values are not allowed here"),
        ("archive:\n\turl: /here\n", "line 2, column 1: found character .* YAML is indented by spaces"),
        ("sky: [1, 2\nlabels: photo\n", "line 2"),
        ("sky: 'hers\n", "line [12]"),
        ("", "found no keys"),
        ("- sky\n", "found no keys"),
    ],
)
def test_yaml_as_people_write_it_is_told_with_its_line(text, said, tmp_path, monkeypatch):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(StargalError, match=rf"mine\.yaml: .*{said}") as caught:
        read_overlay(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SystemExit, match=r"^error: "):
        main([str(path)])


def test_yaml_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(StargalError, match=r"none\.yaml: No such file"):
        read_overlay(tmp_path / "none.yaml")
    (tmp_path / "mine.yaml").write_text("sky: hers\n", encoding="utf-16")
    with pytest.raises(StargalError, match="not UTF-8 text"):
        read_overlay(tmp_path / "mine.yaml")


def test_the_default_configuration_is_yaml():
    main([str(DEFAULT)])
    assert read_overlay(DEFAULT)["sky"]


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ("", []),
        ("-n --cores 2 results/mine/tables/scores.csv", []),
        ("--configfile a.yaml", ["a.yaml"]),
        ("--configfiles a.yaml b.yaml -n", ["a.yaml", "b.yaml"]),
        ("study -n --configfile=a.yaml --config labels=truth seeds=[1]", ["a.yaml"]),
        ("--config sky=hers", []),
        ("--configfile", []),
    ],
)
def test_the_configuration_files_of_a_command_line(arguments, files):
    assert config_files(arguments.split()) == files


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment whose snakemake says that it was started."""
    programs = tmp_path / "environment/bin"
    programs.mkdir(parents=True)
    (programs / "snakemake").write_text("#!/bin/sh\necho started\n")
    (programs / "snakemake").chmod(0o755)
    for name in ("run.stamp", "stamp"):
        (tmp_path / "environment" / name).touch()
    return tmp_path / "environment"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sky:hers\n", "line 1: found no keys"),
        ("archive:\n\turl: /here\n", "line 2, column 1: found character"),
        (None, "No such file or directory"),
    ],
    ids=["no-space", "tab", "not-there"],
)
def test_make_names_the_line_before_anything_starts(text, said, tmp_path, environment):
    if text is not None:
        (tmp_path / "mine.yaml").write_text(text)
    words = ["make", "run", f"VENV={environment}", f"ARGS=-n --configfile {tmp_path}/mine.yaml"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode != 0 and "mine.yaml" in line and said in line
    assert "started" not in done.stdout


def test_make_starts_what_has_no_fault(tmp_path, environment):
    (tmp_path / "mine.yaml").write_text("sky: hers\n")
    words = ["make", "run", f"VENV={environment}", f"ARGS=-n --configfile {tmp_path}/mine.yaml"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "started" in done.stdout
