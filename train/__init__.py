"""Training and its data. Needs the `train` extra."""
