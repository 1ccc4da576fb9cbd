"""Frames, astrometry, stars, PSF, resampling and the aligned cube of a field."""
