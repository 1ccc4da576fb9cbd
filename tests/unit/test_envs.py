"""The environments are pinned, hashed, and in step with each other."""

import ast
import re
import runpy
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ENVS = Path(__file__).parents[2] / "envs"
CONDA_PLATFORM = {
    "python_version": "3.12",
    "python_full_version": "3.12.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "os_name": "posix",
    "extra": "",
}


def requirements(name: str, platform: dict[str, str] | None = None) -> dict[str, Requirement]:
    """Requirements of a file, by name; with a platform, those that hold there."""
    lines = [line.rstrip(" \\") for line in (ENVS / name).read_text().splitlines() if re.match("[a-z]", line)]
    found = [Requirement(line) for line in lines]
    return {r.name: r for r in found if platform is None or r.marker is None or r.marker.evaluate(platform)}


def test_all_that_the_workflow_imports_is_in_the_run_environment():
    imported: set[str] = set()
    for path in (ENVS.parent / "workflow").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    pinned, packages = set(requirements("cpu.txt")), packages_distributions()
    others = imported - sys.stdlib_module_names - {"stargal"}
    assert len(others) > 10
    missing = {name for name in others if not {one.lower().replace("_", "-") for one in packages[name]} & pinned}
    assert missing == set()


@pytest.mark.parametrize("name", ["cpu", "classify", "gpu", "dev", "docs", "slurm"])
def test_pins_are_exact_and_hashed(name):
    text = (ENVS / f"{name}.txt").read_text()
    assert "://" not in text  # no address of an index
    for block in re.split(r"\n(?=[a-z])", text.strip()):
        if re.match("[a-z]", block):
            assert re.search("==[^ ;]+", block) and "--hash=sha256:" in block, block


def test_conda_environment_is_in_step():
    environment = yaml.safe_load((ENVS / "environment.yaml").read_text())
    listed = environment["dependencies"][-1]["pip"]
    pins = requirements("cpu.txt", CONDA_PLATFORM)
    direct = requirements("stargal.in", CONDA_PLATFORM) | requirements("cpu.in", CONDA_PLATFORM)
    assert sorted(listed) == sorted(f"{name}{pins[name].specifier}" for name in direct)


def test_gpu_has_the_versions_of_cpu():
    cpu, gpu = requirements("cpu.txt", CONDA_PLATFORM), requirements("gpu.txt", CONDA_PLATFORM)
    assert "tensorflow" in gpu and "nvidia-cudnn-cu12" in gpu
    assert gpu["tensorflow"].specifier == cpu["tensorflow-cpu"].specifier
    for name in set(cpu) & set(gpu):
        assert cpu[name].specifier == gpu[name].specifier, name


def test_classification_has_the_versions_of_cpu_without_what_trains():
    cpu, light = requirements("cpu.txt", CONDA_PLATFORM), requirements("classify.txt", CONDA_PLATFORM)
    assert {name: one.specifier for name, one in light.items()} == {name: cpu[name].specifier for name in light}
    assert not {"tensorflow-cpu", "keras", "scikit-learn", "matplotlib"} & set(light)


@pytest.fixture(scope="module")
def supported():
    return runpy.run_path(str(ENVS / "supported.py"))["fault"]


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13, 1)])
@pytest.mark.parametrize(
    "computer", [("Linux", "x86_64", "glibc", ""), ("Linux", "aarch64", "glibc", ""), ("Darwin", "arm64", "", "14.1")]
)
def test_versions_it_can_run_on(supported, version, computer):
    assert supported(version, *computer) == ""


@pytest.mark.parametrize(
    ("version", "computer", "said"),
    [
        ((3, 14), ("Linux", "x86_64", "glibc", ""), "needs Python 3.11, 3.12 or 3.13, this is 3.14: name another one"),
        ((3, 10, 12), ("Linux", "x86_64", "glibc", ""), "this is 3.10"),
        (
            (3, 12),
            ("Darwin", "x86_64", "", "13.6"),
            "this is Darwin on x86_64: tensorflow and onnxruntime have no pack",
        ),
        ((3, 12), ("Darwin", "arm64", "", "13.6"), "this is macOS 13.6"),
        ((3, 12), ("Linux", "x86_64", "", ""), "this Linux has another C library"),
        ((3, 12), ("Linux", "ppc64le", "glibc", ""), "this is Linux on ppc64le"),
        ((3, 12), ("Windows", "AMD64", "", ""), "on Windows, use WSL"),
    ],
)
def test_versions_it_cannot_run_on_are_told(supported, version, computer, said):
    assert said in supported(version, *computer) and "\n" not in supported(version, *computer)


def test_make_asks_before_it_installs():
    makefile = (ENVS.parent / "Makefile").read_text()
    recipe = makefile.partition("$(VENV)/run.stamp: $(LISTS)/cpu.txt\n")[2]
    assert recipe.startswith("\t@$(PYTHON) $(CODE)/envs/supported.py\n\t$(PYTHON) -m venv")
    readme = (ENVS.parent / "README.md").read_text()
    assert "Python 3.11, 3.12 or 3.13" in readme and "Apple silicon" in readme
