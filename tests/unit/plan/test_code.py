"""The code of a job, in a small library of its own."""

import pytest

from stargal.plan import code

FILES = {
    "scripts/align.py": "import numpy\nfrom stargal.imaging.align import align\nfrom stargal.io import cli\n",
    "scripts/plot.py": "from stargal.io.cli import run\n",
    "stargal/__init__.py": "",
    "stargal/errors.py": "",
    "stargal/io/__init__.py": "",
    "stargal/io/cli.py": "from stargal.errors import StargalError\n",
    "stargal/imaging/__init__.py": "",
    "stargal/imaging/align.py": "import stargal.imaging.frames\n\ndef align():\n    from stargal.io import unused\n",
    "stargal/imaging/frames.py": "from stargal import errors\n",
    "stargal/io/unused.py": "",
    "stargal/report/__init__.py": "",
    "stargal/report/style.py": "",
    "stargal/report/style.mplstyle": "font.size: 10\n",
    "stargal/report/figures.py": "from stargal.report.style import look\n",
}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """The folder of a small library and its scripts."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(code, "WORKFLOW", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget():
    for function in (code.modules_of, code.code_of, code.digest_of):
        function.cache_clear()


def names_of(library, *arguments):
    forget()
    return [str(path.relative_to(library)) for path in code.code_of(*arguments)]


def test_a_script_and_all_that_it_imports(library):
    """However it is imported, directly or not; no other library, and nothing that a function imports when called."""
    assert names_of(library, "align") == [
        "scripts/align.py",
        "stargal/__init__.py",
        "stargal/errors.py",
        "stargal/imaging/align.py",
        "stargal/imaging/frames.py",
        "stargal/io/__init__.py",
        "stargal/io/cli.py",
    ]


def test_a_module_that_a_script_loads_by_name_with_its_data(library):
    assert names_of(library, "plot") == ["scripts/plot.py", "stargal/errors.py", "stargal/io/cli.py"]
    assert names_of(library, "plot", ("stargal.report.figures",)) == [
        "scripts/plot.py",
        "stargal/errors.py",
        "stargal/io/cli.py",
        "stargal/report/figures.py",
        "stargal/report/style.mplstyle",
        "stargal/report/style.py",
    ]


def digests(library):
    forget()
    return code.digest_of("align"), code.digest_of("plot", ("stargal.report.figures",))


@pytest.mark.parametrize(
    "path, changed",
    [
        ("scripts/align.py", (True, False)),
        ("stargal/errors.py", (True, True)),
        ("stargal/imaging/frames.py", (True, False)),
        ("stargal/report/style.mplstyle", (False, True)),
        ("stargal/io/unused.py", (False, False)),
    ],
)
def test_an_edit_changes_the_digest_of_what_holds_it(library, path, changed):
    before = digests(library)
    (library / path).touch()
    assert digests(library) == before
    (library / path).write_text(FILES[path] + "# edited\n")
    assert tuple(one != other for one, other in zip(before, digests(library), strict=True)) == changed


def test_the_folder_of_the_checkout_does_not_matter(library, tmp_path_factory, monkeypatch):
    before = digests(library)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "checkout"
    library.rename(elsewhere)
    monkeypatch.setattr(code, "WORKFLOW", elsewhere)
    assert digests(elsewhere) == before


def test_what_a_job_of_this_library_runs():
    """Of the real one: alignment needs no networks, and a figure has the style."""
    forget()
    aligned = {path.relative_to(code.WORKFLOW).as_posix() for path in code.code_of("align_field")}
    assert {"scripts/align_field.py", "stargal/imaging/align.py", "stargal/errors.py"} <= aligned
    assert not [path for path in aligned if path.startswith(("stargal/learning", "stargal/report", "stargal/plan"))]
    drawn = {path.name for path in code.code_of("plot", ("stargal.report.figures.data",))}
    assert {"plot.py", "data.py", "style.py", "style.mplstyle"} <= drawn
