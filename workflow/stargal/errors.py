"""The error class for bad input."""


class StargalError(Exception):
    """Bad input, reported on one line: what is wrong, where (file, row, key), and what to do."""
