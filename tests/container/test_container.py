"""The image of Containerfile (tests/container.sh), run for real: `make test-container`.

What runs in the container must make the bytes of the same run outside it. Both run on this machine: the instructions
that tensorflow and numpy take depend on the processor.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPT = ["bash", str(ROOT / "tests/container.sh")]
FIELDS = {174: "train", 120: "validation", 80: "test"}
SMALL = {
    "skies": {"simulated": {"fields": "fields.tsv"}},
    "training": {"max_epochs": 1},
    "comparisons": {"augmentation_small": None, "augmentation_large": None},
}
"""Overlay of a short training on a simulated sky."""

NETWORK = "results/simulated/models/regularized_large/seed1"
TARGETS = [f"{NETWORK}/predictions.parquet", "results/simulated/figures/alignment.svg"]
FIELD = "301-5112-4-345"
PYTHON_VERSION = re.compile(rb'<th scope="row">python</th><td>[0-9.]+</td>')


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A storage with the image; STARGAL_IMAGES names a folder in which it stays."""
    if os.getuid() != 0:
        pytest.skip("debootstrap takes root")
    missing = [name for name in ("buildah", "debootstrap") if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: bash tests/container.sh install")
    kept = os.environ.get("STARGAL_IMAGES")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("images")
    try:
        subprocess.run([*SCRIPT, "build", str(folder)], check=True)
        yield folder
    finally:
        if not kept:
            subprocess.run([*SCRIPT, "remove", str(folder)], check=True)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder in which every user may write."""
    folder = tmp_path / "work"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def inside(images: Path, work: Path, *command: str, options: str = "") -> str:
    """Run a command in the container, with a folder as its working directory; return all that it prints."""
    done = subprocess.run(
        [*SCRIPT, "run", str(images), str(work), *command],
        env=os.environ | {"ARGS": options},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def outside(folder: Path, *command: str) -> str:
    """Run a command in the environment of the tests; return all that it prints."""
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def made(folder: Path) -> dict[str, bytes]:
    """Contents of all results and resources. Pages name the version of Python, which is Debian's in the image."""
    files = [file for name in ("results", "resources") for file in (folder / name).rglob("*") if file.is_file()]
    contents = {str(file.relative_to(folder)): file.read_bytes() for file in files if ".html.sha256" not in file.name}
    return {
        path: PYTHON_VERSION.sub(b"", content) if path.endswith(".html") else content
        for path, content in contents.items()
    }


def assert_same_bytes(first: Path, second: Path) -> None:
    """Compare what two runs made."""
    expected, found = made(first), made(second)
    assert expected.keys() == found.keys()
    assert [path for path in expected if expected[path] != found[path]] == []


def write_small(folder: Path) -> None:
    """Write the overlay of a short training, and its table of fields."""
    rows = [f"301\t8162\t6\t{field}\t{bucket}\n" for field, bucket in FIELDS.items()]
    (folder / "fields.tsv").write_text("rerun\trun\tcamcol\tfield\tbucket\n" + "".join(rows))
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL))


def write_clone(folder: Path) -> None:
    """Copy the checkout with new dates, for every user to write to."""
    for name in ("workflow", "config", "profiles", "envs", "resources/classifiers"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, copy_function=shutil.copy, ignore=ignored)
    for name in ("Snakefile", "Makefile", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    (folder / "resources").chmod(0o777)


def test_nobody_is_root_and_the_builder_leaves_no_trace(images: Path, work: Path):
    """The folder that pip is set up in is empty again, and neither code nor packages can be written to."""
    said = inside(
        images, work, "sh", "-c", "id -u; ls -A /run/secrets 2>&1; test -w /opt/stargal -o -w /opt/venv || echo kept"
    )
    uid, *secrets, kept = said.splitlines()
    assert uid == "1000" and kept == "kept"
    assert not any(name in said for name in ("pip.conf", "ca.pem")), secrets


@pytest.mark.parametrize("options", ["", "--user 12345:12345", "--user 12345:12345 --env HOME=/nowhere"])
def test_make_plans_a_run(images: Path, work: Path, options: str):
    """In the environment of the image, as any user, with a home folder or without one."""
    said = inside(images, work, "make", "-f", "/opt/stargal/Makefile", "run", "ARGS=-n", options=options)
    assert "train_network" in said and "pip install" not in said
    assert not (work / ".venv").exists()


def test_make_plans_a_run_in_a_clone(images: Path, work: Path):
    """A clone that is younger than the image: its lists of packages do not make an environment."""
    write_clone(work)
    said = inside(images, work, "make", "run", "ARGS=-n")
    assert "train_network" in said and "pip install" not in said


def test_training_makes_the_bytes_of_one_outside(images: Path, work: Path, tmp_path: Path):
    """From the simulated frames to a network's predictions and a figure."""
    other = tmp_path / "other"
    other.mkdir()
    for folder in (work, other):
        write_small(folder)
    words = ["--cores", "2", "--configfile", "small.yaml", "--", *TARGETS]
    inside(images, work, "snakemake", "--snakefile", "/opt/stargal/Snakefile", *words)
    outside(other, "snakemake", "--snakefile", str(ROOT / "Snakefile"), *words)
    assert_same_bytes(other, work)
    assert {Path(path).suffix for path in made(work)} >= {".fits", ".npy", ".parquet", ".keras", ".svg"}


def test_make_classify_makes_the_bytes_of_one_outside(images: Path, work: Path, mirror: Path, tmp_path: Path):
    """A field of the mirror, which is mounted at the same path. The clone is used inside and outside in turn."""
    if not mirror.is_dir():
        pytest.skip("STARGAL_MIRROR is not a folder")
    other = tmp_path / "other"
    for folder in (work, other):
        write_clone(folder)
    words = ["make", "classify", "CORES=1", "SKY=real", f"FIELDS={FIELD}", f"ARCHIVE={mirror.resolve()}"]
    inside(images, work, *words, options=f"--volume {mirror.resolve()}:{mirror.resolve()}:ro")
    for folder in (work, other):
        (folder / "light").mkdir()
        (folder / "light/stamp").touch()
    outside(other, *words, "LIGHT=light")
    assert_same_bytes(other, work)
    assert {path.suffix for path in (work / "results/real/catalogs").iterdir()} >= {".fits", ".parquet"}
    assert "Nothing to be done" in outside(work, *words, "LIGHT=light")


def test_jobs_of_a_run_outside_in_the_image(images: Path, work: Path, tmp_path: Path):
    """`--sdm apptainer`: Snakemake runs here, the jobs with the interpreter of the image."""
    if not shutil.which("apptainer"):
        pytest.skip("apptainer not installed")
    subprocess.run([*SCRIPT, "sandbox", str(images)], check=True)
    other = tmp_path / "other"
    other.mkdir()
    target = "results/simulated/aligned/301-008162-6-0080.fits"
    words = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    image = ["--sdm", "apptainer", "--config", f"container={images}/sandbox"]
    outside(work, *words, *image, "--apptainer-args", f"--bind {ROOT}", "--", target)
    outside(other, *words, "--", target)
    assert_same_bytes(other, work)
