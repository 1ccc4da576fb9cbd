"""Tables of classes and probabilities from elsewhere, matched to the detections of a field by position.

A table holds independent classes (spectra, Gaia, deeper imaging) or what another classifier says. Its file is CSV, FITS
or Parquet; the configuration names the columns.
"""

import gzip
import itertools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from stargal.errors import StargalError
from stargal.survey.fields import REFERENCE
from stargal.survey.labels import CLASSES, GALAXY, STAR
from stargal.survey.matching import MATCH_ARCSEC, match_sky

WORDS = {"star": STAR, "qso": STAR, "galaxy": GALAXY}
"""Classes that are understood in any case. A quasar is a point source and counts as a star."""

AGAINST, GIVEN = "against ", "given "
"""What the columns of a matched field begin with: the label in an independent table, what another classifier gives."""


def read_positions(path: Path, columns: Mapping[str, Any], key: str) -> pd.DataFrame:
    """Read positions and classes, or probabilities, from a table.

    Parameters
    ----------
    path : path
        A file .csv (also .csv.gz; lines that begin with ``#`` before the header are skipped), .fits, .fit, .fits.gz or
        .parquet.
    columns : mapping
        ``ra``, ``dec``: names of the columns in degrees, by default these. ``star``: column of the probability of a
        star; or ``class``: column of the class, by default that. ``values``: what other words of that column mean,
        star, galaxy or None (no class), before `WORDS`.
    key : str
        Key of the configuration that names the table, for messages.

    Returns
    -------
    DataFrame
        ra, dec (deg), value: probability of a star, or label (1 star, 0 galaxy), NaN where there is none.

    Raises
    ------
    StargalError
        If the file or a column is missing, a position is none, a class is not understood, or a probability is not
        between 0 and 1; the message names file, column, row and the key to change.
    """
    named = {name: str(columns.get(name) or name) for name in ("ra", "dec")}
    named["value"] = str(columns.get("star") or columns.get("class") or "class")
    table, row_name, first = _read(path, list(named.values()), key)

    def require(good: Any, name: str, allowed: str, remedy: str) -> None:
        """Require that all values of a column are good."""
        for row in np.flatnonzero(~np.asarray(good))[:1]:
            found = table[named[name]].iloc[row]
            raise StargalError(
                f"{path}: {row_name} {row + first}, column {named[name]}: found {str(found)!r}, allowed: {allowed}; "
                f"{remedy}"
            )

    ra, dec = (pd.to_numeric(table[named[name]], errors="coerce").to_numpy(float) for name in ("ra", "dec"))
    for name, values, (low, high) in (("ra", ra, (0, 360)), ("dec", dec, (-90, 90))):
        remedy = f"correct the row, or name another column in {key}.{name}"
        require((values >= low) & (values <= high), name, f"degrees from {low} to {high}", remedy)
    given = table[named["value"]]
    if columns.get("star"):
        value = pd.to_numeric(given, errors="coerce").to_numpy(float)
        good = given.isna().to_numpy() | ((value >= 0) & (value <= 1))
        remedy = f"correct the row, or name another column in {key}.star"
        require(good, "value", "a probability from 0 to 1, or nothing", remedy)
        return pd.DataFrame({"ra": ra, "dec": dec, "value": value})
    labels: dict[Any, float] = {word: float(label) for word, label in WORDS.items()}
    meaning = {word: float(label) for label, word in CLASSES.items()}
    labels |= {_word(word): meaning.get(value, np.nan) for word, value in (columns.get("values") or {}).items()}
    words = [_word(value) for value in given]
    remedy = f"say in {key}.values what the others are: star, galaxy, or null for no class"
    require([not word or word in labels for word in words], "value", ", ".join(sorted(labels)), remedy)
    return pd.DataFrame({"ra": ra, "dec": dec, "value": [labels.get(word, np.nan) for word in words]})


def _word(value: Any) -> str:
    """A class as text: without case, spaces at the ends, and the decimals of a whole number; empty for none."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return re.sub(r"^(-?\d+)\.0*$", r"\1", str(value).strip().casefold())


def _read(path: Path, wanted: list[str], key: str) -> tuple[pd.DataFrame, str, int]:
    """Read columns of a file: the table, what a row of it is called, and the number of the first."""
    name = path.name.casefold()
    try:
        if name.endswith(".parquet"):
            _require(path, pq.read_schema(path).names, wanted, key)
            return pd.read_parquet(path, columns=list(dict.fromkeys(wanted))), "row", 1
        if re.search(r"\.fits?(\.gz)?$", name):
            with fits.open(path, memmap=False) as hdus:
                tables = [hdu for hdu in hdus if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU))]
                if not tables:
                    raise StargalError(f"{path}: no table in the file; {key}.table needs a FITS table")
                _require(path, tables[0].columns.names, wanted, key)
                rows = {column: np.asarray(tables[0].data[column]) for column in wanted}
            many = [column for column, values in rows.items() if values.ndim > 1]
            if many:
                raise StargalError(
                    f"{path}: column {many[0]} holds several numbers a row; name another column in {key}"
                )
            native = {column: values.astype(values.dtype.newbyteorder("=")) for column, values in rows.items()}
            return pd.DataFrame(native), "row", 1
        if re.search(r"\.csv(\.gz)?$", name):
            comments = _comments(path)
            table = pd.read_csv(path, skiprows=comments, dtype=str, skipinitialspace=True, encoding="utf-8-sig")
            _require(path, map(str, table), wanted, key)
            return table[list(dict.fromkeys(wanted))], "line", comments + 2
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StargalError(
            f"{path}: not a readable table ({str(error).splitlines()[0]}); {key}.table names a CSV, FITS or Parquet "
            "file"
        ) from None
    raise StargalError(f"{path}: its name ends in neither .csv, .fits nor .parquet; rename it, and {key}.table")


def _comments(path: Path) -> int:
    """Number of lines before the header that begin with #, as in files of SkyServer and TOPCAT."""
    with (
        gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else path.open(encoding="utf-8-sig") as file
    ):
        return sum(1 for _ in itertools.takewhile(lambda line: line.startswith("#"), file))


def _require(path: Path, names: Iterable[str], wanted: Iterable[str], key: str) -> None:
    """Require some columns."""
    names = list(names)
    missing = [column for column in wanted if column not in names]
    if missing:
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        raise StargalError(f"{path}: no column {missing[0]}; it has {shown}; name the columns in {key}")


def match_field(
    detections: pd.DataFrame,
    sources: pd.DataFrame | None,
    truth: Mapping[str, tuple[pd.DataFrame, float]],
    classifiers: Mapping[str, tuple[pd.DataFrame, float]],
) -> pd.DataFrame:
    """Match the detections of a field to the survey's sources and to tables from elsewhere, each source once.

    Parameters
    ----------
    detections : DataFrame
        As `stargal.photometry.sources.detect_sources` gives them; with ``truth`` on a simulated sky.
    sources : DataFrame, optional
        The survey's sources of the field, as `stargal.dataset.sources.select_sources` gives them.
    truth, classifiers : mappings
        By name: what `read_positions` gives, and the largest distance of a match, arcsec.

    Returns
    -------
    DataFrame
        The detections that match a source or that the field owns (`primary`):

        - id: of the detection (str); source: id of the survey's source, empty without one (str)
        - photo_type: by photo's rule on our own measurement
        - psf_mag_r, model_mag_r: our own; r: the survey's model magnitude, without a source our own
        - label, truth: 1 star, 0 galaxy, missing where not known (Int8)
        - ``against NAME``: label in an independent table (Int8)
        - ``given NAME``: what another classifier gives, a probability or a label (float64)
    """
    ra, dec = detections["ra"].to_numpy(float), detections["dec"].to_numpy(float)
    nothing = pd.Series(pd.NA, index=detections.index, dtype="Int8")
    table = detections[["id", "ra", "dec", "photo_type", f"psf_mag_{REFERENCE}", f"model_mag_{REFERENCE}"]].assign(
        source="", label=nothing, truth=detections["truth"].astype("Int8") if "truth" in detections else nothing
    )
    r = detections[f"model_mag_{REFERENCE}"].to_numpy(np.float32, copy=True)
    kept = detections["primary"].to_numpy(bool, copy=True)
    if sources is not None and len(sources):
        match = match_sky(ra, dec, sources["ra"].to_numpy(float), sources["dec"].to_numpy(float), MATCH_ARCSEC)
        found = match >= 0
        ours = sources.iloc[match[found]]
        table["source"] = np.where(found, sources["id"].to_numpy(object)[match], "")
        table.loc[found, "label"] = ours["label"].to_numpy()
        if "truth" not in detections:
            table.loc[found, "truth"] = ours["truth"].astype("Int8").to_numpy()
        r[found] = ours[f"model_mag_{REFERENCE}"].to_numpy(np.float32)
        kept |= found
    table["r"] = r
    for prefix, tables in ((AGAINST, truth), (GIVEN, classifiers)):
        for name, (other, radius) in tables.items():
            other = other[other["value"].notna()]
            values = other["value"].to_numpy(float)
            match = match_sky(ra, dec, other["ra"].to_numpy(float), other["dec"].to_numpy(float), radius)
            column = np.where(match >= 0, values[match], np.nan) if len(values) else np.full(len(ra), np.nan)
            table[prefix + name] = pd.array(column, dtype="Int8") if prefix == AGAINST else column
    return table[kept].reset_index(drop=True)
