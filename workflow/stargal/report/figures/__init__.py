"""Figures, a module per chapter of the page.

Each public function draws one figure: tables and arrays as parameters, settings as keywords, a matplotlib `Figure` as
the result. Draw and save within `stargal.report.style.style`.
"""
