"""Frozen descriptions of models: what a model directory says, once it has been read and checked. No arrays, no torch."""
