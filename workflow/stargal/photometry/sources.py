"""Detect and measure the sources of a field without a catalogue, following SDSS photo."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.imaging.frames import Frame
from stargal.photometry.classify import photo_types
from stargal.photometry.detect import detect_peaks
from stargal.photometry.measure import measure_sources
from stargal.photometry.planes import prepare_planes
from stargal.survey.fields import BANDS, PIXEL_ARCSEC, REFERENCE, Field, fields_ahead
from stargal.survey.geometry import edge_distance
from stargal.survey.magnitudes import magnitude


def detect_sources(frames: Mapping[str, Frame], field: Field) -> pd.DataFrame:
    """Detect and measure the sources on the frames of a field; see `stargal.photometry` for the method.

    Parameters
    ----------
    frames : mapping of Frame
        Frames of all five bands, by band.
    field : Field

    Returns
    -------
    DataFrame
        One row per source, in ascending order of the frame row:

        - id: ``rerun-run-camcol-field-number``, numbered from 1 (str)
        - ra, dec: deg, ICRS (float64)
        - x, y: 0-based pixel of r (float64)
        - primary: whether the field owns the position; neighbours along the camcol share rows, and each source is
          primary in one field (bool)
        - photo_type: 3 galaxy, 6 star, by the rule of photo (int16)
        - psf_mag_u ... model_mag_z: AB magnitudes, NaN for a flux that is not positive (float32)
        - psf_flux_u ... model_flux_z, psf_flux_error_u ... model_flux_error_z: nanomaggies, NaN where the band does not
          cover the source (float32)
        - position_error: standard error of each coordinate, arcsec (float32)
        - flags: the bits of OBJC_FLAGS that `stargal.photometry` sets (int32)
        - edge_distance: distance to the nearest edge of the frame, pixels (float32)

    Raises
    ------
    StargalError
        If a frame has too few stars for its PSF.
    """
    planes = prepare_planes(frames, field.camcol)
    measured = measure_sources(planes, detect_peaks(planes))
    ra, dec = frames[REFERENCE].astrometry.to_sky(measured["x"], measured["y"])
    types = photo_types(measured, [frames[band].nmgy_per_dn for band in BANDS])
    return tabulate_sources(measured, np.asarray(ra, float), np.asarray(dec, float), types, field)


def tabulate_sources(
    measured: Mapping[str, NDArray[Any]],
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    types: NDArray[np.int32],
    field: Field,
) -> pd.DataFrame:
    """Arrange measured sources as `detect_sources` returns them.

    Parameters
    ----------
    measured : mapping of ndarray
        ``x, y, flags, position_error`` (n,) and ``psf, model, psf_ivar, model_ivar`` (n, 5), as
        `stargal.photometry.measure.measure_sources` returns them.
    ra, dec : ndarray, shape (n,)
        deg, ICRS.
    types : ndarray, shape (n,)
        3 galaxy, 6 star.
    field : Field
    """
    x, y = measured["x"], measured["y"]
    magnitudes = {
        f"{kind}_mag_{band}": magnitude(measured[kind][:, index])
        for kind in ("psf", "model")
        for index, band in enumerate(BANDS)
    }
    fluxes = {
        f"{kind}_{name}_{band}": values[:, index].astype(np.float32)
        for kind in ("psf", "model")
        for name, values in (("flux", measured[kind]), ("flux_error", flux_error(measured[f"{kind}_ivar"])))
        for index, band in enumerate(BANDS)
    }
    names = [f"{field.rerun}-{field.run}-{field.camcol}-{field.field}-{row + 1}" for row in range(len(x))]
    return pd.DataFrame(
        {
            "id": pd.Series(names, dtype=str),
            "ra": ra,
            "dec": dec,
            "x": x,
            "y": y,
            "primary": fields_ahead(y) == 0,
            "photo_type": types.astype(np.int16),
            **magnitudes,
            "flags": measured["flags"].astype(np.int32),
            "edge_distance": edge_distance(x, y),
            **fluxes,
            "position_error": (PIXEL_ARCSEC * measured["position_error"]).astype(np.float32),
        }
    )


def flux_error(inverse_variance: NDArray[Any]) -> NDArray[np.float64]:
    """Return standard deviations; NaN where the inverse variance is not positive."""
    known = inverse_variance > 0
    return np.where(known, 1 / np.sqrt(np.where(known, inverse_variance, 1)), np.nan)
