"""What is known of a type without any value: names, representations, limits."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from stream.manifest import FeatureKind

__all__ = ["ForeignNames", "TypeFacts"]


_NUMBERS = frozenset(
    {"UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"}
)
"""The protocol's datatypes of numbers: any of them is taken for one."""


@dataclass(frozen=True, slots=True)
class ForeignNames:
    """
    What other systems call the type.

    Attributes:
        tensor: the datatype of the Open Inference Protocol.
        duckdb: the column's type in DuckDB.
        spark: the column's type in Spark SQL.
        bigquery: BigQuery's type, whose name is also that of its function that takes one out of JSON.
        mlflow: the type of such an input in a signature of MLflow; `any` where each of its types would refuse values
            that are taken here.
    """

    tensor: str
    duckdb: str
    spark: str
    bigquery: str
    mlflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFacts(ABC):
    """
    The facts of an Avro type that can be a column.

    Attributes:
        name: as messages call it: the logical type if it has one, else Avro's own.
        kind: how Avro writes it: `null`, `boolean`, `int`, `long`, `float`, `double`, `bytes`, `string`, `fixed`,
            `enum` or `array`.
        storage: the Arrow type of the bare values.
        arrow: the Arrow type of its column: the same bytes, read as what they mean.
        model: how it reaches a model; None where no model takes it, and it can only be carried.
        foreign: its names in other systems.
    """

    name: str
    kind: str
    storage: pa.DataType
    arrow: pa.DataType
    model: FeatureKind | None
    foreign: ForeignNames

    python: ClassVar[type]
    """The class of its bare values, as a decoder of Avro returns them."""
    python_types: ClassVar[tuple[type, ...]]
    """The classes of the values that a reader of Avro returns with logical types applied."""
    looks: ClassVar[str] = ""
    """What csv cells that look like it are called ("since all are …"); empty where it is never inferred from cells."""
    has_missing: ClassVar[bool] = True
    """Whether `NA` and its like mean "no value" in a csv cell; not for types whose values are texts."""
    stored_as_is: ClassVar[bool] = True
    """Whether `stored` changes nothing, which saves a call per value."""
    checked: ClassVar[bool] = False
    """Whether Avro's bare values may be none of the type: digits beyond a decimal's, a time beyond the day."""
    column: ClassVar[bool] = True
    """Whether it can be a column; a duration can't: it has no fixed length."""
    takes_number: ClassVar[bool] = False
    """Whether a value may also be given as its bare number, such as days since 1970."""
    csv_as_text: ClassVar[bool] = False
    """Whether the csv writer is given texts."""
    has_nan: ClassVar[bool] = False
    """Whether NaN is a value of the type; for the others it is pandas' mark for a missing value."""
    text_form: ClassVar[str]
    """How a value is written in csv and JSON."""
    limits: ClassVar[str] = "none"
    """What is refused, and with which reason."""

    @property
    def full_name(self) -> str:
        """The name as the manifest has it: of an array with its items' type."""
        return self.name

    @property
    def measure(self) -> object:
        """What must be the same of two types for their bare values to mean the same."""
        return self.arrow

    @property
    def numeric(self) -> bool:
        """Whether it may be one of the columns of a model without names: a number, and not a boolean."""
        return self.model == "number" and self.python is not bool

    @property
    def schema(self) -> Any:
        """Its Avro schema, as JSON."""
        return self.kind if self.name == self.kind else {"type": self.kind, "logicalType": self.name}

    def infers(self, kind: pa.DataType) -> bool:
        """Whether a foreign column of this Arrow type is one of this type, where no schema says otherwise."""
        return False

    @property
    def text_unit(self) -> str:
        """The unit of a time's or an instant's text, which has its digits: `ms`, `us`, `ns`; empty for all else."""
        return ""

    @property
    def file_arrow(self) -> pa.DataType:
        """The Arrow type in files and queries: instants say their zone there."""
        return self.arrow

    @property
    def duckdb_arrow(self) -> pa.DataType:
        """The Arrow type that DuckDB is given."""
        return self.arrow

    @property
    def spark_arrow(self) -> pa.DataType:
        """The Arrow type that Spark is given."""
        return self.file_arrow

    @property
    def csv_arrow(self) -> pa.DataType:
        """The Arrow type of what a csv writer is given."""
        return pa.string() if self.csv_as_text else self.arrow

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of a value in a request or an answer."""

    @property
    def tensors(self) -> frozenset[str]:
        """The datatypes of the Open Inference Protocol that are taken for it."""
        if self.foreign.tensor in _NUMBERS:
            return _NUMBERS
        return frozenset({self.foreign.tensor, *(("INT32", "INT64") if self.takes_number else ())})

    @abstractmethod
    def sample(self, chance: random.Random, texts: Sequence[str] = ()) -> Any:
        """
        Make a valid value.

        Args:
            chance: the same state makes the same value.
            texts: what a text may be, where that is known.
        Returns: as an Avro record holds it.
        """
