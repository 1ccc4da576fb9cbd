"""Scores with intervals, baselines and comparisons of experiments."""
