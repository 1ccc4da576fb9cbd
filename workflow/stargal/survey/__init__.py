"""SDSS imaging: fields, bands, camera facts, catalogue columns, flags and labels.

The lowest package. `fields` and `camera` use the standard library alone, because the Snakefile imports them.
"""
