"""
A published answer, asked for again of the version that gave it, and compared bit by bit.

The answer of a record may differ in its last bits by the records that were scored with it: matrix libraries sum in
another order for another number of rows. Which records were in the batch of then is not recorded. So the record is
scored alone, and among the version's golden rows in batches of several sizes, until an answer is the same to the last
bit; else the closest one is what is said.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pyarrow as pa

from stream.codec import Encoder, RecordSchema, read_bare
from stream.explain.published_value import Published
from stream.records import DeadLetter
from stream.scoring import Model, Scored, carried_names, columns_of, prediction_columns, same_answer
from stream.store import Golden, Package, golden_of

__all__ = ["Attempt", "Likeness", "Rescoring", "carried_equal", "rescore"]

Likeness: TypeAlias = Literal["bit-equal", "within tolerance", "differs"]

_ORDER: tuple[Likeness, ...] = ("bit-equal", "within tolerance", "differs")

_BESIDE = (2, 6, 30)
"""Golden rows beside the record, besides all of them: with it the odd batches in which they were proven."""

Columns: TypeAlias = Mapping[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    One way of asking again.

    Attributes:
        how: for people.
        likeness: of the answer's fields to those that were published.
        differing: names of those fields that differ by more than the version's tolerance.
        difference: the largest between two numbers of them; None where they can't be compared.
        answer: by field, as JSON has them; of a record that the version does not score, empty.
        value: the Avro bytes of the whole prediction as it would be published now; None where there is none.
        fault: why the record is not scored; None where it is.
    """

    how: str
    likeness: Likeness
    differing: tuple[str, ...] = ()
    difference: float | None = None
    answer: Mapping[str, object] | None = None
    value: bytes | None = None
    fault: DeadLetter | None = None


@dataclass(frozen=True, slots=True)
class Rescoring:
    """
    What came of asking again.

    Attributes:
        attempts: in order; the last is bit-equal, or none is.
        fields: the answer's, in the prediction's order.
    """

    attempts: tuple[Attempt, ...]
    fields: tuple[str, ...]

    @property
    def best(self) -> Attempt:
        """The attempt whose answer is most like the published one; of equals the first."""
        return min(self.attempts, key=lambda one: (_ORDER.index(one.likeness), one.difference or 0.0))


def rescore(package: Package, columns: Columns, published: Published, place: tuple[int, int]) -> Rescoring:
    """
    Ask the version again.

    Args:
        package: the version, opened.
        columns: the decoded event: one row, what the model needs and what is carried.
        published: the prediction.
        place: partition and offset of the event.
    Returns: at least one attempt.
    """
    asked = _Asked(package, columns, published, place)
    attempts: list[Attempt] = []
    for how, scored in asked.ways():
        attempts.append(asked.compared(how, scored))
        if attempts[-1].likeness == "bit-equal":
            break
    return Rescoring(tuple(attempts), asked.fields)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A version, a record and what was published of it."""

    package: Package
    columns: Columns
    published: Published
    place: tuple[int, int]

    @property
    def fields(self) -> tuple[str, ...]:
        """The answer's fields: neither carried, nor the model's name and the event's place."""
        ours = {"model", "source_partition", "source_offset"}
        carried = set(carried_names(self.package.manifest.carry).values())
        names = RecordSchema(self.package.prediction).fields
        return tuple(name for name in names if name not in ours | carried)

    def ways(self) -> Iterator[tuple[str, Scored]]:
        """The record alone and in batches: as a worker asks, then by the estimator's own DataFrame."""
        model = self.package.model
        plain = Model(model.estimator, model.manifest)
        plain.ways = ()
        golden = golden_of(self.package)
        kinds = [("", model), (", by a DataFrame", plain)] if model.ways else [("", model)]
        for name, one in kinds:
            yield f"alone{name}", one.score(self.columns, 1)
            for count in sorted({min(count, len(golden.events)) for count in (*_BESIDE, len(golden.events))}):
                yield (
                    f"with {count} golden row{'s' * (count > 1)}{name}",
                    one.score(_beside(self.columns, golden, count, model), count + 1),
                )

    def compared(self, how: str, scored: Scored) -> Attempt:
        """The record is the first row."""
        if 0 in scored.faults:
            return Attempt(how, "differs", fault=scored.faults[0])
        first = Scored(range(1), {name: column.slice(0, 1) for name, column in scored.columns.items()},
                       scored.models.slice(0, 1))  # fmt: skip
        partition, offset = self.place
        manifest, schema = self.package.manifest, RecordSchema(self.package.prediction)
        rows = {
            **prediction_columns(self.columns, 1, first, carried_names(manifest.carry)),
            "source_partition": pa.array([partition], pa.int32()),
            "source_offset": pa.array([offset], pa.int64()),
        }
        [value] = Encoder(schema).encode(rows)
        if isinstance(value, DeadLetter):
            return Attempt(how, "differs", fault=value)
        stored = read_bare(schema, value)
        now = {name: stored[name] for name in self.fields}
        then = {name: self.published.stored.get(name) for name in self.fields}
        near = manifest.tolerance
        differing = tuple(name for name in now if not same_answer(now[name], then[name], near, near))
        likeness: Likeness = "differs" if differing else "within tolerance"
        if all(_same_bits(now[name], then[name]) for name in now):
            likeness, differing = "bit-equal", ()
        return Attempt(how, likeness, differing, _difference(now, then), now, value)


def carried_equal(package: Package, columns: Columns, published: Published) -> dict[str, bool]:
    """
    Compare the fields that a version carries.

    Args:
        package: the version.
        columns: the decoded event: one row.
        published: the prediction.
    Returns: by the name in the prediction, whether it is the event's own.
    """
    carry = carried_names(package.manifest.carry)
    if not carry:
        return {}
    document = RecordSchema(package.prediction).document
    document["fields"] = [each for each in document["fields"] if each["name"] in carry.values()]
    schema = RecordSchema(json.dumps(document))
    [value] = Encoder(schema).encode({name: columns[path] for path, name in carry.items()})
    now = {} if isinstance(value, DeadLetter) else read_bare(schema, value)
    then = published.stored
    return {
        name: name in now and name in then and _same_bits(now[name], then[name]) for name in carry.values()
    }


def _beside(columns: Columns, golden: Golden, count: int, model: Model) -> Columns:
    """The record and some golden rows, the features only."""
    rows = columns_of(golden.events[:count], model.manifest.features)
    return {
        path: pa.concat_arrays([columns[path], column.cast(columns[path].type)])
        for path, column in rows.items()
    }


def _same_bits(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same_bits, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_bits(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def _difference(one: object, other: object) -> float | None:
    """The largest between two numbers at the same place; None where there are none."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _largest(_difference(one[name], other.get(name)) for name in one)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return _largest(map(_difference, one, other))
    return None


def _largest(found: Iterator[float | None]) -> float | None:
    return max((each for each in found if each is not None), default=None)
