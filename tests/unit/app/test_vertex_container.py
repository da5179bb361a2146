"""`stream serve` where Vertex AI runs it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.app.container import in_container
from stream.app.vertex_container import in_vertex
from stream.errors import SettingsError
from stream.settings import ServeSettings, Settings

VERTEX = {
    "AIP_HTTP_PORT": "9000",
    "AIP_HEALTH_ROUTE": "/v1/endpoints/7/deployedModels/8",
    "AIP_PREDICT_ROUTE": "/v1/endpoints/7/deployedModels/8:predict",
}
"""As it sets them by default."""


def test_port_addresses_and_paths_are_vertexs() -> None:
    """Whatever a file says; paths are endpoints."""
    written = Settings(serve=replace(ServeSettings(), host="10.0.0.1", port=8081))

    settings, endpoints = in_vertex(written, VERTEX)

    assert ("0.0.0.0", 9000) == (settings.serve.host, settings.serve.port)
    assert [("GET", VERTEX["AIP_HEALTH_ROUTE"]), ("POST", VERTEX["AIP_PREDICT_ROUTE"])] == [
        (one.method, one.path) for one in endpoints
    ]


def test_what_variables_of_ours_say_stays() -> None:
    """They are set for this process, and Vertex AI's for any; without its own nothing changes."""
    given = {"STREAM_SERVE__HOST": "10.0.0.1", "STREAM_SERVE__PORT": "8081"}

    settings, _ = in_vertex(Settings(), {**VERTEX, **given})

    assert Settings() == settings
    assert (Settings(), ()) == in_vertex(Settings(), {})


@pytest.mark.parametrize(
    ("health", "predict"),
    [("/ping", "/invocations"), ("/health", "/invocations"), ("/v2/health/ready", "/invocations")],
)
def test_own_paths_that_answer_the_same_are_taken(health: str, predict: str) -> None:
    """Nothing is added for them."""
    assert () == in_vertex(Settings(), {"AIP_HEALTH_ROUTE": health, "AIP_PREDICT_ROUTE": predict})[1]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("AIP_HTTP_PORT", value) for value in ("", "0", "65536", "-1", "http", "80 80", "٨", "9" * 5_000)),
        *(
            ("AIP_HEALTH_ROUTE", value)
            for value in ("", "health", "/{name}", "/a b", "/a?b", "/a#b", "/%70ing", "/é")
        ),
        *(
            ("AIP_HEALTH_ROUTE", value)
            for value in ("/", "/docs", "/metrics", "/v1/models", "/predict", "/bigquery")
        ),
        *(
            ("AIP_PREDICT_ROUTE", value)
            for value in ("predict", "http://x/predict", "/a\n", "/" + "a" * 3_000)
        ),
        *(("AIP_PREDICT_ROUTE", value) for value in ("/ping", "/docs", "/bigquery", "/v2/models/any/infer")),
    ],
)
def test_what_can_not_be_answered_is_refused(variable: str, value: str) -> None:
    """The message names the variable, on one short line."""
    with pytest.raises(SettingsError, match=f"^{variable}: ") as refused:
        in_vertex(Settings(), {variable: value})

    message = str(refused.value)
    assert "\n" not in message.split("\n  ", maxsplit=1)[0]
    assert len(message) < 500


def test_port_of_sagemaker_is_checked_as_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of the same kind."""
    ml = tmp_path_factory.mktemp("ml")
    (ml / "model").mkdir()

    with pytest.raises(SettingsError, match="^SAGEMAKER_BIND_TO_PORT: "):
        in_container(Settings(), {"SAGEMAKER_BIND_TO_PORT": "x"}, configured=False, ml=ml)
