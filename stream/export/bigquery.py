"""
SQL for BigQuery: the REST door as a remote function.

Source: cloud.google.com/bigquery/docs/remote-functions, "Create a remote function".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from stream.errors import SettingsError
from stream.manifest import Manifest
from stream.scoring import AnswerField, answer_fields

__all__ = ["Names", "remote_function", "sql_name"]

_BATCH_ROWS = 2_000
"""Rows of one request; a batch of this size is what the model is quickest with."""


@dataclass(frozen=True, slots=True)
class Names:
    """
    What things are called in the user's project.

    Attributes:
        dataset: `project.dataset`, where the function or the model goes.
        connection: `project.location.connection`, which may call the service.
        endpoint: the REST door's address, `/bigquery` included.
        bucket: `gs://…`, a folder that holds the exported model.
    """

    dataset: str = "PROJECT.DATASET"
    connection: str = "PROJECT.LOCATION.CONNECTION"
    endpoint: str = "https://HOST/bigquery"
    bucket: str = "gs://BUCKET/FOLDER"

    def __post_init__(self) -> None:
        for option, value, pattern, like in (
            ("--dataset", self.dataset, r"[\w\-:]+\.\w+|\w+", "project.dataset"),
            (
                "--connection",
                self.connection,
                r"[\w\-:]+\.[\w\-]+\.[\w\-]+|[\w\-]+\.[\w\-]+",
                "project.eu.connection",
            ),
            ("--endpoint", self.endpoint, r"https://[^\s'\\]+/bigquery", "https://host/bigquery"),
            ("--bucket", self.bucket, r"gs://[^\s'\\*]+", "gs://bucket/folder"),
        ):
            if not re.fullmatch(pattern, value):
                raise SettingsError(
                    f"{option}: expected something like {like}, found {value!r}", hint="correct it"
                )

    @property
    def open(self) -> list[str]:
        """Options that were not given: their place in the files must be filled by hand."""
        plain = Names()
        return [
            f"--{name}"
            for name in ("dataset", "connection", "endpoint", "bucket")
            if getattr(self, name) == getattr(plain, name)
        ]


def sql_name(model: str) -> str:
    """A model's name as BigQuery takes it: letters, digits and `_`."""
    return re.sub(r"\W", "_", model, flags=re.ASCII)


def remote_function(manifest: Manifest, names: Names) -> str:
    """
    The remote function of a model, with a query that uses it.

    Args:
        manifest: of the model.
        names: what things are called there.
    Returns: a script for BigQuery, ending with a newline.
    """
    function = f"`{names.dataset}.{sql_name(manifest.name)}_predict`"
    columns = ", ".join(feature.path for feature in manifest.features)
    answers = ",\n".join(f"--   {_read(field)} AS {field.name}" for field in answer_fields(manifest))
    description = json.dumps(f"The answer of {manifest.name}, as the event's predictions have it.")
    return f"""\
-- {manifest.model} as a remote function: `stream serve` answers at {names.endpoint}.
-- An event is a JSON object with the columns {columns}.
CREATE OR REPLACE FUNCTION {function}(event JSON) RETURNS JSON
REMOTE WITH CONNECTION `{names.connection}`
OPTIONS (
  endpoint = '{names.endpoint}',
  max_batching_rows = {_BATCH_ROWS},
  description = {description}
);

-- SELECT event.*,
{answers}
-- FROM (SELECT event, {function}(TO_JSON(event)) AS prediction FROM `{names.dataset}.TABLE` AS event);
"""


def _read(field: AnswerField) -> str:
    return f"{'JSON_QUERY_ARRAY' if field.array else field.type.elsewhere.bigquery}(prediction.{field.name})"
