"""The science of stargal: plain functions over arrays and tables.

The modules follow the data: `archive` fetches what the survey gave, `align` puts the bands of a field on
one grid, `sources` and `patches` cut it up, `train` and `metrics` learn from it and judge what was learned.
Nothing here knows of Snakemake; the scripts in `workflow/scripts` stand between the two.
"""

__version__ = "0.1.0"
