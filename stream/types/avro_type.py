"""What a type is: one object that knows every representation of its values, for reading and for writing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.types.bare import Bare
from stream.types.cells import MISSING, NAN, Read, nullable_reader
from stream.types.misfit import Misfit, mismatch
from stream.types.type_facts import TypeFacts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AvroType", "Refused"]


class Refused(NamedTuple):
    """Rows whose values Avro can't write, what is wrong with them, and the reason (stream/reasons.py)."""

    rows: pa.Array
    message: str
    reason: str


_REFUSALS = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""What pyarrow raises for values that it can't hold: a surrogate alone, a number too large, another type."""

_MISSING = pa.array(sorted(MISSING), pa.string())
_MISSING_BUT_NAN = pa.array(sorted(MISSING - NAN), pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class AvroType(TypeFacts):
    """
    An Avro type and every conversion of its values, in and out: a row of the table in `known`, or one made with
    parameters of its own. Only the methods for single values go through Python objects; the others use Arrow.
    """

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

    def default(self, value: object) -> object:
        """
        A default of a schema, as the bare value that a decoder gives.

        Args:
            value: of the schema's JSON; it `is_default`.
        """
        return value

    @abstractmethod
    def is_default(self, value: object) -> bool:
        """
        Whether a schema's JSON value can be a default of this type.

        Source: Avro 1.12 specification, "Complex Types", table of field defaults.
        """

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

    def from_column(self, column: pa.Array, *, text: bool) -> tuple[pa.Array, dict[int, Misfit]]:
        """
        Convert a foreign column, at once or value by value; values may be missing.

        Args:
            column, text: as for `cast`.
        Returns: as `column` does.
        """
        found = self.cast(column, nullable=True, text=text)
        if found is not None:
            return found, {}
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

    def _cast_plain(self, texts: pa.Array) -> pa.Array | None:
        """Texts that are texts."""
        return None

    def _cast_cells(self, texts: pa.Array) -> pa.Array | None:
        """Texts that stand for values; raises ArrowException where one doesn't."""
        return self._cast_plain(texts)

    def _cast_typed(self, column: pa.Array, nullable: bool) -> pa.Array | None:
        """Columns of other types than text; raises ArrowException where a value doesn't fit."""
        return None

    # Avro's bare values ↔ the column.

    def check(self, bare: Any) -> None:
        """
        Check a bare value of a type that is `checked`.

        Args:
            bare: as a decoder gives it; not null.
        Raises: Misfit.
        """

    def python_value(self, bare: Any) -> Any:
        """
        Args:
            bare: as a decoder gives it; not null.
        Returns: the same as Python's own class for it; `Bare` where that can't hold it.
        """
        return bare

    def of_bare(self, value: Bare) -> Any:
        """
        Args:
            value: of any type.
        Returns: the number that this type stores for it.
        Raises: Misfit.
        """
        if value.kind.measure == self.measure:
            return value.value
        rescaled = self.rescaled(value.kind)
        if rescaled is None:
            raise mismatch(self.name, f"{value.kind.name} {value}")
        return rescaled(value.value)

    def rescaled(self, written: AvroType) -> Callable[[Any], Any] | None:
        """
        Args:
            written: another type, whose bare values are of this one's storage, or are promoted to it.
        Returns: what turns its bare values into this type's where both measure the same in different units; it
            raises Misfit for what can't be held. None where they don't.
        """
        return None

    def outside(self, bare: pa.Array) -> list[int]:
        """
        Args:
            bare: of the storage type.
        Returns: indices of the values that `check` refuses.
        """
        wrong: list[int] = []
        for i, value in enumerate(bare.to_pylist()):
            try:
                if value is not None:
                    self.check(value)
            except Misfit:
                wrong.append(i)
        return wrong

    def from_storage(self, bare: pa.Array) -> pa.Array:
        """
        Args:
            bare: of the storage type.
        Returns: the column. Nothing goes through Python's datetime, so no Avro date is out of range.
        """
        return bare if bare.type == self.arrow else bare.view(self.arrow)

    def to_storage(self, column: pa.Array) -> pa.Array:
        """
        Args:
            column: of the Arrow type.
        Returns: the bare values.
        """
        return column if column.type == self.storage else column.view(self.storage)

    def refused(self, column: pa.Array) -> list[Refused]:
        """
        Args:
            column: of the Arrow type, or the bare values.
        Returns: the rows that Arrow can hold and Avro can't write.
        """
        return []

    # A column out.

    def csv_column(self, column: pa.Array) -> pa.Array:
        """
        Args:
            column: of the Arrow type.
        Returns: what the csv writer is given: an array of type `csv_arrow`.
        """
        return column if column.type == self.csv_arrow else column.cast(self.csv_arrow)

    def json_values(self, column: pa.Array) -> list[Any]:
        """
        Args:
            column: of the Arrow type.
        Returns: values that JSON can hold; None for those that it can't.
        """
        values: list[Any] = column.to_pylist()
        return values

    def json_value(self, value: Any) -> Any:
        """
        Args:
            value: as a reader of Avro returns it; not missing.
        Returns: a value that JSON can hold.
        """
        column, wrong = self.from_values([value])
        return str(value) if wrong else self.json_values(column)[0]

    def model_values(self, column: pa.Array) -> tuple[npt.NDArray[np.generic], dict[int, str]]:
        """
        The column as a model gets it, if models take the type.

        Args:
            column: of the Arrow type.
        Returns: numbers (null = NaN), objects (null = None) or datetime64[us] (null = NaT), as `model` says; and by
            index, why a value can't be held (something harmless stands there). The memory may be the column's.
        """
        return column.to_numpy(zero_copy_only=False), {}

    def pandas_series(self, column: pa.Array) -> pd.Series:
        """
        Args:
            column: of the Arrow type.
        Returns: as pandas reads a file of it: instants in UTC, gaps as pandas has them.
        """
        series: pd.Series = column.to_pandas()
        return series
