"""Write folders of files whole, with one record for all of their files, beside the folder.

Some formats allow no other files in a folder than their own. The record of ``name/`` is ``name.sha256``, with a line
for each file in it, in ``sha256sum -c`` format.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stargal.io.files import record_of, replaced, sha256, unwritable


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; write its record and rename it to `path` if the block succeeds.

    A folder of that name is replaced. If the block fails, it stays as it is.

    Raises
    ------
    StargalError
        If a file cannot be written, for example to a full disk or a read-only folder.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a job that was killed
        partial.mkdir(parents=True)
        yield partial
        files = sorted(file.relative_to(partial) for file in partial.rglob("*") if file.is_file())
        with replaced(record_of(path)) as record:
            record.write_text("".join(f"{sha256(partial / file)}  {path.name}/{file.as_posix()}\n" for file in files))
        shutil.rmtree(path, ignore_errors=True)
        partial.replace(path)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise unwritable(path, error) from error
        raise


def folder_digests(record: Path) -> dict[Path, str]:
    """Return the SHA-256 of the files in a folder, by path, from its record; nothing from the record of a file."""
    folder = record.with_suffix("")
    lines = (line.partition("  ") for line in record.read_text(errors="replace").splitlines())
    return {folder.parent / name: digest for digest, _, name in lines if name.startswith(f"{folder.name}/")}
