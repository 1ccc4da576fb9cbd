"""Private parts of other libraries, each with what it saves."""
import atexit
import gc


def collect_garbage_seldom() -> None:
    """Look for garbage seldom while Snakemake plans."""
    gc.set_threshold(200_000, 20, 100)
    atexit.register(gc.freeze)
