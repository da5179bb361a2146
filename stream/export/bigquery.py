"""
SQL for BigQuery: the REST service as a remote function.

Source: cloud.google.com/bigquery/docs/remote-functions, "Create a remote function".
"""

from __future__ import annotations

import json
import re

from stream.manifest import Manifest
from stream.scoring import AnswerField, answer_fields

__all__ = ["column_name", "remote_function", "sql_name"]

_BATCH_ROWS = 2_000
"""Rows of one request; a batch of this size is what the model is quickest with."""


def sql_name(model: str) -> str:
    """A model's name as BigQuery takes it: letters, digits and `_`."""
    return re.sub(r"\W", "_", model, flags=re.ASCII)


def column_name(path: str) -> str:
    """A column, or a field of one, by its dotted path."""
    return ".".join(f"`{part}`" for part in path.split("."))


def remote_function(manifest: Manifest, dataset: str, connection: str, endpoint: str) -> str:
    """
    The remote function of a model, with a query that uses it.

    Args:
        manifest: of the model.
        dataset: `project.dataset`, where the function goes.
        connection: `project.location.connection`, which may call the service.
        endpoint: the REST service's address, `/bigquery` included.
    Returns: a script for BigQuery, ending with a newline.
    """
    function = f"`{dataset}.{sql_name(manifest.name)}_predict`"
    columns = ", ".join(feature.path for feature in manifest.features)
    answers = "\n".join(f"--   {_read(field)} AS {field.name}," for field in answer_fields(manifest))
    description = json.dumps(f"The answer of {manifest.name}, as the event's predictions have it.")
    return f"""\
-- {manifest.model} as a remote function: `stream serve` answers at {endpoint}.
-- An event is a JSON object with the columns {columns}.
-- A NULL event has the answer NULL, one that can't be scored an answer with an `error`. To end the query instead, add
--   user_defined_context = [("on_error", "fail")]
-- to the options.
CREATE OR REPLACE FUNCTION {function}(event JSON) RETURNS JSON
REMOTE WITH CONNECTION `{connection}`
OPTIONS (
  endpoint = '{endpoint}',
  max_batching_rows = {_BATCH_ROWS},
  description = {description}
);

-- SELECT event.*,
{answers}
--   STRING(prediction.error.message) AS error
-- FROM (
--   SELECT event, {function}(TO_JSON(event, stringify_wide_numbers => TRUE)) AS prediction
--   FROM `{dataset}.TABLE` AS event
-- );
"""


def _read(field: AnswerField) -> str:
    """The field of an answer in its own type; NULL where there is none."""
    kind, value = field.type.foreign.bigquery, f"prediction.{field.name}"
    if field.array:
        return f"ARRAY(SELECT {kind}(item) FROM UNNEST(JSON_QUERY_ARRAY({value})) AS item)"
    return f"{kind}({value})"
