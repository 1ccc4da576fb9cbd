"""The command line of a script: its function's signature, and one clear line for bad input."""

import errno
import logging
import sys
from collections.abc import Callable
from typing import Any

import typer

from stargal.errors import StargalError
from stargal.io.files import unwritable

UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
"""Errors of the system that whoever runs the job can mend."""


def run(main: Callable[..., Any]) -> None:
    """Run `main` with arguments from the command line, as its type hints say.

    A `StargalError` ends the process with its one line on stderr and exit status 1, and so does a full disk or a lack
    of permission; any other exception is a bug and shows its traceback.
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
