"""What is published: the carried fields, the answer, the model that gave it, and where the record came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa

from stream.errors import PackageError
from stream.manifest import Manifest
from stream.scoring.answers import answer_fields
from stream.scoring.model import Scored

__all__ = ["OURS", "carried_names", "prediction_columns", "prediction_schema"]

OURS = ("label", "score", "value", "labels", "values", "probabilities", "model", "source_partition",
        "source_offset")  # fmt: skip
"""Names that no carried field may have."""


def carried_names(carry: Sequence[str]) -> dict[str, str]:
    """
    The name that each carried field has in the prediction.

    Args:
        carry: dotted paths of the event's fields.
    Returns: by path, in the same order: the path, with `_` for each dot.
    Raises: PackageError if two get the same name, or one of our own.
    """
    names: dict[str, str] = {}
    for path in carry:
        name = path.replace(".", "_")
        if name in OURS:
            raise PackageError(
                f"the carried field {path!r} would be called {name!r} in the prediction, as a field of ours",
                step="manifest",
                hint="leave it out of --carry, or rename it in the events' schema",
            )
        if name in names.values():
            raise PackageError(
                f"two carried fields would be called {name!r} in the prediction",
                step="manifest",
                hint="carry one of them only",
            )
        names[path] = name
    return names


def prediction_columns(
    columns: Mapping[str, pa.Array], n: int, scored: Scored, carry: Mapping[str, str]
) -> dict[str, pa.Array]:
    """
    The columns of predictions, without the place of the records that were scored.

    Args:
        columns: of the n rows that were scored, by path.
        n: number of rows.
        scored: what came of them.
        carry: by the path of each carried field, its name in the prediction; one that is not among `columns` is
            left out.
    Returns: in the prediction's order, each of length len(scored.rows): carried fields, answer, `model`.
    """
    carried = {name: columns[path] for path, name in carry.items() if path in columns}
    if len(scored.rows) < n:
        taken = pa.array(scored.rows, pa.int64())
        carried = {name: column.take(taken) for name, column in carried.items()}
    return {**carried, **scored.columns, "model": scored.models}


def prediction_schema(
    manifest: Manifest, types: Mapping[str, object], *, name: str = "Prediction", namespace: str = ""
) -> str:
    """
    `prediction.avsc` of a model.

    Args:
        manifest: its carried fields, task, answer type, score and probabilities.
        types: the Avro type (as JSON) of each carried path, null included.
        name: of the record.
        namespace: of the record; empty for none.
    Returns: the schema as JSON text, ending with a newline.
    Raises: PackageError as `carried_names`.
    """
    fields: list[dict[str, object]] = []
    for path, carried in carried_names(manifest.carry).items():
        field: dict[str, object] = {"name": carried, "type": types[path]}
        if isinstance(types[path], list) and types[path][0] == "null":  # type: ignore[index]
            field["default"] = None
        fields.append(field)
    fields += [{"name": answer.name, "type": answer.avro} for answer in answer_fields(manifest)]
    fields += [
        {"name": "model", "type": "string", "doc": "name@version"},
        {"name": "source_partition", "type": "int", "doc": "Partition of the record that was scored."},
        {"name": "source_offset", "type": "long", "doc": "Offset of the record that was scored."},
    ]
    record: dict[str, object] = {"type": "record", "name": name}
    if namespace:
        record["namespace"] = namespace
    return json.dumps({**record, "fields": fields}, indent=2, ensure_ascii=False) + "\n"
