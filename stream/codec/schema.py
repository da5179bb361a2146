"""A record's Avro schema: parsed once, then asked."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from fastavro.schema import SchemaParseException, UnknownType

from stream.codec.canonical import canonical_form, fingerprint
from stream.codec.default import fits
from stream.codec.fastavro_form import fastavro_form, fastavro_parsed
from stream.codec.leaf import Leaf, describe, find
from stream.codec.node_types import Known, fields_within
from stream.codec.nodes import ABSENT, Field, Record, strip_null
from stream.codec.schema_parser import parse
from stream.codec.subset import rust_text
from stream.codec.typed_rows import typed_row
from stream.errors import SchemaError
from stream.types import AvroType

__all__ = ["RecordSchema", "schema_of"]


MAX_PATHS = 10_000
"""Fields of a schema, each way to one counted; the widest tables in use have some thousand."""


class RecordSchema:
    """
    The Avro schema of a topic's values.

    A writer's schema is judged only where it says what bytes there are; a field's default and original name are
    judged when that field is asked for (`leaf`), since no writer's schema needs them.

    Attributes:
        text: the JSON as given.
        root: the root record as nodes.
        canonical: the Parsing Canonical Form.
        fingerprint: its CRC-64-AVRO, 8 bytes as in the single-object encoding (least significant first).
        rust: the schema as pyruhvro takes it (`subset`); None when it does not.
    """

    __slots__ = ("_bare", "_known", "_parsed", "_typed", "canonical", "fingerprint", "root", "rust", "text")

    def __init__(self, text: str) -> None:
        """
        Args:
            text: the schema as JSON (the content of an `.avsc` file).
        Raises: SchemaError that names the field and what is wrong; also when the root is not a record.
        """
        try:
            self._read(text, _load(text))
        except RecursionError as error:
            raise SchemaError(
                "the schema is nested too deeply to be read", hint="name its inner types, or flatten it"
            ) from error

    def _read(self, text: str, document: object) -> None:
        root = parse(document)
        if not isinstance(root, Record):
            raise SchemaError(
                f"the schema's root must be a record, found {type(root).__name__.lower()}",
                hint="wrap the type in a record with one field",
            )
        self.text = text
        self.root = root
        self._parsed: Any = None
        self._bare: Any = None
        self._known: dict[str, Leaf] = {}
        self._typed: Callable[[dict[str, Any]], dict[str, Any]] | None = None
        self.canonical = canonical_form(root)
        self.fingerprint = fingerprint(self.canonical)
        self.rust = rust_text(root)

    def __repr__(self) -> str:
        return f"RecordSchema({self.root.name}, {self.fingerprint.hex()})"

    @property
    def document(self) -> Any:
        """The schema's JSON, new each time, without what means nothing: invalid logical types and defaults."""
        return fastavro_form(self.root, named=False)

    @property
    def parsed(self) -> Any:
        """The form that fastavro takes, logical types included. Raises: SchemaError when it takes none of it."""
        if self._parsed is None:
            self._parsed = _parsed(self.root)
        return self._parsed

    @property
    def bare(self) -> Any:
        """The form for fastavro's readers that leave logical types as written. Raises: as `parsed`."""
        if self._bare is None:
            self._bare = _parsed(self.root, meaning=False)
        return self._bare

    @property
    def typed(self) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """What makes a record that was read by `bare` one of our types' own values (`typed_row`)."""
        if self._typed is None:
            self._typed = typed_row(self.root, exact=False)
        return self._typed

    @property
    def name(self) -> str:
        """The root record's full name."""
        return self.root.name

    @property
    def fields(self) -> tuple[str, ...]:
        """The root's field names, in order."""
        return tuple(field.name for field in self.root.fields)

    def leaf(self, path: str) -> Leaf:
        """
        Say what the field at a dotted path is.

        Args:
            path: field names joined by dots.
        Returns: its type, whether it may be null, its default and original name.
        Raises: SchemaError when there is none, when it can't be a column, or when its default or that of a record
            around it is not of its type.
        """
        found = self._known.get(path)
        if found is None:
            steps = find(self.root, path)
            for step in steps:
                _check(step, self.name)
            found = describe(steps)
            for field in fields_within(steps[-1].type):
                _check(field, self.name)
            self._known[path] = found
        return found

    def leaves(self) -> tuple[Leaf, ...]:
        """
        Every field that can be a column, nested ones by dotted path, in the schema's order.

        Raises: SchemaError when there are more than `MAX_PATHS` ways to a field. Records that hold others twice make
            them double with each level: thirty such lines name a billion.
        """
        return tuple(_leaves(self.root, (), frozenset(), itertools.count(1), {}))

    def types(self) -> dict[str, AvroType]:
        """By dotted path, the type of every field that can be a column. Raises: as `leaves`."""
        return {leaf.path: leaf.type for leaf in self.leaves()}


@lru_cache(maxsize=4)
def schema_of(text: str) -> RecordSchema:
    """
    A package's schema, which several parts of a process ask for: the one that is there already, if it was read lately.

    Args:
        text: as for `RecordSchema`.
    Raises: as `RecordSchema`.
    """
    return RecordSchema(text)


def _leaves(
    record: Record, before: tuple[Field, ...], seen: frozenset[str], count: Iterator[int], known: Known
) -> Iterator[Leaf]:
    for field in record.fields:
        if next(count) > MAX_PATHS:
            raise SchemaError(
                f"there are more than {MAX_PATHS} dotted paths to a field: records hold each other again and again",
                hint="give a schema with the fields that the model needs",
            )
        steps, node = (*before, field), strip_null(field.type)[0]
        if isinstance(node, Record):
            if node.name not in seen | {record.name}:
                yield from _leaves(node, steps, seen | {record.name}, count, known)
            continue
        try:
            yield describe(steps, known)
        except SchemaError:
            continue  # no column, and nobody asked for it by name


def _check(field: Field, root: str) -> None:
    place = f"record {root}, field {field.name!r}"
    if field.default is not ABSENT and not fits(field.default, field.type):
        raise SchemaError(
            f"{place}: the default {field.default!r} is not of its type",
            hint="give a default of the field's type, or none",
        )
    if field.wrong:
        raise SchemaError(f"{place}: {field.wrong}")


def _load(text: str) -> object:
    try:
        document: object = json.loads(text)
    except ValueError as error:
        raise SchemaError(
            f"the schema is not JSON: {error}", hint="correct the line and column that are named"
        ) from error
    return document


def _parsed(root: Record, *, meaning: bool = True) -> Any:
    try:
        return fastavro_parsed(root, meaning=meaning)
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"the schema can't be used: {error}") from error
