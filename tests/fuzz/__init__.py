"""Bytes that may be anything, against whole pipelines with real models."""
