"""The catalogue of a sky: the sources of all classified fields, each once, as one HATS catalogue."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stargal.catalogs.columns import COLUMNS
from stargal.catalogs.files import catalog_schema
from stargal.catalogs.hats import HEALPIX, MOST_ROWS, healpix_index, write_hats
from stargal.io.folders import whole_folder
from stargal.io.tables import read_table
from stargal.survey.fields import fields_ahead
from stargal.survey.matching import ARCSEC, MATCH_ARCSEC, unit_vectors

FIELD_KEYS = ["rerun", "run", "camcol", "field"]
"""Columns that name the field of a source."""

USED = [*FIELD_KEYS, "ra", "dec", "y", "edge_distance"]
"""Columns that say which sources are kept."""

NOT_PROVENANCE = ("pandas", "ARROW:", "IVOA.")
"""Beginnings of keywords of a parquet file that do not say where its rows come from."""

log = logging.getLogger(__name__)


def catalog_sky(*, name: str, sky: str, catalogs: Sequence[Path], folder: Path, most: int = MOST_ROWS) -> None:
    """Write the sources of classified fields, each once, as a HATS catalogue.

    Rows are those that `own_sources` and `unique_sources` keep. Columns are `stargal.catalogs.hats.HEALPIX` and
    `stargal.catalogs.columns.COLUMNS`. In memory are about 400 bytes for each source, and the rows of one file of the
    catalogue.

    Parameters
    ----------
    name : str
        Name of the catalogue, one word.
    sky : str
        Name of the sky, for its title.
    catalogs : sequence of paths
        Catalogues of the fields, .parquet, as `stargal.catalogs.field.classify_field` writes them.
    folder : path
        Folder to write; one that is there is replaced.
    most : int
        Largest number of rows in a file.
    """
    parts = []
    for number, path in enumerate(catalogs):
        part = read_table(path, USED)
        parts.append(part.assign(file=np.int32(number), row=np.arange(len(part), dtype=np.int32)))
    sources = pd.concat(parts, ignore_index=True)
    del parts
    sources = sources[own_sources(sources)]
    sources = sources[unique_sources(sources)].reset_index(drop=True)
    index = healpix_index(sources["ra"].to_numpy(), sources["dec"].to_numpy())
    ascending = np.lexsort((sources["row"], sources["file"], index))
    index, (file, row) = index[ascending], sources.loc[ascending, ["file", "row"]].to_numpy().T

    def rows(part: slice) -> pa.Table:
        return read_rows(catalogs, file[part], row[part])

    with whole_folder(folder) as partial:
        title = {"obs_collection": name, "obs_title": f"Sources of the classified fields, each once: {sky}"}
        write_hats(partial, index, rows, sky_schema(catalogs), title, most)
    log.info("%s: %d sources of %d fields", name, len(index), len(catalogs))


def own_sources(sources: pd.DataFrame) -> NDArray[np.bool_]:
    """Choose the sources that each field lists for itself: not those in rows that a listed neighbour owns.

    Neighbours along a camcol share 128 rows, of which each owns 64. Rows of a neighbour that is not listed stay.

    Parameters
    ----------
    sources : DataFrame
        rerun, run, camcol, field and y (pixels of r, 0-based) of the sources of all fields.

    Returns
    -------
    bool array, (n,)
        Whether a source is kept.
    """
    ahead = fields_ahead(sources["y"]).astype(int)
    owner = pd.MultiIndex.from_frame(sources[FIELD_KEYS].assign(field=sources["field"] + ahead))
    listed = pd.MultiIndex.from_frame(sources[FIELD_KEYS].drop_duplicates())
    return (ahead == 0).to_numpy() | ~owner.isin(listed)


def unique_sources(sources: pd.DataFrame, arcsec: float = MATCH_ARCSEC) -> NDArray[np.bool_]:
    """Choose one of the detections of each source where fields overlap: the one farthest from the edge of its frame.

    Starting with the source farthest from its edge, each source that is still there removes the sources of other fields
    within the radius. Of sources equally far from their edges, that of the lower rerun, run, camcol and field comes
    first. The result does not depend on the order of the rows. Sources of one field never remove each other.

    Parameters
    ----------
    sources : DataFrame
        ra, dec (deg), edge_distance (pixels), rerun, run, camcol and field of sources. `own_sources` leaves few
        duplicates of neighbours along a camcol.
    arcsec : float
        Largest distance of two detections of a source.

    Returns
    -------
    bool array, (n,)
        Whether a source is kept.

    Notes
    -----
    Time and memory grow with the number of pairs within the radius, 16 bytes each: one for each source that two runs
    have seen, 45 for ten runs.
    """
    kept = np.ones(len(sources), bool)
    if sources.empty:
        return kept
    field = sources.groupby(FIELD_KEYS, sort=True).ngroup().to_numpy()
    tree = cKDTree(unit_vectors(sources["ra"].to_numpy(), sources["dec"].to_numpy()))
    pairs = tree.query_pairs(2 * np.sin(arcsec * ARCSEC / 2), output_type="ndarray")
    pairs = pairs[field[pairs[:, 0]] != field[pairs[:, 1]]]
    rank = np.empty(len(sources), np.intp)
    rank[np.lexsort((field, -sources["edge_distance"].to_numpy()))] = np.arange(len(sources))
    swap = rank[pairs[:, 0]] > rank[pairs[:, 1]]
    better, worse = np.where(swap, pairs[:, ::-1].T, pairs.T)
    # The better source of a pair is safe if it is the worse one of none. At least the best of all is.
    while len(better):
        threatened = np.zeros(len(sources), bool)
        threatened[worse] = True
        kept[worse[~threatened[better]]] = False
        left = kept[better] & kept[worse]
        better, worse = better[left], worse[left]
    return kept


def read_rows(catalogs: Sequence[Path], file: NDArray[np.int32], row: NDArray[np.int32]) -> pa.Table:
    """Read rows of several catalogues.

    Parameters
    ----------
    catalogs : sequence of paths
        Catalogues of fields, .parquet.
    file, row : int32 arrays, (n,)
        Number of the catalogue of each row, and its number there.

    Returns
    -------
    Table
        The rows in the given order.
    """
    together = np.lexsort((row, file))
    numbers, starts = np.unique(file[together], return_index=True)
    groups = np.split(row[together], starts[1:])
    tables = [
        pq.read_table(catalogs[number], columns=[column.name for column in COLUMNS], use_threads=False).take(group)
        for number, group in zip(numbers.tolist(), groups, strict=True)
    ]
    given = np.empty_like(together)
    given[together] = np.arange(len(together))
    return pa.concat_tables(table.replace_schema_metadata() for table in tables).take(given)


def sky_schema(catalogs: Iterable[Path]) -> pa.Schema:
    """Arrow schema of the catalogue of a sky, with the provenance that the catalogues of its fields have in common.

    pandas finds the provenance in ``attrs``, and reads a column with missing integers as integers.
    """
    first, *others = ({**pq.read_schema(path).metadata} for path in catalogs)
    common = {
        key.decode(): value.decode() for key, value in first.items() if all(one.get(key) == value for one in others)
    }
    provenance = {key: value for key, value in common.items() if not key.startswith(NOT_PROVENANCE)}
    columns = (HEALPIX, *COLUMNS)
    empty = pd.DataFrame({one.name: pd.Series(dtype=one.dtype if one.null is None else "Int64") for one in columns})
    empty.attrs.update(provenance)
    return pa.Table.from_pandas(empty, catalog_schema(columns, provenance), preserve_index=False).schema
