"""The environments are pinned, hashed, and in step with each other."""

import re
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


@pytest.mark.parametrize("name", ["cpu", "classify", "gpu", "dev", "slurm"])
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
