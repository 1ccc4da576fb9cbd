"""Nothing of a user's surroundings changes a result: settings of libraries, locale, folders, terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from configurations import ROOT
from stargal.plan.surroundings import job_environment

WORKFLOW = ROOT / "workflow"

HOSTILE = {
    "ASTROPY_CONFIG_DIR": "/nowhere",
    "BOKEH_RESOURCES": "cdn",
    "KERAS_BACKEND": "jax",
    "KERAS_HOME": "/nowhere",
    "KERAS_MAX_EPOCHS": "1",
    "LANG": "tr_TR.ISO-8859-9",
    "LC_ALL": "C",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PANDAS_FUTURE_INFER_STRING": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "7",
    "PYTHONIOENCODING": "ascii",
    "PYTHONOPTIMIZE": "2",
    "PYTHONUTF8": "0",
    "PYTHONWARNINGS": "error",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TZ": "Pacific/Kiritimati",
    "XLA_FLAGS": "--no_such_flag",
}
"""Variables that other work, notebooks or administrators set."""


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"LANG", "LC_ALL", "TZ"}))
def test_settings_of_libraries_do_not_reach_the_jobs(name):
    assert job_environment(WORKFLOW, HOSTILE).get(name) != HOSTILE[name]


def test_what_jobs_need_reaches_them():
    given = {
        "CUDA_VISIBLE_DEVICES": "1",
        "HOME": "/home/her",
        "PATH": "/bin",
        "PYTHONPATH": "/hers",
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "https_proxy": "http://proxy",
    }
    environment = job_environment(WORKFLOW, given)
    kept = ("CUDA_VISIBLE_DEVICES", "HOME", "TF_CPP_MIN_LOG_LEVEL", "https_proxy")
    assert {name: environment[name] for name in kept} == {name: given[name] for name in kept}
    assert environment["PATH"] == f"{Path(sys.executable).parent}{os.pathsep}/bin"
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(WORKFLOW), "/hers"]


def test_the_settings_of_the_checkout_are_those_of_the_libraries():
    settings = json.loads((WORKFLOW / "settings/keras/keras.json").read_text())
    assert settings == {
        "floatx": "float32",
        "epsilon": 1e-7,
        "backend": "tensorflow",
        "image_data_format": "channels_last",
    }


@pytest.mark.parametrize("home", ["hostile", "absent"])
def test_hostile_surroundings_give_the_same_bytes(tmp_path_factory, home):
    """Beside a run in plain surroundings: a training, a catalogue and a figure."""
    plain = tmp_path_factory.getbasetemp() / "plain"
    if not plain.exists():
        plain.mkdir()
        run(plain, ROOT, {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")})
    folder = tmp_path_factory.mktemp("a" * 200)
    here = folder / "elsewhere"
    here.mkdir()
    (here / "matplotlibrc").write_text("lines.linewidth: 9\nsvg.fonttype: none\naxes.facecolor: red\n")
    hostile = HOSTILE | {"PATH": os.environ["PATH"], "HOME": "/no/such/home"}
    if home == "hostile":
        user = folder / "home"
        files = {
            ".keras/keras.json": '{"image_data_format": "channels_first", "floatx": "float64", "epsilon": 0.1}',
            ".config/matplotlib/matplotlibrc": "font.size: 30\n",
            ".astropy/config/astropy.cfg": "[io.fits]\nstrip_header_whitespace = False\n",
            ".config/astropy/astropy.cfg": "[table]\nreplace_warnings = always\n",
        }
        for name, text in files.items():
            (user / name).parent.mkdir(parents=True, exist_ok=True)
            (user / name).write_text(text)
        user.chmod(0o500)
        hostile |= {"HOME": str(user), "XDG_CONFIG_HOME": str(user / ".config")}
    out = folder / "out"
    out.mkdir()
    run(out, here, hostile, umask=0o077)
    for name in ("network.keras", "catalog.fits", "catalog.parquet", "figure.svg"):
        assert (out / name).read_bytes() == (plain / name).read_bytes(), name


def run(folder: Path, here: Path, given: dict[str, str], umask: int = -1) -> None:
    """Run what tests/surroundings.py does as a job, without a terminal."""
    done = subprocess.run(
        ["python", str(ROOT / "tests/surroundings.py"), str(folder)],
        cwd=here,
        env=job_environment(WORKFLOW, given),
        umask=umask,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stderr
