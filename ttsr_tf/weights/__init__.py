"""Weights: files, names, and where they come from."""
