"""Engines run named graphs on arrays and know nothing about speech."""
