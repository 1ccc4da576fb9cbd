"""stargal as a module of another workflow: its own configuration, its own place for results."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import FIELDS, ROOT
from stargal.survey.fields import Field

OUTER = f"""
configfile: "outer.yaml"

module stargal:
    snakefile: {str(ROOT / "Snakefile")!r}
    config: config["stargal"]
    prefix: "surveys/first"

use rule * from stargal as stargal_*

rule count:
    input:
        "surveys/first/results/made/tables/alignment.csv",
    output:
        "count.txt",
    shell:
        "wc -l < {{input}} > {{output}}"
"""
TRAIN = Field(301, 1000, 1, 100)
FEW = {field: bucket for field, bucket in FIELDS.items() if field == TRAIN or bucket != "train"}


@pytest.fixture
def outer(tmp_path: Path, archive: Path) -> Path:
    """A workflow that uses stargal on an archive of made fields, with two keys other than the default."""
    rows = [f"{f.rerun}\t{f.run}\t{f.camcol}\t{f.field}\t{bucket}\n" for f, bucket in FEW.items()]
    (tmp_path / "few.tsv").write_text("rerun\trun\tcamcol\tfield\tbucket\n" + "".join(rows))
    config = {
        "sky": "made",
        "skies": {"made": {"origin": "archive", "url": f"file://{archive}", "fields": "few.tsv"}},
        "training_sets": {"small": ["301-1000-1-100"]},
        "patches": {"size": 15},
        "classify": {"fields": ["301-1000-1-130"]},
    }
    (tmp_path / "outer.yaml").write_text(yaml.safe_dump({"mine": 1, "stargal": config}))
    (tmp_path / "Snakefile").write_text(OUTER)
    (tmp_path / "profiles/default").mkdir(parents=True)
    (tmp_path / "profiles/default/config.yaml").write_text(documented_profile())
    return tmp_path


def documented_profile() -> str:
    """The settings that docs/howto/module.md asks for."""
    text = (ROOT / "docs/howto/module.md").read_text().partition("Repeat these settings in your own profile:")[2]
    return textwrap.dedent(text.partition("Without `max-checksum-file-size`")[0])


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run snakemake in a folder; its output and errors are one text."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_whole_experiment_is_planned_below_the_prefix(outer: Path):
    done = snakemake(outer, "--summary", "stargal_all")
    assert done.returncode == 0, done.stdout
    rows = [line.split("\t") for line in done.stdout.splitlines() if "\tstargal_" in line]
    assert all(row[0].startswith("surveys/first/") for row in rows)
    rules = [row[2] for row in rows]
    assert rules.count("stargal_align_field") == 4 * len(FEW)  # cube, its record, summary and PSF
    assert rules.count("stargal_train_network") == 3 * (4 + 2 * 8)  # network, history and predictions


def test_its_results_feed_the_other_workflow(outer: Path):
    """A job over many fields finds them below the prefix, with the config given and defaults for the rest."""
    sources = f"surveys/first/results/made/sources/catalog/{TRAIN.name}.parquet"
    done = snakemake(outer, "count", sources)
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(outer / "surveys/first/results/made/tables/alignment.csv")
    assert sorted(set(table["field"])) == sorted(field.name for field in FEW)
    assert int((outer / "count.txt").read_text()) == len(table) + 1 == 5 * len(FEW) + 1
    assert len(pd.read_parquet(outer / sources)) > 50
    assert {path.name for path in outer.iterdir() if path.is_dir()} == {".snakemake", "profiles", "surveys"}

    # With the documented profile, a touch rebuilds nothing; without it, Snakemake compares times.
    cube = outer / f"surveys/first/results/made/aligned/{TRAIN.name}.fits"
    cube.touch()
    assert "Nothing to be done" in snakemake(outer, "-n", "count", sources).stdout
    assert "stargal_select_sources" in snakemake(outer, "-n", "--workflow-profile", "none", sources).stdout

    # Its files are verified and keep their origin.
    assert " MB are as recorded" in snakemake(outer, "stargal_verify").stdout
    cube.write_bytes(cube.read_bytes()[:-1])
    assert f"changed: {cube.relative_to(outer)}: its bytes" in snakemake(outer, "stargal_verify").stdout
    config = yaml.safe_load((outer / "outer.yaml").read_text())
    config["stargal"]["skies"]["made"]["url"] = "https://example.org"
    (outer / "outer.yaml").write_text(yaml.safe_dump(config))
    assert "surveys/first/resources/made: holds files of the archive file:" in snakemake(outer, "-n", "count").stdout


def test_the_snakefile_that_the_catalog_looks_for_is_this_workflow(tmp_path: Path):
    done = [snakemake(tmp_path, "-s", str(ROOT / path), "--list-rules") for path in ("Snakefile", "workflow/Snakefile")]
    rules, same = (re.findall(r"^\w+(?: \(.*\))?$", one.stdout, re.M) for one in done)
    assert len(rules) > 40 and rules == same, [one.stdout for one in done]


def test_a_fault_in_its_configuration_is_named(outer: Path):
    config = yaml.safe_load((outer / "outer.yaml").read_text())
    config["stargal"]["patches"]["size"] = 24
    (outer / "outer.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(outer, "-n")
    assert done.returncode != 0
    assert "outer.yaml: patches.size: found 24" in done.stdout
