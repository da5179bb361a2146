"""
Every reason for which a record becomes a dead letter, or is skipped: declared once.

`docs/wire-format.md` is written from this table; a test finds every use in the code. A reason is a promise:
its name never changes, so that alerts and replays can depend on it. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream.records import Stage

__all__ = ["TABLE", "Reason"]


@dataclass(frozen=True, slots=True)
class Reason:
    """
    One declaration.

    Attributes:
        name: the code in the header `stream.error.reason`.
        stages: where it can come up; empty for a skip.
        meaning: what was found.
        action: what to do about it, and who.
        over: how to see that it is over, and what becomes of the letters.
    """

    name: str
    stages: tuple[Stage, ...]
    meaning: str
    action: str
    over: str


_PRODUCER = "Correct the producer."
_BROKEN = (
    "The value is damaged, or was written with a schema other than the one it names: look at the producer."
)

_SCORED = "`stream deadletters replay --dry-run` counts them as scored: replay them."

_DAMAGED = "No new one comes. These can't be repaired: their producer has to send them anew."

_REPAIRED = (
    "No new one comes. The old ones: `replay --repair`, `--dry-run` first; or pack a model that takes them."
)

_ANEW = "No new one comes; a dry run says which of the old ones would be scored. The producer sends the others anew."

_PUBLISHED = (
    "No new one comes after a `replay`: a dry run scores them, and does not see what the broker refuses."
)

TABLE = (
    Reason(
        "not_framed",
        ("decode",),
        "The value does not begin as `[input] framing` says.",
        "Correct the producer's serialiser, or `[input] framing`.",
        _ANEW,
    ),
    Reason(
        "wrong_framing",
        ("decode",),
        "The value begins like that of another framing.",
        "Set `[input] framing` to what the producer writes.",
        _SCORED,
    ),
    Reason(
        "unknown_schema",
        ("decode",),
        "No schema with this fingerprint is known; or the registry does not know the id.",
        "Without a registry, give the producer's schema as `[input] schema`; with one, register it.",
        _SCORED,
    ),
    Reason(
        "schema_not_allowed",
        ("decode",),
        "The registry has the id, but not under this topic's subject; or does not let us read it.",
        "Register the producer's schema under the subject that the message names, or correct"
        " `[schema_registry] subject`.",
        _SCORED,
    ),
    Reason(
        "unusable_schema",
        ("decode",),
        "The registry's schema of the id is not an Avro record, can't be parsed, or refers to a schema that is not"
        " there; or its answer is not a registry's.",
        "Correct the schema in the registry; the message says what is wrong with it.",
        _SCORED,
    ),
    Reason(
        "schema_not_looked_up",
        ("decode",),
        "Too many bad ids came before this one, so the registry was not asked about it; or it was asked for two"
        " minutes, and answered about others only.",
        "Correct the producer of the bad ids, or the registry, then replay these: they may be sound.",
        _SCORED,
    ),
    Reason("truncated", ("decode",), "The value ends too early.", _BROKEN, _DAMAGED),
    Reason("trailing_bytes", ("decode",), "Bytes are left after the value.", _BROKEN, _DAMAGED),
    Reason(
        "int_out_of_range",
        ("decode",),
        "A number has more than the 32 bits of an Avro int.",
        _BROKEN,
        _DAMAGED,
    ),
    Reason(
        "long_out_of_range",
        ("decode",),
        "A number has more than the 64 bits of an Avro long.",
        _BROKEN,
        _DAMAGED,
    ),
    Reason("bad_boolean", ("decode",), "A boolean's byte is neither 0 nor 1.", _BROKEN, _DAMAGED),
    Reason(
        "bad_length",
        ("decode", "encode"),
        "A length is negative or beyond the value's end; or a fixed value has the wrong size.",
        _BROKEN,
        _DAMAGED,
    ),
    Reason("invalid_utf8", ("decode",), "A text is not UTF-8.", _PRODUCER, _DAMAGED),
    Reason("bad_enum_index", ("decode",), "An enum has no symbol with this number.", _BROKEN, _DAMAGED),
    Reason("bad_union_index", ("decode",), "A union has no branch with this number.", _BROKEN, _DAMAGED),
    Reason(
        "bad_block",
        ("decode",),
        "A block of an array or map does not have the size that it states.",
        _BROKEN,
        _DAMAGED,
    ),
    Reason(
        "too_many_items",
        ("decode",),
        "An array claims more than 10,000 items that take no bytes.",
        _BROKEN,
        _DAMAGED,
    ),
    Reason("too_deep", ("decode",), "Records are nested more than 64 deep.", _PRODUCER, _DAMAGED),
    Reason(
        "unreadable",
        ("decode",),
        "The bytes are valid, but the decoder can't read them.",
        _PRODUCER,
        _DAMAGED,
    ),
    Reason(
        "malformed_row",
        ("decode",),
        "A line of a data file is not a row: not JSON, not csv, or its number of cells is not the header's.",
        "Correct the line; a comma in a text needs quotes.",
        "The next run of `stream batch` counts none.",
    ),
    Reason(
        "null_value",
        ("decode", "encode"),
        "The record has no value (a tombstone); or a field that may not be null is.",
        "Tombstones: `[input] null_value` can skip or forward them.",
        "No new one comes: a tombstone holds nothing to be scored.",
    ),
    Reason(
        "missing_field",
        ("contract",),
        "A field that the model needs is not in the producer's schema, and has no default.",
        "Add the field to the producer's schema, or a default to `features.avsc` by packing again.",
        _REPAIRED,
    ),
    Reason(
        "wrong_type",
        ("contract",),
        "A field has a type, or a null, that the model's schema does not take.",
        "Correct the producer's schema, or pack the model with the type that comes.",
        _REPAIRED,
    ),
    Reason(
        "vector_length",
        ("contract",),
        "The array field does not hold one item for each of the model's columns.",
        _PRODUCER,
        _ANEW,
    ),
    Reason(
        "value_out_of_range",
        ("contract", "encode"),
        "Avro allows the value, but the model's or the prediction's type can't hold it exactly.",
        "Correct the value; ids belong in text fields.",
        _REPAIRED,
    ),
    Reason(
        "model_raised",
        ("score",),
        "The model raised an exception on this row.",
        "Try the row in Python: the exception's class and message are in the headers.",
        _SCORED,
    ),
    Reason(
        "wrong_answer",
        ("score",),
        "The model's answer does not have the shape or type that it had when it was packed.",
        "Pack the model again, or roll back.",
        _SCORED,
    ),
    Reason(
        "model_crashed",
        ("score",),
        "The process that scored the record died or hung: the worker twice, then a process for this record alone.",
        "Look at the model's native libraries, and at the row's features.",
        "The worker restarts no more. Then replay them, a few at a time (`--limit`): a dry run leaves them out.",
    ),
    Reason(
        "not_finite",
        ("score",),
        "The model answered NaN or infinity.",
        "Look at the row's features.",
        _SCORED,
    ),
    Reason(
        "unknown_symbol",
        ("encode",),
        "A text is not one of the enum's symbols.",
        "Pack the model again with that symbol.",
        _SCORED,
    ),
    Reason(
        "unwritable",
        ("encode",),
        "The prediction does not fit `prediction.avsc`.",
        "Pack the model again.",
        _SCORED,
    ),
    Reason(
        "message_too_large",
        ("publish",),
        "The prediction is too large for the broker.",
        "Raise `max.message.bytes` of the output topic, or carry fewer fields.",
        _PUBLISHED,
    ),
    Reason(
        "timestamp_refused",
        ("publish",),
        "The broker refuses the record's timestamp; the dead letter has the current time instead.",
        "Correct the producer's clock, or `message.timestamp.after.max.ms` of the output topic.",
        _PUBLISHED,
    ),
    Reason(
        "record_refused",
        ("publish",),
        "The broker refuses the record for another reason.",
        "Read the message: a compacted topic takes no null key, a policy may forbid more.",
        _PUBLISHED,
    ),
)
