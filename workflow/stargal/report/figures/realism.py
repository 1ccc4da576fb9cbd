"""Figures that compare the simulated with the real sky."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stargal.report.figures.panels import FULL, PLURALS
from stargal.survey.fields import BANDS


def ratios(table: pd.DataFrame) -> Figure:
    """Ratio of simulated to real of each quantity, bands by colour, accepted range as grey boxes.

    Parameters
    ----------
    table : DataFrame
        Comparison of the skies: ``quantity``, ``band``, ``ratio`` and ``bar`` (largest accepted ratio).
    """
    names = list(dict.fromkeys(table["quantity"]))
    figure = Figure(figsize=(FULL, 0.24 * len(names) + 1))
    ax = figure.subplots()
    for index, band in enumerate(BANDS):
        rows = table[table["band"] == band]
        places = [names.index(name) + 0.12 * (index - 2) for name in rows["quantity"]]
        ax.scatter(rows["ratio"], places, s=16, color=f"C{index}", label=band)
    for place, name in enumerate(names):
        bar = table.loc[table["quantity"] == name, "bar"].iloc[0]
        ax.barh(place, bar - 1 / bar, 0.8, 1 / bar, color="0.93", zorder=0)
    ax.axvline(1, color="0.6", linewidth=0.6, zorder=0)
    ax.set(xscale="log", xlim=(0.4, 2.5))
    ax.set_xlabel("simulated sky over real sky, medians over fields", loc="left")
    ax.set_xticks([0.5, 0.7, 1, 1.5, 2], ["0.5", "0.7", "1", "1.5", "2"])
    ax.set_xticks([], minor=True)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.legend(title="band", ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1))
    return figure


def counts(simulated: Sequence[pd.DataFrame], real: Sequence[pd.DataFrame]) -> Figure:
    """Number and concentration of sources against r magnitude, a line per field, stars and galaxies apart.

    Parameters
    ----------
    simulated, real : sequence of DataFrame
        Descriptions of the fields: ``quantity``, ``bin`` (of r magnitude, as ``19-20``; empty for all) and ``value``.
    """
    figure = Figure(figsize=(FULL, 5.4))
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    for column, (name, plural) in enumerate(PLURALS.items()):
        for row, quantity in enumerate((f"count {name}", f"PSF / model {name}")):
            ax = axes[row, column]
            for colour, kind, fields in (("C0", "simulated sky", simulated), ("C1", "real sky", real)):
                for number, described in enumerate(fields):
                    binned = described["bin"].notna() & (described["bin"] != "")
                    rows = described[(described["quantity"] == quantity) & binned]
                    middle = [np.mean([float(edge) for edge in text.split("-")]) for text in rows["bin"]]
                    ax.plot(middle, rows["value"], color=colour, marker=".", label=None if number else kind)
        axes[0, column].set(title=plural, yscale="log")
        axes[1, column].set_xlabel("r magnitude, AB mag")
    axes[0, 0].set_ylabel("sources a field")
    axes[1, 0].set_ylabel("PSF flux over model flux, r")
    axes[0, 0].legend()
    return figure
