"""
SQL for BigQuery: the REST service as a remote function.

A remote function has neither ARRAY nor STRUCT among its arguments: a row is one JSON, or a column for each feature.

Source: cloud.google.com/bigquery/docs/remote-functions, "Limitations", "Create a remote function".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from stream.codec import RecordSchema
from stream.export.distinct_names import distinct_name
from stream.manifest import Manifest
from stream.scoring import AnswerField, answer_fields

if TYPE_CHECKING:
    from stream.store import Package

__all__ = [
    "HOST",
    "column_name",
    "feature_types",
    "model_name",
    "named_otherwise",
    "remote_function",
    "sql_name",
]

HOST = "https://HOST/bigquery"
"""Stands for the service's address where that is not known yet."""

_NAME_CHARS = 200
"""BigQuery's functions and models take 256, and ours end with `_predict_columns` or a version."""

_BATCH_ROWS = 2_000
"""Rows of one request; a batch of this size is what the model is quickest with."""


def sql_name(name: str) -> str:
    """A name as BigQuery takes it: letters, digits and `_`."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def model_name(model: str) -> str:
    """A model's name as BigQuery takes it, and no other model's: as `distinct_name`."""
    return distinct_name(model, sql_name(model), _NAME_CHARS, "_")


def named_otherwise(model: str) -> tuple[str, ...]:
    """What to say where BigQuery does not take a model's name as it is."""
    if model_name(model) == model:
        return ()
    return (
        f"{model} is {model_name(model)} in BigQuery, which takes letters, digits and _; its digest keeps it apart "
        "from models whose names differ in nothing else",
    )


def column_name(path: str) -> str:
    """A column, or a field of one, by its dotted path."""
    return ".".join(f"`{part}`" for part in path.split("."))


def feature_types(package: Package) -> dict[str, str]:
    """By path, BigQuery's type of each feature, in the order in which the service takes values without names."""
    needed = {feature.path for feature in package.manifest.features}
    leaves = RecordSchema(package.features).leaves()
    return {leaf.path: leaf.type.foreign.bigquery for leaf in leaves if leaf.path in needed}


def remote_function(
    manifest: Manifest, types: Mapping[str, str], dataset: str, connection: str, endpoint: str
) -> str:
    """
    The remote functions of a model, with queries that use them.

    Args:
        manifest: of the model.
        types: as `feature_types` gives them.
        dataset: `project.dataset`, where the functions go.
        connection: `project.location.connection`, which may call the service.
        endpoint: the REST service's address, `/bigquery` included.
    Returns: a script for BigQuery, ending with a newline.
    """
    function = f"`{dataset}.{model_name(manifest.name)}_predict`"
    options = _options(manifest, endpoint)
    return f"""\
-- {manifest.model} as remote functions: `stream serve` answers at {endpoint}.
-- BigQuery may send a row more than once, also one that was answered: a prediction depends on its row alone, and is the
-- same each time. What is NULL has the answer NULL, a row that can't be scored an answer with an `error`. To end the
-- query instead, add
--   user_defined_context = [("on_error", "fail")]
-- to the options.

-- 1. By name: an event is a JSON object with the columns {", ".join(types)}.
CREATE OR REPLACE FUNCTION {function}(event JSON) RETURNS JSON
REMOTE WITH CONNECTION `{connection}`
{options};

{_query(manifest, f"{function}(TO_JSON(event, stringify_wide_numbers => TRUE))", dataset)}
{_by_column(manifest, types, dataset, connection, options)}"""


def _options(manifest: Manifest, endpoint: str) -> str:
    description = json.dumps(f"The answer of {manifest.name}, as the event's predictions have it.")
    return f"""\
OPTIONS (
  endpoint = '{endpoint}',
  max_batching_rows = {_BATCH_ROWS},
  description = {description}
)"""


def _by_column(
    manifest: Manifest, types: Mapping[str, str], dataset: str, connection: str, options: str
) -> str:
    """The function with an argument per feature, where BigQuery has the types for it."""
    odd = [f"{path} is {kind}" for path, kind in types.items() if kind.startswith(("ARRAY", "STRUCT"))]
    if odd:
        return f"""
-- 2. A function by column there is none: a remote function has no such argument ({", ".join(odd)}).
"""
    function = f"`{dataset}.{model_name(manifest.name)}_predict_columns`"
    arguments = ",\n".join(
        f"  {name} {kind}" for name, kind in zip(_arguments(types), types.values(), strict=True)
    )
    columns = ", ".join(f"event.{column_name(path)}" for path in types)
    return f"""
-- 2. By column: the features in the order of the model's schema. A row of which all are NULL has the answer NULL.
CREATE OR REPLACE FUNCTION {function}(
{arguments}
) RETURNS JSON
REMOTE WITH CONNECTION `{connection}`
{options};

{_query(manifest, f"{function}({columns})", dataset)}
"""


def _arguments(paths: Iterable[str]) -> list[str]:
    """A name for each feature, since names in BigQuery have no case and no dots."""
    found: list[str] = []
    for path in paths:
        stem = sql_name(path)
        names = [name.lower() for name in found]
        number = next(
            number for number in range(1, len(found) + 2) if _numbered(stem, number).lower() not in names
        )
        found.append(_numbered(stem, number))
    return [f"`{name}`" for name in found]


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}_{number}"


def _query(manifest: Manifest, call: str, dataset: str) -> str:
    """A query, as a comment."""
    answers = "\n".join(f"--   {_read(field)} AS {field.name}," for field in answer_fields(manifest))
    return f"""\
-- SELECT event.*,
{answers}
--   STRING(prediction.error.message) AS error
-- FROM (
--   SELECT event, {call} AS prediction
--   FROM `{dataset}.TABLE` AS event
-- );"""


def _read(field: AnswerField) -> str:
    """The field of an answer in its own type; NULL where there is none."""
    kind, value = field.type.foreign.bigquery, f"prediction.{field.name}"
    if field.array:
        return f"ARRAY(SELECT {kind}(item) FROM UNNEST(JSON_QUERY_ARRAY({value})) AS item)"
    return f"{kind}({value})"
