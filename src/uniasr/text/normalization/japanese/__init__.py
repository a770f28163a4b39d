"""Japanese: our own rules."""
