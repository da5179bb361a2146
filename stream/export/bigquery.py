"""
SQL for BigQuery: the REST service as a remote function.

Source: cloud.google.com/bigquery/docs/remote-functions, "Create a remote function".
"""

from __future__ import annotations

import json
import re

from stream.manifest import Manifest
from stream.scoring import AnswerField, answer_fields

__all__ = ["remote_function", "sql_name"]

_BATCH_ROWS = 2_000
"""Rows of one request; a batch of this size is what the model is quickest with."""


def sql_name(model: str) -> str:
    """A model's name as BigQuery takes it: letters, digits and `_`."""
    return re.sub(r"\W", "_", model, flags=re.ASCII)


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
    answers = ",\n".join(f"--   {_read(field)} AS {field.name}" for field in answer_fields(manifest))
    description = json.dumps(f"The answer of {manifest.name}, as the event's predictions have it.")
    return f"""\
-- {manifest.model} as a remote function: `stream serve` answers at {endpoint}.
-- An event is a JSON object with the columns {columns}.
CREATE OR REPLACE FUNCTION {function}(event JSON) RETURNS JSON
REMOTE WITH CONNECTION `{connection}`
OPTIONS (
  endpoint = '{endpoint}',
  max_batching_rows = {_BATCH_ROWS},
  description = {description}
);

-- SELECT event.*,
{answers}
-- FROM (SELECT event, {function}(TO_JSON(event)) AS prediction FROM `{dataset}.TABLE` AS event);
"""


def _read(field: AnswerField) -> str:
    return f"{'JSON_QUERY_ARRAY' if field.array else field.type.foreign.bigquery}(prediction.{field.name})"
