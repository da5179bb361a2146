"""Avro Java as the oracle of what a writer's schema, a reader's and some bytes mean: `python -m tests.oracle`."""
