"""Data files as rows, one object per format; their schema, and their rows as Avro records."""

from stream.files.arrow_format import ArrowFormat
from stream.files.avro_fields import field_schema, legal_name, legal_names
from stream.files.file_format import FileFormat, Opener, RowWriter, SpanReader, reading
from stream.files.file_span import CHUNK_ROWS, LIMITS, Chunk, Limits, Row, Span, Wanted
from stream.files.formats import FORMATS, OUTPUT_FORMATS, ending_list, format_of, named_format, separated
from stream.files.schema_inference import Inferred, infer_schema
from stream.files.tables import (
    Sample,
    events_of,
    file_notes,
    owner_frame,
    read_events,
    read_frame,
    read_rows,
    read_sample,
    sample_of,
)
from stream.files.text_remarks import text_remarks

__all__ = [
    "CHUNK_ROWS",
    "FORMATS",
    "LIMITS",
    "OUTPUT_FORMATS",
    "ArrowFormat",
    "Chunk",
    "FileFormat",
    "Inferred",
    "Limits",
    "Opener",
    "Row",
    "RowWriter",
    "Sample",
    "Span",
    "SpanReader",
    "Wanted",
    "ending_list",
    "events_of",
    "field_schema",
    "file_notes",
    "format_of",
    "infer_schema",
    "legal_name",
    "legal_names",
    "named_format",
    "owner_frame",
    "read_events",
    "read_frame",
    "read_rows",
    "read_sample",
    "reading",
    "sample_of",
    "separated",
    "text_remarks",
]
