"""Detect, deblend, measure and classify the sources on the frames of a field, as SDSS photo does."""
