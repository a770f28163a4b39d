"""Export: runtime graphs from the networks."""
