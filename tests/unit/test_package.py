"""The package that pip installs: without tensorflow, with the released classifier, used as README says."""

import re
import subprocess
import sys
import tomllib

import numpy as np
import pytest
import yaml
from astropy.table import Table
from matplotlib.image import imread
from packaging.requirements import Requirement

import stargal
from configurations import ROOT
from made_archive import make_header, projection
from stargal.imaging.astrometry import Tan
from stargal.imaging.cube import Cube, make_cube_header, write_cube
from stargal.survey.fields import COLUMNS, ROWS, Field

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TENSORFLOW = {"tensorflow-cpu": "tensorflow"}


def packages(lines) -> dict[str, Requirement]:
    """Requirements by name; of envs/*.in, the lines that are no comments or options."""
    found = [Requirement(line) for line in lines if re.match("[a-z]", line)]
    return {TENSORFLOW.get(one.name, one.name): one for one in found}


def environment(name: str) -> dict[str, Requirement]:
    return packages((ROOT / "envs" / name).read_text().replace(" \\", "").splitlines())


BASE = packages(PROJECT["dependencies"])
EXTRAS = {name: packages(lines) for name, lines in PROJECT["optional-dependencies"].items()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What ``pip install .`` installs, beside the packages of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-compile", "--target", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(ROOT)], check=True)
    return folder


def run(code: str, installed, folder) -> str:
    """Run a program in a folder that holds no checkout."""
    surroundings = {"PYTHONPATH": str(installed), "MPLBACKEND": "agg", "HOME": str(folder)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=surroundings, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """A cube with a star at each place that README names."""
    field = Field(301, 1000, 1, 100)
    pixels = np.arange(37) - 18
    star = np.exp(-(pixels**2 + pixels[:, None] ** 2) / (2 * 1.4**2))
    star /= star.sum()
    image = np.zeros((5, ROWS, COLUMNS), np.float32)
    for x, y in ((812, 401), (1033, 921)):
        image[:, y - 18 : y + 19, x - 18 : x + 19] = 50 * star
    psf = np.zeros((5, 5, 37, 37), np.float32)
    psf[:, 0] = star
    noise = np.full(5, 0.03, np.float32)
    header = make_cube_header(make_header(field, "r"), field, "ugriz", {"METHOD": "lanczos3"})
    path = tmp_path_factory.mktemp("cube") / "cube.fits"
    mask, alignment = np.zeros(image.shape, np.uint8), Table({"band": list("ugriz")})
    write_cube(Cube("ugriz", image, mask, noise, noise, psf, alignment, header, Tan(projection(field, "r"))), path)
    return path


def test_the_lines_of_the_readme_run_without_tensorflow(installed, cube):
    lines = re.search(r"```python\n(import stargal\n.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    assert len([line for line in lines.splitlines() if line]) == 5
    code, changed = re.subn(r'read_cube\("[^"]+"\)', f"read_cube({str(cube)!r})", lines)
    assert changed == 1
    code += "import sys; print(stargal.__file__, *star, *[n for n in ('tensorflow', 'keras') if n in sys.modules])"
    file, *numbers = run(code, installed, cube.parent).split()
    assert file == str(installed / "stargal/__init__.py")
    assert len(numbers) == 2 and all(float(number) > 0.95 for number in numbers)
    drawn = imread(cube.parent / "patches.png")
    assert (drawn[..., :3].max(axis=2) < 0.1).sum() > 2000  # the dark sky of two patches


def test_the_package_holds_what_the_library_reads(installed):
    of_package = {path.relative_to(installed).as_posix() for path in (installed / "stargal").rglob("*")}
    library = {
        path.relative_to(ROOT / "workflow").as_posix()
        for path in (ROOT / "workflow/stargal").rglob("*")
        if path.suffix in (".py", ".mplstyle", ".typed")
    }
    assert len(library) > 100 and library <= of_package
    assert {"stargal/classifiers/stargal_1/model.onnx", "stargal/classifiers/stargal_1/classifier.json"} <= of_package
    assert {path.name.split("-")[0] for path in installed.iterdir()} == {"stargal"}


def test_modules_of_the_library_leave_the_path_alone():
    assert [path for path in (ROOT / "workflow/stargal").rglob("*.py") if "sys.path" in path.read_text()] == []


def test_names_of_the_package_are_imported_when_they_are_used():
    assert set(stargal.__all__) <= set(dir(stargal))
    for name in stargal.__all__:
        assert getattr(stargal, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        stargal.nothing  # noqa: B018


def test_dependencies_are_those_of_the_environments():
    of_workflow = environment("stargal.in") | environment("cpu.in")
    assert set(BASE) | set(EXTRAS["train"]) | set(EXTRAS["workflow"]) == set(of_workflow) | {"keras"}
    assert set(environment("classify.in")) - set(EXTRAS["workflow"]) <= set(BASE)
    assert not set(BASE) & {"tensorflow", "keras", "snakemake"}


def test_pinned_versions_are_within_the_bounds():
    pinned = environment("cpu.txt")
    for name, one in (BASE | EXTRAS["train"] | EXTRAS["workflow"]).items():
        assert [bound.operator for bound in one.specifier] == [">="]
        (pin,) = pinned[name].specifier
        assert one.specifier.contains(pin.version), name


def test_the_version_is_the_released_one():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    releases = re.findall(r"^## (\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert releases[0] == (stargal.__version__, str(citation["date-released"]))
    assert citation["version"] == stargal.__version__
    assert PROJECT["dynamic"] == ["version"]
