"""SExtractor's classes: CLASS_STAR, and SPREAD_MODEL with the PSF of PSFEx, on the r frame of a field.

References
----------
Bertin & Arnouts 1996, A&AS 117, 393 (SExtractor, CLASS_STAR); Bertin 2011, ASP 442, 435 (PSFEx); Mohr et al. 2012,
SPIE 8451, 84510D and Desai et al. 2012, ApJ 757, 83 (SPREAD_MODEL).
"""

import logging
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from stargal.errors import StargalError
from stargal.imaging.frames import Frame
from stargal.photometry.planes import Plane
from stargal.survey.camera import SATURATION_DN
from stargal.survey.fields import COLUMNS, PIXEL_ARCSEC, ROWS
from stargal.survey.matching import MATCH_ARCSEC, match_points

KERNEL = "CONV NORM\n1 2 1\n2 4 2\n1 2 1\n"
"""Detection filter: SExtractor's default.conv."""

NETWORK = ("share/source-extractor/default.nnw", "share/sextractor/default.nnw")
"""Where packages put the weights of CLASS_STAR, below the folder above that of the program."""

STAMP = 35
"""Side of the stamps for PSFEx, pixels."""

DETECTION = {
    "DETECT_MINAREA": 5,
    "DETECT_THRESH": 1.5,
    "ANALYSIS_THRESH": 1.5,
    "FILTER": "Y",
    "FILTER_NAME": "kernel.conv",
    "BACK_SIZE": 128,
    "WEIGHT_TYPE": "NONE",
    "PHOT_APERTURES": 10,
    "MAG_ZEROPOINT": 22.5,
    "PIXEL_SCALE": PIXEL_ARCSEC,
    "NTHREADS": 1,
    "WRITE_XML": "N",
    "VERBOSE_TYPE": "QUIET",
}
"""Settings of SExtractor: its own defaults but for the background, which frames have little of, and the units."""

PSF_SETTINGS = {
    "PSF_SIZE": "25,25",
    "CHECKPLOT_TYPE": "NONE",
    "CHECKIMAGE_TYPE": "NONE",
    "WRITE_XML": "N",
    "NTHREADS": 1,
    "VERBOSE_TYPE": "QUIET",
}
"""Settings of PSFEx besides its defaults."""

DEGREES = (2, 1, 0)
"""Degrees of the polynomial of the PSF over the frame that are tried in turn."""

log = logging.getLogger(__name__)


def classify_with_extractor(
    detections: pd.DataFrame, frame: Frame, plane: Plane, extractor: str | None, psfex: str | None, folder: Path
) -> pd.DataFrame:
    """SExtractor's classes of the detections of a field.

    Parameters
    ----------
    detections : DataFrame
        id, x, y: pixels of the frame, 0-based.
    frame : Frame
        The r frame.
    plane : Plane
        The same, prepared: seeing and gain.
    extractor, psfex : str, optional
        The programs; None where they are not installed.
    folder : path
        For the files that the programs exchange.

    Returns
    -------
    DataFrame
        id, class_star, spread_model, spread_error: NaN where SExtractor detects no source within 1 arcsec. The
        attribute ``skipped`` says by column why it is empty.

    Raises
    ------
    StargalError
        If SExtractor fails, or a program is not on this machine.
    """
    empty = np.full(len(detections), np.nan, dtype=np.float32)
    table = pd.DataFrame(
        {"id": detections["id"], **dict.fromkeys(("class_star", "spread_model", "spread_error"), empty)}
    )
    skipped: dict[str, str] = {}
    if extractor is None:
        skipped = dict.fromkeys(("class_star", "spread_model"), "source-extractor is not installed")
    elif psfex is None:
        skipped = {"spread_model": "psfex is not installed"}
    if extractor is not None:
        for name in filter(None, (extractor, psfex)):
            if shutil.which(name) is None:
                raise StargalError(
                    f"{name}: not installed on this machine, but where Snakemake runs; install it on both"
                )
        program = Path(str(shutil.which(extractor)))
        image = np.where(np.isfinite(frame.image), frame.image, 0).astype(np.float32)
        fits.PrimaryHDU(image).writeto(folder / "image.fits", overwrite=True)
        (folder / "kernel.conv").write_text(KERNEL)
        settings = DETECTION | {
            "STARNNW_NAME": _network(program),
            "GAIN": plane.gain / plane.calibration,
            "SATUR_LEVEL": SATURATION_DN * plane.calibration,
            "SEEING_FWHM": float(plane.psf.fwhm([COLUMNS / 2], [ROWS / 2])[0]),
        }
        psf = None
        if psfex is not None:
            psf = _measure_psf(program, psfex, settings, folder)
            if psf is None:
                skipped = {"spread_model": "psfex found too few stars"}
        found = _extract(program, settings, folder, psf)
        position = np.stack([found["X_IMAGE"] - 1, found["Y_IMAGE"] - 1], axis=1).astype(float)
        match = match_points(detections[["x", "y"]].to_numpy(float), position, MATCH_ARCSEC / PIXEL_ARCSEC)
        for name, column in (
            ("class_star", "CLASS_STAR"),
            ("spread_model", "SPREAD_MODEL"),
            ("spread_error", "SPREADERR_MODEL"),
        ):
            if column in (found.dtype.names or ()) and len(found):
                table[name] = np.where(match >= 0, found[column][match], np.nan).astype(np.float32)
        log.info("SExtractor: %d sources, %d of %d detections", len(found), (match >= 0).sum(), len(match))
    for name, reason in skipped.items():
        log.warning("%s is skipped: %s", name, reason)
    table.attrs["skipped"] = skipped
    return table


def _network(program: Path) -> Path:
    """The file of weights of CLASS_STAR that belongs to a program."""
    for place in NETWORK:
        path = program.resolve().parents[1] / place
        if path.exists():
            return path
    raise StargalError(f"{program}: no default.nnw below {program.resolve().parents[1]}/share; reinstall SExtractor")


def _measure_psf(program: Path, psfex: str, settings: Mapping[str, Any], folder: Path) -> Path | None:
    """Let PSFEx measure the PSF; None if the frame has too few stars."""
    columns = ["X_IMAGE", "Y_IMAGE", "FLUX_RADIUS", "SNR_WIN", "FLUX_APER(1)", "FLUXERR_APER(1)", "ELONGATION", "FLAGS"]
    (folder / "stamps.param").write_text("\n".join([f"VIGNET({STAMP},{STAMP})", *columns]) + "\n")
    wanted = {"PARAMETERS_NAME": "stamps.param", "CATALOG_NAME": "stamps.cat", "CATALOG_TYPE": "FITS_LDAC"}
    _run([program, "image.fits"], {**settings, **wanted}, folder)
    for degree in DEGREES:
        try:
            _run([psfex, "stamps.cat"], {**PSF_SETTINGS, "PSFVAR_DEGREES": degree}, folder)
        except StargalError as error:
            log.info("PSFEx, degree %d: %s", degree, error)
            continue
        if (folder / "stamps.psf").exists():
            return folder / "stamps.psf"
    return None


def _extract(program: Path, settings: Mapping[str, Any], folder: Path, psf: Path | None) -> np.ndarray[Any, Any]:
    """Sources that SExtractor detects, with the model of the PSF if there is one."""
    columns = ["X_IMAGE", "Y_IMAGE", "CLASS_STAR", "FLAGS"]
    wanted = {"PARAMETERS_NAME": "classes.param", "CATALOG_NAME": "classes.fits", "CATALOG_TYPE": "FITS_1.0"}
    if psf is not None:
        columns += ["SPREAD_MODEL", "SPREADERR_MODEL"]
        wanted["PSF_NAME"] = psf.name
    (folder / "classes.param").write_text("\n".join(columns) + "\n")
    _run([program, "image.fits"], {**settings, **wanted}, folder)
    with fits.open(folder / "classes.fits") as hdus:
        if len(hdus) < 2:
            return np.zeros(0, dtype=[(name, "f4") for name in columns])
        return np.array(hdus[1].data)


def _run(command: list[Any], settings: Mapping[str, Any], folder: Path) -> None:
    """Run a program in a folder, without a configuration of the user's.

    Raises
    ------
    StargalError
        If it fails.
    """
    (folder / "none.conf").write_text("")
    words = [*map(str, command), "-c", "none.conf"]
    words += [word for name, value in settings.items() for word in (f"-{name}", str(value))]
    done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()] or ["no message"]
        raise StargalError(f"{words[0]}: {said[-1]}; try another version of the program")
