"""SDSS imaging: fields, bands, camera facts, catalogue columns, flags and labels.

The lowest package. `fields` and `camera` use only the standard library, because the Snakefile imports them.
"""
