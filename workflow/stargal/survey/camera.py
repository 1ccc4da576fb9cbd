"""The detectors and filters of the imaging camera: gain, dark variance, saturation and wavelengths.

References
----------
Frame data model, gain and dark variance by camera column:
https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html
"""

GAIN = {
    "u": (1.62, 1.825, 1.59, 1.6, 1.47, 2.17),
    "g": (3.32, 3.855, 3.845, 3.995, 4.05, 4.035),
    "r": (4.71, 4.6, 4.72, 4.76, 4.725, 4.895),
    "i": (5.165, 6.565, 4.86, 4.885, 4.64, 4.76),
    "z": (4.745, 5.155, 4.885, 4.775, 3.48, 4.69),
}
"""Electrons per count, camera columns 1 to 6 (frame data model, runs after 1500)."""

DARK_VARIANCE = {
    "u": (9.61, 12.6025, 8.7025, 12.6025, 9.3025, 7.0225),
    "g": (15.6025, 1.44, 1.3225, 1.96, 1.1025, 1.8225),
    "r": (1.8225, 1.0, 1.3225, 1.3225, 0.81, 0.9025),
    "i": (7.84, 6.25, 4.6225, 7.5625, 7.84, 5.0625),
    "z": (0.81, 1.0, 1.0, 12.6025, 2.1025, 1.21),
}
"""Variance of dark current and readout, counts squared (frame data model, runs after 1500)."""

SATURATION_DN = 50_000.0
"""Counts above which a pixel is treated as saturated.

The converters saturate at 65,535 with a bias of 1,000 (Gunn et al. 1998, AJ 116, 3040); in real frames bright stars
have flat tops between 52,000 and 60,000 counts. Frames do not record saturation, and photo fills in the cores of some
saturated stars, so the mask bit is a lower limit.
"""

WAVELENGTH = {"u": 355.1, "g": 468.6, "r": 616.5, "i": 748.1, "z": 893.1}
"""Average wavelength of the bands, nm (https://www.sdss4.org/instruments/camera/)."""
