"""The simulated sky: sources, camera, rendering, frames and catalogues in the formats of SDSS."""
