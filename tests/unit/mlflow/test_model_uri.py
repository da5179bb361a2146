"""URIs of MLflow: well spelt ones taken apart, others refused with what to write, paths left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.mlflow import ModelUri, is_uri, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("models:/flights@champion", ModelUri("alias", "flights", alias="champion")),
        ("models:/Flight delays@live", ModelUri("alias", "Flight delays", alias="live")),
        ("models:/main.ml.flights@champion", ModelUri("alias", "main.ml.flights", alias="champion")),
        ("models:/flights/7", ModelUri("version", "flights", version=7)),
        ("models:/m-0123456789abcdef", ModelUri("logged", "m-0123456789abcdef")),
        ("runs:/0a1b/model", ModelUri("run", "0a1b", path="model")),
        ("runs:/0a1b/a/b c", ModelUri("run", "0a1b", path="a/b c")),
    ],
)
def test_uri_is_taken_apart_and_written_as_before(text: str, expected: ModelUri) -> None:
    """As a text, and as the path that a command line makes of it."""
    assert expected == parse(text) == parse(Path(text))
    assert text == str(expected)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("models:/x", "models:/x@ALIAS or models:/x/VERSION"),
        ("models:/x/", "models:/x@ALIAS or models:/x/VERSION"),
        ("models:/x@", "models:/NAME@ALIAS"),
        ("models:/@x", "models:/NAME@ALIAS"),
        ("models:/x/latest", "models:/x@ALIAS"),
        ("models:/x/Production", "models:/x@ALIAS"),
        ("models:/x/0", "models:/x@ALIAS"),
        ("models:/x/7/sub", "models:/x@ALIAS"),
        ("models:/x@a/sub", "models:/NAME@ALIAS"),
        ("models:x@a", "models:/x@a"),
        ("models://x@a", "models:/x@a"),
        ("model:/x@a", "models:/x@a"),
        ("Models:/x@a", "models:/x@a"),
        ("models:/", "models:/NAME@ALIAS"),
        ("run:/a/b", "runs:/a/b"),
        ("runs:/a", "runs:/ID/PATH"),
        ("runs:/", "runs:/ID/PATH"),
        ("runs:/a/../b", "runs:/ID/PATH"),
        ("runs:/a//b", "runs:/ID/PATH"),
        ("mlflow-artifacts:/1/a", "models:/NAME@ALIAS"),
    ],
)
def test_misspelt_uri_is_refused_with_what_to_write(text: str, hint: str) -> None:
    """Never taken for a path."""
    assert is_uri(text)
    with pytest.raises(SettingsError) as refused:
        parse(text)

    assert hint in refused.value.hint


@pytest.mark.parametrize("text", ["models:/", "models:", "runs:/", "runs:", "model:/", "Runs:"])
def test_hint_for_a_uri_that_names_nothing_is_not_that_uri(text: str) -> None:
    """A command line makes a path of it, which has no slash at its end."""
    with pytest.raises(SettingsError) as refused:
        parse(Path(text))

    assert "write models:/NAME@ALIAS, models:/NAME/VERSION or runs:/ID/PATH" == refused.value.hint


@pytest.mark.parametrize(
    "text", ["models/flights", "models", "./models:/x", "C:/models", "s3://bucket/x", "", "runs/a"]
)
def test_path_is_left_alone(text: str) -> None:
    """What does not begin as one is a path."""
    assert parse(text) is None
    assert not is_uri(text)
