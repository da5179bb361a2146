"""How fast the worker is, beside what else one could write: `scripts/bench`."""
