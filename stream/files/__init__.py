"""Data files as rows: csv, parquet, avro and jsonl in; what their schema is, and each row as an Avro record."""

from stream.files.event_rows import events_of, read_events
from stream.files.schema_inference import Inferred, infer_schema, legal_names
from stream.files.tables import Row, Sample, read_rows, read_sample, sample_of

__all__ = [
    "Inferred",
    "Row",
    "Sample",
    "events_of",
    "infer_schema",
    "legal_names",
    "read_events",
    "read_rows",
    "read_sample",
    "sample_of",
]
