"""SQL for BigQuery."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.export import EXPORTERS, filled, left_open
from stream.export.bigquery import remote_function
from stream.store import open_package
from tests.unit.rest.models import pack_kinds


def test_remote_function_asks_the_service() -> None:
    """The address, the connection, and a query that reads the answer in its types."""
    names = ("acme.flights", "acme.eu.scoring", "https://scorer.example/bigquery")

    script = remote_function(open_package("models/flights").manifest, *names)

    assert (
        "CREATE OR REPLACE FUNCTION `acme.flights.flights_predict`(event JSON) RETURNS JSON\n"
        "REMOTE WITH CONNECTION `acme.eu.scoring`\n"
        "OPTIONS (\n"
        "  endpoint = 'https://scorer.example/bigquery',\n"
        "  max_batching_rows = 2000," in script
    )
    assert (
        "--   BOOL(prediction.label) AS label,\n"
        "--   FLOAT64(prediction.score) AS score,\n"
        "--   STRING(prediction.error.message) AS error\n" in script
    )
    assert "TO_JSON(event, stringify_wide_numbers => TRUE)" in script


def test_arrays_are_read_in_their_type(tmp_path: Path) -> None:
    """JSON's functions give a list of JSON."""
    manifest = open_package(pack_kinds(tmp_path / "kinds")).manifest

    script = remote_function(manifest, "a.b", "a.eu.c", "https://h/bigquery")

    assert (
        "ARRAY(SELECT FLOAT64(item) FROM UNNEST(JSON_QUERY_ARRAY(prediction.probabilities)) AS item)"
        in script
    )


@pytest.mark.parametrize(
    ("target", "option", "value"),
    [
        ("bigquery", "dataset", "a`b.c"),
        ("bigquery", "connection", "only-one-part"),
        ("bigquery", "endpoint", "http://host/bigquery"),
        ("bigquery", "endpoint", "https://host/predict"),
        ("onnx", "dataset", "a`b.c"),
        ("onnx", "bucket", "s3://bucket"),
    ],
)
def test_name_that_can_t_be_is_refused(target: str, option: str, value: str) -> None:
    """It would end in SQL that BigQuery refuses, or does something else."""
    with pytest.raises(SettingsError, match=f"--{option}: expected something like"):
        filled(EXPORTERS[target], {option: value})


def test_names_that_were_not_given_are_known() -> None:
    """The command says which words in the files are to be replaced."""
    given = {"dataset": "a.b", "endpoint": "https://h/bigquery"}

    assert ["--connection"] == left_open(EXPORTERS["bigquery"], given)
    assert {**given, "connection": "PROJECT.LOCATION.CONNECTION"} == filled(EXPORTERS["bigquery"], given)
