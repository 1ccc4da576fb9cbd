"""The code that a job runs: its script, the library modules that it imports, and the data files beside them.

Its digest stands among the params of the rule. An edit then rebuilds what it can change; a touch rebuilds nothing.
"""

import ast
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

WORKFLOW = Path(__file__).parents[2]
"""The folder that holds ``scripts`` and ``stargal``."""


@functools.cache
def modules_of(source: Path) -> frozenset[Path]:
    """Find the modules of the library that a Python file imports at its top, directly or through others."""
    found: set[Path] = set()
    for node in ast.parse(source.read_text()).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name == "stargal" or name.startswith("stargal."):
                found |= _with_imports(module_file(name))
    return frozenset(found)


def module_file(name: str) -> Path:
    """Return the file of a module of the library; of what is no module, the same with .py."""
    path = WORKFLOW.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _with_imports(file: Path) -> set[Path]:
    return {file} | modules_of(file) if file.exists() else set()


@functools.cache
def code_of(script: str, modules: Sequence[str] = ()) -> tuple[Path, ...]:
    """List the files of a job's code: a script, modules it loads by name, all that these import, and their data files.

    A data file has the name of its module: ``style.mplstyle`` beside ``style.py``.
    """
    file = WORKFLOW / "scripts" / f"{script}.py"
    code = {file} | modules_of(file)
    for name in modules:
        code |= _with_imports(module_file(name))
    data = {
        other
        for path in code
        if path.name != "__init__.py" and path.parent != file.parent
        for other in path.parent.glob(f"{path.stem}.*")
        if other.suffix != ".pyc"
    }
    return tuple(sorted(code | data))


@functools.cache
def digest_of(script: str, modules: Sequence[str] = ()) -> str:
    """Return the SHA-256 of a job's code, whatever the folder it is in."""
    digest = hashlib.sha256()
    for path in code_of(script, modules):
        digest.update(f"{path.relative_to(WORKFLOW).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()
