"""Write a table of positions in HATS format: parquet files by HEALPix pixel, for LSDB, pyarrow and others.

A HATS catalogue is a folder:

- ``hats.properties``: what it holds, as ``key=value``; ``properties`` is the same for versions of hats before 0.6
- ``partition_info.csv``: order and number of each pixel (nested) that has rows, and how many
- ``dataset/Norder=K/Dir=D/Npix=N.parquet``: the rows of pixel N of order K, in ascending order of `HEALPIX`
- ``dataset/_common_metadata``: the schema; ``dataset/_metadata``: the schema and the statistics of all files

All pixels have the same order. The optional date of creation is left out, so that equal tables have equal bytes.

References
----------
HATS, version 1.0: https://www.ivoa.net/documents/Notes/HATS/
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy import units
from astropy_healpix import lonlat_to_healpix
from numpy.typing import NDArray

from stargal import __version__
from stargal.catalogs.columns import Column

ORDER = 29
"""Order of the HEALPix index, the highest whose pixel numbers fit 64 bits; a pixel is 0.4 milliarcsec wide."""

HEALPIX = Column(f"_healpix_{ORDER}", "int64", "pos.healpix", f"HEALPix pixel of order {ORDER}, nested, ICRS")
"""The first column of a HATS catalogue."""

MOST_ROWS = 1_000_000
"""Largest number of rows in a file, as in the catalogues that the authors of HATS publish."""

ROW_GROUP = 100_000
"""Rows that a reader of a small part of the sky must read; parquet keeps the range of the index of each such group."""

IN_FOLDER = 10_000
"""Pixels in a folder ``Dir=D``: those from D to D + 9999."""

VERSION = {"hats_version": "v1.0", "hats_release_date": "2025-08-22"}
"""Version of the format, and its date."""


def healpix_index(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the nested HEALPix pixels of order `ORDER` at positions in degrees, ICRS."""
    return np.asarray(lonlat_to_healpix(ra * units.deg, dec * units.deg, 1 << ORDER, order="nested"), np.int64)


def pixels_of(index: NDArray[np.int64], order: int) -> NDArray[np.int64]:
    """Return the pixels of an order that hold pixels of order `ORDER`."""
    return index >> 2 * (ORDER - order)


def lowest_order(index: NDArray[np.int64], most: int = MOST_ROWS) -> int:
    """Return the lowest order at which no pixel has more than a number of rows; `ORDER` if all orders have one."""
    for order in range(ORDER):
        if np.unique_counts(pixels_of(index, order)).counts.max(initial=0) <= most:
            return order
    return ORDER


def write_hats(
    folder: Path,
    index: NDArray[np.int64],
    rows: Callable[[slice], pa.Table],
    schema: pa.Schema,
    properties: Mapping[str, str],
    most: int = MOST_ROWS,
) -> None:
    """Write a HATS catalogue, one pixel after the other.

    Parameters
    ----------
    folder : path
        Empty folder.
    index : int64 array, (n,)
        HEALPix index of each row, as `healpix_index` returns it, in ascending order.
    rows : callable
        Returns the table of a slice of the rows, of at most `most` rows, with the columns of `schema` but the first.
    schema : Schema
        Of the files; the first column is `HEALPIX`, and ``ra`` and ``dec`` are among the others.
    properties : mapping of str
        Properties of the catalogue, at least its name as ``obs_collection``; those of the format are added.
    most : int
        Largest number of rows in a file.
    """
    order, dataset = lowest_order(index, most), folder / "dataset"
    pixels, starts, counts = np.unique(pixels_of(index, order), return_index=True, return_counts=True)
    footers: list[pq.FileMetaData] = []
    for pixel, start, count in zip(pixels.tolist(), starts.tolist(), counts.tolist(), strict=True):
        part = slice(start, start + count)
        table = rows(part).add_column(0, HEALPIX.name, pa.array(index[part])).cast(schema)
        name = f"Norder={order}/Dir={pixel // IN_FOLDER * IN_FOLDER}/Npix={pixel}.parquet"
        (dataset / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, dataset / name, row_group_size=ROW_GROUP, metadata_collector=footers)
        footers[-1].set_file_path(name)
    dataset.mkdir(exist_ok=True)  # a catalogue without rows
    pq.write_metadata(schema, dataset / "_common_metadata")
    pq.write_metadata(schema, dataset / "_metadata", metadata_collector=footers)
    lines = [f"{order},{pixel},{count}\n" for pixel, count in zip(pixels, counts, strict=True)]
    (folder / "partition_info.csv").write_text("".join(["Norder,Npix,num_rows\n", *lines]))
    said = {
        **properties,
        "dataproduct_type": "object",
        "hats_nrows": len(index),
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_col_healpix": HEALPIX.name,
        "hats_col_healpix_order": ORDER,
        "hats_npix_suffix": ".parquet",
        "hats_order": order,
        "hats_max_rows": most,
        "hats_estsize": sum(path.stat().st_size for path in dataset.rglob("*.parquet")) // 1024,  # kilobytes
        "hats_builder": f"stargal {__version__}",
        **VERSION,
    }
    for name in ("hats.properties", "properties"):
        (folder / name).write_text("#HATS catalog\n" + "".join(f"{key}={value}\n" for key, value in said.items()))
