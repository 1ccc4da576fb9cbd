"""Write catalogues with the metadata of their columns: as FITS for STILTS and TOPCAT, and as parquet.

A FITS table says of column n: TUNITn, TDISPn, TNULLn, and by common convention TUCDn and TCOMMn. A parquet file says it
in the metadata of its fields, and in a VOTable without data, by the convention VOParquet
(https://www.ivoa.net/documents/Notes/VOParquet/). Missing floats are NaN in FITS; missing values are null in parquet.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow as pa
from astropy.io import fits
from numpy.typing import NDArray

from stargal.catalogs.columns import COLUMN, Column
from stargal.io.files import whole
from stargal.io.fits import write_fits

Provenance = Mapping[str, tuple[Any, str]]
"""Value and comment of the keywords of a header."""

VOTABLE_TYPES = {
    "str": "char", "bool": "boolean", "int16": "short", "int32": "int", "int64": "long", "float32": "float",
    "float64": "double",
}  # fmt: skip
"""Type in a VOTable of each type of a column."""

NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"
"""Of VOTable 1.3 and later."""


def write_fits_catalog(table: pd.DataFrame, path: Path, provenance: Provenance) -> None:
    """Write a catalogue as a FITS table: extension SOURCES.

    Parameters
    ----------
    table : DataFrame
        Some or all of `stargal.catalogs.columns.COLUMNS`.
    path : path
        Ends in .fits.
    provenance : mapping
        Further keywords of its header.
    """
    columns = [COLUMN[str(name)] for name in table]
    arrays = {column.name: _fits_array(table[column.name], column) for column in columns}
    rows = np.empty(len(table), [(name, array.dtype) for name, array in arrays.items()])
    for name, array in arrays.items():
        rows[name] = array
    hdu = fits.BinTableHDU(rows, name="SOURCES")
    for described, column in zip(hdu.columns, columns, strict=True):
        if column.unit:
            described.unit = column.unit
        if column.display:
            described.disp = column.display
        if column.null is not None:
            described.null = column.null
    hdu.update_header()
    for number, column in enumerate(columns, start=1):
        hdu.header[f"TUCD{number}"], hdu.header[f"TCOMM{number}"] = column.ucd, column.description
    for key, (value, comment) in provenance.items():
        hdu.header[key] = (value, comment) if comment else value
    hdu.header["COMMENT"] = "Neighbouring fields share rows: keep the rows with primary = T to count each source once."
    write_fits([fits.PrimaryHDU(), hdu], path)


def _fits_array(values: pd.Series, column: Column) -> NDArray[Any]:
    """Return the values of a column as a FITS table holds them."""
    if column.dtype == "str":
        text = values.to_numpy(str).astype("S")
        return text if text.dtype.itemsize else text.astype("S1")
    if column.null is not None:
        return np.asarray(values.fillna(column.null).to_numpy(column.dtype))
    return values.to_numpy(column.dtype)


def write_parquet_catalog(table: pd.DataFrame, path: Path, provenance: Provenance) -> None:
    """Write a catalogue as parquet; the arguments are those of `write_fits_catalog`.

    pandas finds the provenance in ``attrs``.
    """
    said = {key: value for key, (value, _) in provenance.items()}
    schema = catalog_schema((COLUMN[str(name)] for name in table), said)
    table = table.copy(deep=False)
    table.attrs.update(said)
    with whole(path) as partial:
        table.to_parquet(partial, index=False, schema=schema)


def catalog_schema(columns: Iterable[Column], provenance: Mapping[str, Any]) -> pa.Schema:
    """Arrow schema of a catalogue: types, and unit, UCD and description of each column."""
    columns = list(columns)
    fields = [
        pa.field(
            column.name,
            pa.string() if column.dtype == "str" else pa.from_numpy_dtype(column.dtype),
            metadata={"unit": column.unit, "ucd": column.ucd, "description": column.description},
        )
        for column in columns
    ]
    metadata = {
        "IVOA.VOTable-Parquet.version": "1.0",
        "IVOA.VOTable-Parquet.content": votable(columns, provenance),
        **{key: str(value) for key, value in provenance.items()},
    }
    return pa.schema(fields, metadata)


def votable(columns: Iterable[Column], provenance: Mapping[str, Any]) -> str:
    """VOTable without data that describes a catalogue."""
    root = ElementTree.Element("VOTABLE", version="1.4", xmlns=NAMESPACE)
    resource = ElementTree.SubElement(root, "RESOURCE")
    ElementTree.SubElement(resource, "COOSYS", ID="icrs", system="ICRS")
    table = ElementTree.SubElement(resource, "TABLE", name="SOURCES")
    for key, value in provenance.items():
        ElementTree.SubElement(table, "PARAM", name=key, datatype="char", arraysize="*", value=str(value))
    for column in columns:
        given = {"name": column.name, "datatype": VOTABLE_TYPES[column.dtype], "ucd": column.ucd}
        given |= {"arraysize": f"{column.display.removeprefix('A')}*"} if column.dtype == "str" else {}
        given |= {"unit": column.unit} if column.unit else {}
        given |= {"ref": "icrs"} if column.ucd.endswith("meta.main") and column.unit == "deg" else {}
        field = ElementTree.SubElement(table, "FIELD", given)
        ElementTree.SubElement(field, "DESCRIPTION").text = column.description
    return ElementTree.tostring(root, encoding="unicode")
