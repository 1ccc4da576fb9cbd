"""Memory of the training input against the number of fields: the patches stay on disk.

    python tests/benchmark_streaming.py [fields ...]

Made files stand for the patches: as long as real ones, 842 of 25 x 25 x 5 float32 a field, but sparse, so that 10 GB
take no room on disk. Each number of fields is read in a process of its own, one shuffled epoch in batches of 64 as
training does it. Shown are the memory of the process before it opens the patches (imports, TensorFlow's for the most
part), its peak afterwards, and the CPU time a patch. Nothing is learned here: a network adds its own memory, the same
for any number of fields.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
import pandas as pd

SOURCES, SIDE, BANDS, BATCH = 842, 25, 5, 64
"""Sources a field, pixels and bands of a patch, patches in a batch."""


def make(folder: Path, fields: int) -> None:
    """Write sources and sparse patches of so many fields."""
    shape = (SOURCES, SIDE, SIDE, BANDS)
    pd.DataFrame({"label": np.arange(SOURCES, dtype=np.int8) % 2}).to_parquet(folder / "sources.parquet")
    for field in range(fields):
        with (folder / f"{field}.npy").open("wb") as stream:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, header)
            stream.truncate(stream.tell() + 4 * int(np.prod(shape)))


def peak() -> float:
    """Peak resident memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read(folder: Path, fields: int) -> None:
    """Read an epoch and print a row."""
    from stargal.learning.train import Batches
    from stargal.learning.training_data import open_patches

    before = peak()
    patches = open_patches([folder / f"{field}.npy" for field in range(fields)], [folder / "sources.parquet"] * fields)
    batches = Batches(patches, BATCH, seed=1)
    start, seen = time.process_time(), 0
    for batch in range(len(batches)):
        seen += len(batches[batch][1])
    seconds = time.process_time() - start
    assert seen == len(patches) == fields * SOURCES
    size = seen * 4 * SIDE * SIDE * BANDS / 1e9
    print(f"{fields:7d}{seen:10d}{size:8.2f}{before:12.0f}{peak():10.0f}{1e6 * seconds / seen:14.0f}", flush=True)


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--read"]:
        read(Path(sys.argv[2]), int(sys.argv[3]))
        return
    print(" fields   patches      GB  before, MB  peak, MB  CPU, us/patch", flush=True)
    for fields in map(int, sys.argv[1:] or ("10", "100", "950")):
        with tempfile.TemporaryDirectory() as name:
            make(Path(name), fields)
            subprocess.run([sys.executable, __file__, "--read", name, str(fields)], check=True)


if __name__ == "__main__":
    main()
