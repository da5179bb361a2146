"""The URIs of assets: one for each place, and the place again."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from stream.airflow.asset_uris import is_fixed, model_uri, place_of, predictions_uri, sanitize


@pytest.mark.parametrize(
    ("place", "uri"),
    [
        ("/data/models/flights", "stream-model:///data/models/flights"),
        ("/data/models/flights/", "stream-model:///data/models/flights"),
        ("/data/./models/../models/flights", "stream-model:///data/models/flights"),
        ("/data/späte flüge", "stream-model:///data/sp%C3%A4te%20fl%C3%BCge"),
        ("/data/100%?#", "stream-model:///data/100%25%3F%23"),
        ("models:/flights@champion", "stream-model://registry/flights@champion"),
        ("models:/flights/7", "stream-model://registry/flights/7"),
    ],
)
def test_a_model_has_one_uri(place: str, uri: str) -> None:
    """However its folder is spelt; Airflow takes the URI, also as it writes it, and it leads back to the place."""
    assert uri == model_uri(place)
    assert urlsplit(uri) == sanitize(urlsplit(uri))
    assert uri == model_uri(place_of(uri))
    assert place_of(uri) == place_of(uri.replace(":///", ":/"))


def test_predictions_have_another() -> None:
    """The same folder is two assets: what is read from it, and what is written."""
    assert "stream-predictions:///data/scored" == predictions_uri("/data/scored")


@pytest.mark.parametrize("place", ["scored", "./scored", "", "/data/{{ ds }}", "{% if x %}/data{% endif %}"])
def test_a_place_that_is_not_fixed_is_no_asset(place: str) -> None:
    """DAGs in two files would mean two folders by it, or the folder is known only when a task runs."""
    assert not is_fixed(place)
    with pytest.raises(ValueError, match="can't be an asset"):
        predictions_uri(place)


@pytest.mark.parametrize("place", [None, object(), ["/data"]])
def test_another_tasks_result_is_not_fixed(place: object) -> None:
    """Airflow gives an operator an object that stands for it; it can't be searched for a template."""
    assert not is_fixed(place)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("stream-model:///", "names no folder"),
        ("stream-model://", "names no folder"),
        ("stream-model://data/models", "three slashes: stream-model:///data/models"),
        ("stream-predictions://registry/scored", "three slashes"),
    ],
)
def test_a_uri_that_names_no_place_is_refused(uri: str, says: str) -> None:
    """When the DAG is read."""
    with pytest.raises(ValueError, match=says):
        sanitize(urlsplit(uri))
