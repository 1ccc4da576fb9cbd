"""The error that a user can mend."""


class StargalError(Exception):
    """Bad input, said in one line: what is wrong, where (file, row, key), and how to mend it."""
