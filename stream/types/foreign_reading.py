"""Values of files, queries and requests → a type's column, one by one or a column at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stream.types.cells import MISSING, NAN, Read, nullable_reader
from stream.types.misfit import Misfit
from stream.types.type_facts import TypeFacts

__all__ = ["ForeignReading"]

_REFUSALS = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""What pyarrow raises for values that it can't hold: a surrogate alone, a number too large, another type."""

_MISSING = pa.array(sorted(MISSING), pa.string())
_MISSING_BUT_NAN = pa.array(sorted(MISSING - NAN), pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignReading(TypeFacts):
    """How a type reads what comes from outside the stream. Only the methods for single values use Python objects."""

    # A foreign value in.

    @abstractmethod
    def read(self, value: Any, *, text: bool) -> Any:
        """
        Read one foreign value.

        Args:
            value: of a file, a query or a request; not missing.
            text: whether a text stands for the type's values (csv).
        Returns: the value that an Avro record holds.
        Raises: Misfit.
        """

    def reader(self, *, nullable: bool, text: bool) -> Read:
        """
        Args:
            nullable: whether a value may be missing.
            text: as for `read`.
        Returns: a function that reads a value, or None for a missing one.
        """
        return nullable_reader(
            self._reading(text),
            self.name,
            nullable=nullable,
            text=text and self.has_missing,
            nan=self.has_nan,
        )

    def _reading(self, text: bool) -> Read:
        """`read` for many values: what does not depend on the value is decided once."""
        return partial(self.read, text=text)

    def parse_cell(self, text: str) -> Any:
        """The value that a csv cell stands for; None where it is not one of this type."""
        return None

    def in_range(self, value: Any) -> bool:
        """Whether a value of `parse_cell` is in the type's range."""
        return True

    # Columns in.

    def from_values(self, values: Sequence[Any]) -> tuple[pa.Array, dict[int, Misfit]]:
        """
        Make a column of values.

        Args:
            values: as `read` returns them; None for a missing one.
        Returns: an array of the Arrow type, equally long; and by index, why a value is not in it (null there).
        """
        if self.stored_as_is:
            return self._array(list(values), {})
        stored: list[Any] = []
        wrong: dict[int, Misfit] = {}
        for i, value in enumerate(values):
            try:
                stored.append(None if value is None else self.stored(value))
            except Misfit as misfit:
                wrong[i] = misfit
                stored.append(None)
        return self._array(stored, wrong)

    def stored(self, value: Any) -> Any:
        """
        Args:
            value: as `read` gives it, or as a reader of Avro files does.
        Returns: what Arrow takes for it without rounding or guessing.
        Raises: Misfit.
        """
        return value

    def _array(self, stored: list[Any], wrong: dict[int, Misfit]) -> tuple[pa.Array, dict[int, Misfit]]:
        try:
            return pa.array(stored, self.arrow), wrong
        except _REFUSALS:
            pass
        for i, value in enumerate(stored):
            try:
                pa.array([value], self.arrow)
            except _REFUSALS as error:
                wrong[i] = Misfit(f"Arrow can't hold it as {self.name}: {error}")
                stored[i] = None
        return pa.array(stored, self.arrow), wrong

    def cast(self, column: pa.Array, *, nullable: bool, text: bool) -> pa.Array | None:
        """
        Convert a foreign column at once, where the result is certain to be what `read` returns for each value. It
        may be too careful, never too generous.

        Args:
            column: without chunks.
            nullable: whether a value may be missing.
            text: as for `read`.
        Returns: an array of the Arrow type, equally long, null for a missing value; None where the values must be
            read one by one.
        """
        kind = column.type
        if pa.types.is_null(kind):
            return pa.nulls(len(column), self.arrow)
        if pa.types.is_dictionary(kind):
            return self.cast(column.cast(kind.value_type), nullable=nullable, text=text)
        try:
            if kind not in (pa.string(), pa.large_string(), pa.string_view()):
                return self._cast_typed(column, nullable)
            texts = column.cast(pa.string())
            if not text:
                return self._cast_plain(texts)
            if self.has_missing:
                missing = _MISSING_BUT_NAN if self.has_nan and not nullable else _MISSING
                texts = pc.if_else(pc.is_in(texts, missing), pa.scalar(None, pa.string()), texts)
            return self._cast_cells(texts)
        except pa.ArrowException:
            return None

    def outside_column(self, column: pa.Array) -> list[int]:
        """
        Args:
            column: as `cast` makes it.
        Returns: rows whose value Arrow can hold there, and the type can't (`value_out_of_range`).
        """
        return []

    def from_column(self, column: pa.Array, *, text: bool) -> tuple[pa.Array, dict[int, Misfit]]:
        """
        Convert a foreign column, at once or value by value; values may be missing.

        Args:
            column, text: as for `cast`.
        Returns: as `column` does.
        """
        found = self.cast(column, nullable=True, text=text)
        if found is not None:
            outside = {i: self.beyond() for i in self.outside_column(found)}
            places = pa.array([None if i in outside else i for i in range(len(found))]) if outside else None
            return found if places is None else found.take(places), outside
        read = self.reader(nullable=True, text=text)
        values: list[Any] = []
        wrong: dict[int, Misfit] = {}
        for i, value in enumerate(column.to_pylist()):
            try:
                values.append(read(value))
            except Misfit as misfit:
                wrong[i] = misfit
                values.append(None)
        made, more = self.from_values(values)
        return made, wrong | more

    def beyond(self) -> Misfit:
        """What is said of a row of `outside_column`."""
        return Misfit(f"a value is out of range for {self.full_name}", reason="value_out_of_range")

    def _cast_plain(self, texts: pa.Array) -> pa.Array | None:
        """Texts that are texts."""
        return None

    def _cast_cells(self, texts: pa.Array) -> pa.Array | None:
        """Texts that stand for values; raises ArrowException where one doesn't."""
        return self._cast_plain(texts)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        """Columns of other types than text; raises ArrowException where a value doesn't fit."""
        return None
