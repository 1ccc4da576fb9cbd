"""Private parts of other libraries, and of Python, in one place; each says what it saves.

Everything here is optional: without it the workflow gives the same results, more slowly.
"""

import atexit
import gc


def collect_garbage_seldom() -> None:
    """Look for garbage seldom while Snakemake plans, and leave its memory to the system at the end.

    A plan consists of some million objects, nearly all of them needed until the end. Measured on 948 fields,
    counted: 7.0 CPU seconds, 9.6 without this (27 % less).
    """
    gc.set_threshold(200_000, 20, 100)
    atexit.register(gc.freeze)
