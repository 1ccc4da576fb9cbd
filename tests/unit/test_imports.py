"""The packages of the library: they import one way, and only `hooks` touches the private parts of others."""

import ast
import re
from collections import defaultdict

import pytest

from configurations import ROOT

LIBRARY = ROOT / "workflow/stargal"
ORDER = (
    *("survey", "io", "imaging", "archive", "photometry", "simulation"),
    *("dataset", "evaluation", "learning", "catalogs", "report"),
)
"""Packages; each imports only those before it."""

ROOTS = {"__version__", "constants", "errors", "hooks"}
"""What every package may import of the library itself."""

ALLOWED = {name: set(ORDER[:place]) for place, name in enumerate(ORDER)} | {"plan": {"survey"}}

PRIVATE = (
    *(r"\bsys\.modules\b", r"\bctypes\b", r"\bgc\.", r"\bimport gc\b"),
    *(r"\bworkflow\.scheduler\b", r"\bworkflow\.modifier\b", r"\bworkflow\.output_settings\b"),
)


def imported(tree: ast.Module) -> set[str]:
    """Packages and modules of the library that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("stargal.")}


def arrows() -> dict[str, dict[str, set[str]]]:
    """By package, the others that it imports, and the files that do."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in sorted(LIBRARY.rglob("*.py")):
        package = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        for other in imported(ast.parse(path.read_text())) - {package}:
            found[package][other].add(path.relative_to(LIBRARY).as_posix())
    return found


def test_packages_are_those_of_the_order():
    packages = {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages == set(ALLOWED) and len(packages) <= 12
    assert {path.stem for path in LIBRARY.glob("*.py")} == ROOTS - {"__version__"} | {"__init__"}


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_import_one_way(package):
    others = arrows()[package]
    assert {other: files for other, files in others.items() if other not in ALLOWED[package] | ROOTS} == {}


def test_root_modules_import_no_package():
    assert {name: dict(arrows()[name]) for name in ROOTS if arrows()[name]} == {}


def test_packages_know_few_others():
    between = [(one, other) for one, others in arrows().items() for other in others if {one, other} <= set(ALLOWED)]
    assert len(between) <= 45


def test_only_hooks_touch_private_parts():
    files = [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk"), *(ROOT / "workflow").rglob("*.py")]
    touched = {
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files
        for pattern in PRIVATE
        if (found := re.search(pattern, path.read_text())) and path != LIBRARY / "hooks.py"
    }
    assert touched == set()
