"""The simulated sky: sources, camera, rendering, and frames and catalogues in SDSS formats."""
