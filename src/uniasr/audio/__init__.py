"""From anything that holds sound to mono float32 samples. Knows nothing of features or models."""
