"""
What a type is, known once: every form of its values on the stream, in files, in requests, to a model.

One object per Avro type, which knows the way in and the way out together; every door asks it.
"""

from stream.types.avro_type import AvroType
from stream.types.bare import Bare
from stream.types.cells import MISSING, NAN, Read, nullable_reader
from stream.types.containers import List, read_list
from stream.types.json_parsing import json_decoder, parse_json
from stream.types.json_text import json_text, plain_object
from stream.types.known import (
    CELL_TYPES,
    TYPES,
    array_of,
    choice_of,
    decimal_of,
    enum_of,
    fixed_of,
    map_of,
    struct_of,
    type_called,
    type_for,
    type_for_mlflow,
    type_of,
)
from stream.types.maps import MapOf, read_map
from stream.types.misfit import Misfit, Misfits, dead_letter_of, mismatch, shown
from stream.types.nested_type import Nested, key_place, nullable_schema, parsed_cell, read_at
from stream.types.since_1970 import FIRST_DAY, LAST_DAY
from stream.types.spellings import date_spelling, number_spelling
from stream.types.structs import Member, Struct
from stream.types.type_facts import ForeignNames, TypeFacts
from stream.types.unions import Choice, read_branch

__all__ = [
    "CELL_TYPES",
    "FIRST_DAY",
    "LAST_DAY",
    "MISSING",
    "NAN",
    "TYPES",
    "AvroType",
    "Bare",
    "Choice",
    "ForeignNames",
    "List",
    "MapOf",
    "Member",
    "Misfit",
    "Misfits",
    "Nested",
    "Read",
    "Struct",
    "TypeFacts",
    "array_of",
    "choice_of",
    "date_spelling",
    "dead_letter_of",
    "decimal_of",
    "enum_of",
    "fixed_of",
    "json_decoder",
    "json_text",
    "key_place",
    "map_of",
    "mismatch",
    "nullable_reader",
    "nullable_schema",
    "number_spelling",
    "parse_json",
    "parsed_cell",
    "plain_object",
    "read_at",
    "read_branch",
    "read_list",
    "read_map",
    "shown",
    "struct_of",
    "type_called",
    "type_for",
    "type_for_mlflow",
    "type_of",
]
