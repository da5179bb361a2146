"""Values in, columns out: every value is either a row of the columns or a dead letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from stream.codec.arrow import FAST_FROM_ROWS, FastReader, constant, meant
from stream.codec.fallback import SlowReader, dead_letter
from stream.codec.framing import Framing, Group, WriterSchemas, unframe
from stream.codec.leaf import find
from stream.codec.nodes import Node, Record, strip_null
from stream.codec.parts import Part, merge
from stream.codec.resolution import LeafPlan, resolve
from stream.codec.schema import RecordSchema
from stream.codec.subset import rust_text, why_outside
from stream.codec.type_names import type_name
from stream.codec.wide_reader import Loose, WideReader, find_run, loose_plans, loose_record
from stream.errors import RecordError
from stream.records import DeadLetter, Headers

__all__ = ["Decoded", "Decoder", "why_slow"]

WRITERS = 1_000
"""Writers' schemas whose readers are kept; a topic has a handful."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    What became of n values.

    Attributes:
        rows: indices of the values that decoded, ascending; may be a range.
        columns: by dotted path, each with one element per entry of `rows`, in its order.
        faults: why every other value did not decode, by index.
    """

    rows: Sequence[int]
    columns: dict[str, pa.Array]
    faults: dict[int, DeadLetter]


@dataclass(frozen=True, slots=True)
class _Readers:
    """How values of one writer's schema are read: `wide` where it has a run, `fast` where the Rust codec takes it."""

    slow: SlowReader
    fast: FastReader | None
    wide: WideReader | None


class Decoder:
    """
    Decodes what the model needs from the values of a topic.

    The column of a leaf has one Arrow type, fixed by the reader's schema (`Leaf.arrow`), whichever path and
    writer's schema a value took. Not safe for use by several threads at once.
    """

    def __init__(
        self,
        reader: RecordSchema,
        paths: Sequence[str],
        framing: Framing,
        writer: RecordSchema,
        writers: WriterSchemas | None = None,
    ) -> None:
        """
        Args:
            reader: what an event must hold (`features.avsc`).
            paths: the leaves that are wanted: dotted paths in `reader`. Nothing else is materialised.
            framing: how values are framed.
            writer: the schema of values that carry no id, or whose id isn't in a registry.
            writers: further writers' schemas, where there are any.
        Raises: SchemaError when a path is not in the reader's schema or can't be a column.
        """
        self._reader, self._paths = reader, tuple(dict.fromkeys(paths))
        self._framing, self._writer, self._writers = framing, writer, writers
        self._empty = {path: pa.array([], reader.leaf(path).arrow) for path in self._paths}
        self._by_writer: dict[str, _Readers] = {}

    def decode(self, values: Sequence[bytes], headers: Sequence[Headers | None] | None = None) -> Decoded:
        """
        Decode a batch.

        Args:
            values: n values as they came; not one of them None.
            headers: n headers, where any record has some.
        Returns: rows and faults, n together. No bytes make it raise, and no value changes what becomes of
            another.
        """
        groups, unframed = unframe(values, headers, self._framing, self._writer, self._writers)
        faults = {i: dead_letter("decode", error) for i, error in unframed.items()}
        parts: list[Part] = []
        for group in groups:
            self._read(group, parts, faults)
        whole = merge(parts, self._empty)
        return Decoded(whole.rows, dict(whole.columns), faults)

    def _read(self, group: Group, parts: list[Part], faults: dict[int, DeadLetter]) -> None:
        readers = self._readers(group.writer)
        rows, bodies = group.rows, group.bodies
        for quick in (readers.wide, readers.fast):
            if quick is None or (quick is readers.fast and len(bodies) < FAST_FROM_ROWS):
                continue
            part, others = quick.read(bodies)
            whole = len(part.rows) == len(bodies)
            parts.append(Part(rows if whole else [rows[i] for i in part.rows], part.columns))
            if whole:
                return
            rows, bodies = [rows[i] for i in others], [bodies[i] for i in others]
        part, wrong = readers.slow.read(rows, bodies)
        parts.append(part)
        faults.update(wrong)

    def _readers(self, writer: RecordSchema) -> _Readers:
        found = self._by_writer.get(writer.text)
        if found is None:
            if len(self._by_writer) >= WRITERS:
                self._by_writer.clear()
            found = self._by_writer[writer.text] = self._make(writer)
        return found

    def _make(self, writer: RecordSchema) -> _Readers:
        resolved = [resolve(writer.root, self._reader.root, path) for path in self._paths]
        fault = next((one for one in resolved if isinstance(one, RecordError)), None)
        plans = [one for one in resolved if isinstance(one, LeafPlan)]
        columnar = fault is None and all(plan.columnar for plan in plans)
        leaves = [self._reader.leaf(path) for path in self._paths]
        return _Readers(
            SlowReader(writer.root, self._reader.root, leaves, fault),
            FastReader(writer.rust, plans) if columnar and writer.rust is not None else None,
            _wide(writer.root, self._reader.root, plans) if columnar else None,
        )


def why_slow(writer: RecordSchema, reader: RecordSchema, paths: Sequence[str]) -> str | None:
    """
    Say why values are read one by one, which takes about ten times as long.

    Args:
        writer: what they are written with.
        reader: what an event must hold.
        paths: the leaves that are wanted.
    Returns: the first field that makes it so, and why; None when they are read in batches, or can't be read at all.
    """
    for path in dict.fromkeys(paths):
        plan = resolve(writer.root, reader.root, path)
        if isinstance(plan, RecordError):
            return None
        if not plan.columnar:
            return f"field {path!r} is not written as the {type_name(_node(reader, path))} that is read"
    return None if find_run(writer.root) else why_outside(writer.root)


def _node(reader: RecordSchema, path: str) -> Node:
    return strip_null(find(reader.root, path)[-1].type)[0]


def _wide(writer: Record, reader: Record, plans: list[LeafPlan]) -> WideReader | None:
    run = find_run(writer)
    if run is None:
        return None
    loose = _loose(loose_record(writer, run), reader, loose_plans(plans, run))
    return WideReader(writer, run, plans, loose, meant)


def _loose(writer: Record, reader: Record, plans: list[LeafPlan]) -> Loose:
    """What reads the fields outside a run; a value that it doubts is looked at as a whole."""
    rust = rust_text(writer)
    fast = None if rust is None else FastReader(rust, plans)
    slow = SlowReader(writer, reader, [plan.leaf for plan in plans], None)

    def read(rest: list[bytes]) -> tuple[Part, list[int]]:
        if not writer.fields:  # nothing may be left of a value
            empty = [i for i, body in enumerate(rest) if not body]
            return Part(empty, {plan.leaf.path: constant(plan, len(empty)) for plan in plans}), []
        if fast is not None and len(rest) >= FAST_FROM_ROWS:
            return fast.read(rest)
        part, wrong = slow.read(range(len(rest)), rest)
        return part, list(wrong)

    return read
