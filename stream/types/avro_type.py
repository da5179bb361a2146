"""What a type is: one object that knows every representation of its values, for reading and for writing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stream.types.bare import Bare
from stream.types.foreign_reading import ForeignReading
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AvroType(ForeignReading):
    """
    An Avro type and every conversion of its values, in and out: a row of the table in `known`, or one made with
    parameters of its own. Only the methods for single values go through Python objects; the others use Arrow.
    """

    # A schema's defaults.

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

    def exact_value(self, bare: Any) -> Any:
        """
        As `python_value`, for a reader whose type may be coarser.

        Args:
            bare: as a decoder gives it; not null.
        Returns: `Bare` for what such a type can't hold, so that it is refused and not rounded, as on the stream.
        """
        return self.python_value(bare)

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

    def python_values(self, column: pa.Array) -> list[Any]:
        """
        Args:
            column: of the Arrow type, or of that in files.
        Returns: Python's own values. Raises: OverflowError, ValueError for what Python's calendar can't hold.
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

    def engine_column(self, column: pa.Array, arrow_of: Callable[[TypeFacts], pa.DataType]) -> pa.Array:
        """
        Args:
            column: of the Arrow type.
            arrow_of: the Arrow type that a query engine is given for a type.
        Returns: what the engine is given: its text, where the engine has no type of its own for it.
        """
        target = arrow_of(self)
        if pa.types.is_string(target) and column.type != target:
            return self.csv_column(column)
        return column.cast(target)

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
