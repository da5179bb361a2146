"""The table of types → Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator

from stream.types import (
    TYPES,
    AvroType,
    Member,
    array_of,
    choice_of,
    decimal_of,
    enum_of,
    fixed_of,
    map_of,
    struct_of,
    type_of,
)

__all__ = ["forms", "names"]

_MODEL = {
    "number": "`float64`, null = NaN",
    "text": "`object`, null = None or NaN, as it was fitted",
    "datetime": "`datetime64[us]`, null = NaT",
    None: "– (carried only)",
}


def forms() -> str:
    """Every form of a type's values, and what is refused."""
    lines = [
        "| Avro | Arrow, parquet | the model's column | in csv, jsonl, JSON | refused |",
        "|---|---|---|---|---|",
    ]
    for name, kind in _kinds():
        lines.append(f"| {name} | `{_arrow(kind)}` | {_model(kind)} | {kind.text_form} | {kind.limits} |")
    return "\n".join(lines)


def names() -> str:
    """What other systems call the types."""
    lines = [
        "| Avro | Open Inference (V2) | DuckDB | Spark | BigQuery | MLflow |",
        "|---|---|---|---|---|---|",
    ]
    for name, kind in _kinds():
        other = kind.foreign
        cells = (other.tensor, other.duckdb, other.spark, other.bigquery, other.mlflow)
        lines.append(f"| {name} | {' | '.join(f'`{cell}`' for cell in cells)} |")
    return "\n".join(lines)


def _kinds() -> Iterator[tuple[str, AvroType]]:
    for kind in TYPES:
        if kind.name == "date":
            yield "`bytes` or `fixed`, `decimal`, for example (9,2)", decimal_of(9, 2)
        yield (f"`{kind.name}`" if kind.name == kind.kind else f"`{kind.kind}`, `{kind.name}`"), kind
    yield "`enum`", enum_of(("A",))
    yield "`fixed`", fixed_of(1)
    yield "`fixed` of 16, `uuid`", fixed_of(16, "uuid")
    yield "`fixed` of 12, `duration`", fixed_of(12, "duration")
    yield "`array` of any of these, for example `double`", array_of(type_of("double"))
    yield "`map` of any of these, for example `long`", map_of(type_of("long"))
    at = Member(name="at", names=("at",), type=type_of("int", "date"), nullable=False, optional=False)
    yield "`record` in an array, a map or a union, for example with a field `at`", struct_of("Stop", [at])
    branches = [("int", type_of("int")), ("string", type_of("string"))]
    yield "a union of several types, for example `int` and `string`", choice_of(branches)


def _arrow(kind: AvroType) -> str:
    return str(kind.file_arrow).replace("item: ", "")


def _model(kind: AvroType) -> str:
    return "as numbers: all columns (`--vector`)" if kind.kind == "array" else _MODEL[kind.model]
