"""Measures `stream serve` beside `mlflow models serve` and MLServer, with one model, in one run."""
