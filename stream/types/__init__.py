"""
What a type is, known once: every form of its values on the stream, in files, in requests, to a model.

One object per Avro type, which knows the way in and the way out together; every door asks it.
"""

from stream.types.avro_type import AvroType
from stream.types.bare import Bare
from stream.types.cells import MISSING, NAN, Read, nullable_reader
from stream.types.containers import List, nullable_schema, read_list
from stream.types.json_parsing import json_decoder, parse_json
from stream.types.json_text import json_text, plain_object
from stream.types.known import (
    CELL_TYPES,
    TYPES,
    array_of,
    decimal_of,
    enum_of,
    fixed_of,
    type_called,
    type_for,
    type_of,
)
from stream.types.misfit import Misfit, Misfits, dead_letter_of, mismatch, shown
from stream.types.spellings import date_spelling, number_spelling
from stream.types.type_facts import ForeignNames

__all__ = [
    "CELL_TYPES",
    "MISSING",
    "NAN",
    "TYPES",
    "AvroType",
    "Bare",
    "ForeignNames",
    "List",
    "Misfit",
    "Misfits",
    "Read",
    "array_of",
    "date_spelling",
    "dead_letter_of",
    "decimal_of",
    "enum_of",
    "fixed_of",
    "json_decoder",
    "json_text",
    "mismatch",
    "nullable_reader",
    "nullable_schema",
    "number_spelling",
    "parse_json",
    "plain_object",
    "read_list",
    "shown",
    "type_called",
    "type_for",
    "type_of",
]
