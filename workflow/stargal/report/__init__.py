"""Figures, the field viewer and the page."""
