"""
Letters, repaired: decoded with the schema that wrote them, changed, and written under today's.

Nothing is guessed: a field that today's schema has not must be renamed or dropped, one that it has and the letter has
not needs a default, and a value of another type is changed only where the file says `cast`. What can't be made right
is told, and stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

from stream.codec import (
    Checker,
    RecordSchema,
    confluent_prefix,
    read_bare,
    strip_null,
    type_name,
    typed_row,
    write_row,
)
from stream.errors import RecordError, SchemaError, SettingsError
from stream.nearest import did_you_mean
from stream.records import Headers
from stream.redrive.header_dialects import StoredLetter
from stream.redrive.repair_file import Repair, Repairs
from stream.redrive.row_paths import holds_at, put_at, take_at, value_at
from stream.redrive.trial import Trial
from stream.resources import (
    ValueSchemas,
    opened_schemas,
    prefix_of,
    read_schema,
    registry_client,
    subject_of,
)
from stream.settings import Settings
from stream.table import record_reader
from stream.types import Bare, Misfit

__all__ = ["Repairs", "Workshop", "opened_workshop"]

VALUE_SCHEMA_ID = "__value_schema_id"
"""The header that may name the schema of the value; the new value names its own."""

_PROMOTED = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
"""What a type may be read as without a word, as on the stream (Avro 1.12 specification, "Schema Resolution")."""


class _Unrepaired(Exception):
    """The file does not say what would make a letter right."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


class Workshop:
    """Repairs letters of one configuration."""

    def __init__(
        self,
        repairs: Repairs,
        schemas: ValueSchemas,
        today: RecordSchema,
        prefix: bytes,
        written_with: Mapping[str, RecordSchema],
    ) -> None:
        """
        Args:
            repairs: the file.
            schemas: to read letters with.
            today: to write them with.
            prefix: what stands before each value.
            written_with: by reason, the schema of values that name none.
        Raises: SettingsError for a field of the file that today's schema has not.
        """
        self._repairs, self._schemas = repairs, schemas
        self._today, self._prefix, self._written_with = today, prefix, written_with
        self._read = record_reader(today.root, text=False)
        self._types = _kinds(today)
        self._checkers: dict[str, Checker] = {}
        self._before: set[bytes] = set()
        self._after: set[bytes] = set()
        for reason, repair in repairs.by_reason.items():
            for path in (*repair.rename.values(), *repair.default, *repair.cast):
                _require(today, path, f"{repairs.file}: [reason.{reason}]")

    def repaired(self, letters: Sequence[StoredLetter], trial: Trial) -> list[StoredLetter]:
        """
        Repair letters.

        Args:
            letters: as they are.
            trial: letters that can't be made right are added to it.
        Returns: the others, with values under today's schema.
        Raises: Retriable when the registry does not answer.
        """
        done: list[StoredLetter] = []
        for stored in letters:
            try:
                done.append(self._repaired(stored))
            except RecordError as error:
                trial.letters += 1
                trial.fail(stored, error.reason, error.message)
            except _Unrepaired as error:
                trial.letters += 1
                trial.fail(stored, error.why, str(error))
        return done

    def _repaired(self, stored: StoredLetter) -> StoredLetter:
        letter, repair = stored.letter, self._repairs.of(stored.reason)
        if repair is None:
            raise _Unrepaired("no repair", f"{self._repairs.file.name} says nothing of {stored.reason}")
        if letter.value is None:
            raise RecordError("the record has no value that could be repaired", reason="null_value")
        found = self._schemas.unframed(letter.value, letter.headers, self._written_with.get(stored.reason))
        if isinstance(found, RecordError):
            advice = "; give its file as `schema`" if found.reason == "unknown_schema" else ""
            raise RecordError(f"{found.message}{advice}", reason=found.reason)
        row, kinds = self._decoded(*found)
        value = self._prefix + self._written(_changed(row, kinds, repair, self._today), kinds, repair)
        self._compare(letter.value, value)
        headers: Headers = [each for each in letter.headers if each[0] != VALUE_SCHEMA_ID]
        return replace(stored, letter=replace(letter, value=value, headers=headers))

    @property
    def merged(self) -> int:
        """
        How many different values became one and the same; 0 where results differ.

        A file that drops or replaces what tells letters apart is likely a mistake.
        """
        return len(self._before) if len(self._after) == 1 < len(self._before) else 0

    def _compare(self, before: bytes, after: bytes) -> None:
        if len(self._after) < 2:  # two different results, and nothing more is to be known
            self._before.add(sha256(before).digest())
            self._after.add(sha256(after).digest())

    def _decoded(self, writer: RecordSchema, avro: bytes) -> tuple[dict[str, Any], dict[str, str]]:
        """A value's fields, exactly as they were written, and their types."""
        checker = self._checkers.get(writer.text)
        if checker is None:
            checker = self._checkers[writer.text] = Checker(writer.root)
        if (fault := checker.check(avro)) is not None:
            raise fault
        return typed_row(writer.root)(read_bare(writer, avro)), _kinds(writer)

    def _written(self, row: dict[str, Any], kinds: Mapping[str, str], repair: Repair) -> bytes:
        surplus = [name for name in row if name not in self._types]
        if surplus:
            names = ", ".join(surplus)
            raise _Unrepaired(
                "not in today's schema", f"{self._today.name} has no field {names} today: rename or drop it"
            )
        for name, kind in kinds.items():
            today = self._types.get(name, kind)
            settled = name in repair.cast or row.get(name) is None
            if not settled and not _is_read_as(kind, today):
                raise RecordError(
                    f"field {name!r} was written as {kind}, and is {today} today: name it in `cast`",
                    reason="wrong_type",
                    field=name,
                )
        try:
            event = self._read(row)
        except Misfit as misfit:
            words = "; ".join(_words(each, row) for each in misfit.each)
            raise RecordError(words, reason=misfit.reason, field=misfit.field) from misfit
        return write_row(self._today, event)


def _words(misfit: Misfit, row: Mapping[str, Any]) -> str:
    if misfit.reason == "missing_field":
        return f"field {misfit.field!r} is not in the letter: give it a `default`"
    advice = ": give it a `default`" if row.get(misfit.field or "", "") is None else ""
    return f"field {misfit.field!r}: {misfit}{advice}"


def _kinds(schema: RecordSchema) -> dict[str, str]:
    """The types of the root's fields, null aside, as messages call them."""
    return {field.name: type_name(strip_null(field.type)[0]) for field in schema.root.fields}


def _is_read_as(written: str, today: str) -> bool:
    """Whether a value may be taken without a cast; types in types are judged value by value."""
    compound = (" of ", " or ", "record ", "enum ", "fixed ")
    if written == today or any(mark in written and mark in today for mark in compound):
        return True
    instants = ("timestamp-", "local-timestamp-")
    same = any(written.startswith(kind) and today.startswith(kind) for kind in instants)
    return same or today in _PROMOTED.get(written, ())


def _changed(
    row: dict[str, Any], kinds: dict[str, str], repair: Repair, today: RecordSchema
) -> dict[str, Any]:
    """1 rename, 2 drop, 3 default, 4 cast."""
    for old, new in repair.rename.items():
        if holds_at(row, old):
            if holds_at(row, new):
                raise _Unrepaired("field is there", f"{old} can't be renamed to {new}: it has both")
            put_at(row, new, take_at(row, old))
            if old in kinds:
                kinds[new] = kinds.pop(old)
    for name in repair.drop:
        if holds_at(row, name):
            take_at(row, name)
            kinds.pop(name, None)
    for name, value in repair.default.items():
        if value_at(row, name) is None:
            put_at(row, name, value)
            kinds.pop(name, None)
    for name in repair.cast:
        if holds_at(row, name) and value_at(row, name) is not None:
            put_at(row, name, _cast(value_at(row, name), name, today))
    return row


def _cast(value: Any, path: str, today: RecordSchema) -> Any:
    """A value as today's type has it, also from a text and to a text."""
    kind = today.leaf(path).type
    try:
        if kind.name == "string" and not isinstance(value, str):
            return _spelled(value)
        return kind.reader(nullable=False, text=isinstance(value, str))(value)
    except Misfit as misfit:
        raise RecordError(f"field {path!r}: {misfit}", reason=misfit.reason, field=path) from misfit


def _spelled(value: Any) -> str:
    """A value as text: the spelling that files have."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Bare):
        return str(value.kind.json_value(value.value))
    if isinstance(value, int | float | str):
        return str(value)
    raise Misfit(f"a {type(value).__name__} has no spelling as text", reason="wrong_type")


def _require(today: RecordSchema, path: str, where: str) -> None:
    try:
        today.leaf(path)
    except SchemaError as error:
        names = [leaf.path for leaf in today.leaves()]
        hint = did_you_mean(path, names) or f"{today.name} has {', '.join(names)}"
        raise SettingsError(f"{where}: today's schema has no field `{path}`", hint=hint) from error


@contextmanager
def opened_workshop(settings: Settings, repairs: Repairs) -> Iterator[Workshop]:
    """
    What it takes to repair letters of a configuration.

    Args:
        settings: the configuration.
        repairs: the file.
    Raises: SettingsError for a field that today's schema has not, or a schema that the registry does not know;
        SchemaError for a schema's file that can't be read; PackageError; Retriable when the registry does not answer.
    """
    with opened_schemas(settings) as schemas:
        today, prefix = _today(settings, schemas)
        written = {
            reason: read_schema(repair.schema)
            for reason, repair in repairs.by_reason.items()
            if repair.schema is not None
        }
        yield Workshop(repairs, schemas, today, prefix, written)


def _today(settings: Settings, schemas: ValueSchemas) -> tuple[RecordSchema, bytes]:
    """
    What values are written with, and what stands before them: `[input] schema`; else with a registry the latest version
    of the input's subject, without one the events' schema as the model was packed with it.
    """
    client = (
        None if settings.input.schema is not None or schemas.registry is None else registry_client(settings)
    )
    if client is None:
        return schemas.known.default, prefix_of(settings, "input", schemas.known.default)
    subject = subject_of(settings, "input", schemas.features)
    with client:
        numbers = client.versions(subject)
        found = client.version(subject, numbers[-1]) if numbers else None
    if found is None or found.id is None:
        raise SettingsError(
            f"{client.url}: no schema is registered under {subject}, so there is none to write the letters with",
            hint="register it, or name it as [input] schema",
        )
    return RecordSchema(found.text), confluent_prefix(found.id)
