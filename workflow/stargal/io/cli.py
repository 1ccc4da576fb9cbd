"""Command line of a script, from the signature of its function; errors of the user are reported on one line."""

import errno
import logging
import sys
from collections.abc import Callable
from typing import Any

import typer

from stargal.errors import StargalError
from stargal.io.files import unwritable

UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
"""Operating system errors that the user can resolve: disk full, quota, read-only file system, permissions."""


def run(main: Callable[..., Any]) -> None:
    """Run `main` with arguments from the command line, parsed by its type hints.

    A `StargalError` or an error in `UNWRITABLE` ends the process with one line on stderr and exit status 1. Any other
    exception is a bug and shows its traceback.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except StargalError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        sys.exit(f"error: {unwritable(error.filename or 'a temporary file', error)}")
