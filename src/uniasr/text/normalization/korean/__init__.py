"""Korean: our own rules for ITN."""
