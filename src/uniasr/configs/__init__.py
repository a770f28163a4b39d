"""Frozen descriptions of models: what a model directory says once it has been checked. No arrays, no torch."""
