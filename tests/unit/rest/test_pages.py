"""What people, generators and scrapers read."""

from __future__ import annotations

import html
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sklearn.linear_model import LinearRegression
from starlette.testclient import TestClient

from stream.manifest import Manifest
from stream.rest import LIVE_PATHS, Service
from stream.store import PackRequest, pack
from tests.unit.rest.models import GIVEN, door


def resolved(api: dict[str, Any], name: str) -> dict[str, Any]:
    """A schema of the document, with what it refers to."""
    return {"$ref": f"#/components/schemas/{name}", "components": api["components"]}


def test_document_has_the_models_fields_types_and_examples(people: TestClient) -> None:
    """By the names that callers use; what may be null, what must be there."""
    features = people.get("/openapi.json").json()["components"]["schemas"]["Features"]

    assert ["body mass (kg)", "age"] == features["required"]
    assert ["id", "seen", "body mass (kg)", "age", "city"] == list(features["properties"])
    assert ["string", "null"] == features["properties"]["city"]["type"]
    assert "date-time" == features["properties"]["seen"]["format"]
    assert {
        "id": "p1",
        "seen": "2024-02-29T12:00:00.000Z",
        "body mass (kg)": 70.0,
        "age": 20,
        "city": "York",
    } == (features["examples"][0])


@pytest.mark.parametrize("model", ["people", "line", "kinds"])
def test_examples_are_answered_as_the_document_says(model: str, request: pytest.FixtureRequest) -> None:
    """Every example of every endpoint gets a 200 that fits its schema."""
    client: TestClient = request.getfixturevalue(model)
    api = client.get("/openapi.json").json()
    tried = 0
    for path, methods in api["paths"].items():
        content = (
            methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        )
        examples = [one["value"] for one in content.get("examples", {}).values()]
        for example in [*examples, *([content["example"]] if "example" in content else [])]:
            answer = client.post(path, json=example)
            schema = methods["post"]["responses"]["200"]["content"]["application/json"]["schema"]
            assert 200 == answer.status_code, answer.text
            jsonschema.validate(answer.json(), {**schema, "components": api["components"]})
            jsonschema.validate(example, {**content["schema"], "components": api["components"]})
            tried += 1

    assert 7 == tried


def test_errors_fit_the_document(people: TestClient) -> None:
    """Also those of a row within a list."""
    api = people.get("/openapi.json").json()

    jsonschema.validate(people.post("/predict", json=[{}]).json(), resolved(api, "Error"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"age": 1}, resolved(api, "Features"))


def test_every_route_is_in_the_document_and_the_other_way_round(people_package: Path) -> None:
    """But the document itself, its page, and what leads there; open routes need no token in both."""
    with door(people_package, token="secret") as (client, rest):
        headers = {"authorization": "Bearer secret"}
        paths = client.get("/openapi.json", headers=headers).json()["paths"]
        served = {
            (re.sub(r"\{name\}", "people", route.path).replace("{version}", "1"), method.lower())
            for route in rest.app.routes
            for method in route.methods - {"HEAD"}
        }
        described = {(path, method) for path, methods in paths.items() for method in methods}
        unopened = {(path, method) for path, method in described if paths[path][method].get("security") != []}

        pages = {"/", "/card", "/docs", "/docs.js", "/openapi.json", *LIVE_PATHS}
        assert {(path, "get") for path in pages} == served - described
        assert set() == described - served
        assert unopened == {
            (path, method) for path, method in described if 401 == client.request(method, path).status_code
        }


def test_page_needs_nothing_from_elsewhere(people: TestClient) -> None:
    """No script but this service's own, none within the page; it names every endpoint and field."""
    page = people.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))

    assert "text/html" in page.headers["content-type"]
    assert ["'none'", "'self'", "'self'"] == [
        policy[name] for name in ("default-src", "script-src", "connect-src")
    ]
    assert ["<script src=docs.js defer></script>"] == re.findall(r"<script.*?</script>", page.text, re.S)
    assert [] == re.findall(r"<[^>]+ on\w+=", page.text)
    assert {"http://testserver"} == set(re.findall(r"https?://[\w.]+", page.text))
    for text in (
        "body mass (kg)",
        "POST /predict",
        "/v2/models/people/infer",
        "curl http://testserver/predict",
    ):
        assert text in page.text


class Form(HTMLParser):
    """Reads a page's form: what is in its box, and its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.row = ""
        self.fields: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the fields."""
        self._inside = tag == "textarea"
        if tag in ("textarea", "input", "button"):
            self.fields.append(str(dict(attrs)["name"]))

    def handle_endtag(self, tag: str) -> None:
        """The box ends."""
        self._inside = self._inside and tag != "textarea"

    def handle_data(self, data: str) -> None:
        """What is in the box."""
        self.row += data * self._inside


@pytest.mark.parametrize("model", ["people", "line", "kinds"])
def test_form_is_filled_with_a_row_that_is_answered(model: str, request: pytest.FixtureRequest) -> None:
    """As the script sends it: what is in the box, to `predict` beside the page."""
    client: TestClient = request.getfixturevalue(model)
    form = Form(client.get("/docs").text)
    script = client.get("/docs.js")
    answer = client.post("/predict", content=form.row, headers={"content-type": "application/json"})

    assert ["row", "ask"] == form.fields
    assert 200 == answer.status_code, answer.text
    assert script.headers["content-type"].startswith("text/javascript")
    assert 'fetch("predict", { method: "POST"' in script.text
    assert "innerHTML" not in script.text


def test_form_asks_for_the_token_where_one_is_needed(people_package: Path) -> None:
    """It is sent as the service wants it, and is not in the page."""
    with door(people_package, token="secret") as (client, _):
        page = client.get("/docs", headers={"authorization": "Bearer secret"}).text

    assert ["row", "token", "ask"] == Form(page).fields
    assert "secret" not in page


def test_card_and_page_link_each_other(tmp_path: Path) -> None:
    """Where the version has a card; it runs no script."""

    def attach(manifest: Manifest) -> dict[str, bytes]:
        return {"card.html": "<!doctype html><body><main>The card of ünits.</main></body>".encode()}

    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0]})
    request = PackRequest("m", tmp_path / "m", attach=attach)
    pack(LinearRegression().fit(frame, np.arange(3.0)), request, sample=frame)
    with door(tmp_path / "m") as (client, _):
        card = client.get("/card")

        assert '<a href="card">' in client.get("/docs").text
        assert '<a href="docs">Try m@1' in card.text
        assert "The card of ünits." in card.text
        assert card.headers["content-security-policy"].startswith("default-src 'none'; img-src data:")
        # A package's own text: it asks for no password, and leads nobody elsewhere by itself.
        assert card.headers["content-security-policy"].endswith("form-action 'none'; sandbox")


def test_version_without_a_card_says_how_one_is_made(people: TestClient) -> None:
    """And its page has no link to one."""
    assert 'href="card"' not in people.get("/docs").text
    assert [404, True] == [people.get("/card").status_code, "`stream train`" in people.get("/card").text]


def test_names_are_escaped_in_the_page(tmp_path: Path) -> None:
    """A field's name is text, never markup, and turns no text around."""
    name = "<b>x</b>\u202e\x1b\n"
    frame = pd.DataFrame({name: [1.0, 2.0, 4.0]})
    schema = json.dumps(
        {
            "type": "record",
            "name": "E",
            "fields": [{"name": "x", "type": "double", "feature": name}],
        }
    )
    pack(LinearRegression().fit(frame, np.arange(3.0)), PackRequest("m", tmp_path / "m"), schema=schema)
    with door(tmp_path / "m") as (client, _):
        page = client.get("/docs").text

        assert "<b>x" not in page
        assert "&lt;b&gt;x&lt;/b&gt;\\u202e\\x1b\\n" in page
        assert set() == {"\u202e", "\x1b"} & {*page}
        assert 200 == client.post("/predict", json={name: 1}).status_code


def test_page_says_what_the_score_means(people: TestClient) -> None:
    """In the row of its field."""
    meaning = people.get("/openapi.json").json()["components"]["schemas"]["Prediction"]["properties"][
        "score"
    ]["description"]

    row = re.search("<tr><td><code>score</code>[^\n]*?(?=<tr>)", people.get("/docs").text)
    assert row is not None
    assert row[0].endswith(f"<td>{html.escape(meaning)}")


def test_commands_of_the_page_are_one_word_of_a_shell_each(tmp_path: Path) -> None:
    """A quote in a name or a value ends nothing."""
    frame = pd.DataFrame({"it's; echo $HOME": [1.0, 2.0, 4.0]})
    pack(LinearRegression().fit(frame, np.arange(3.0)), PackRequest("m", tmp_path / "m"), sample=frame)
    with door(tmp_path / "m") as (client, _):
        shown = html.unescape(client.get("/docs").text.split("<pre><code>curl ")[1].split("</code>")[0])

        assert {"it's; echo $HOME": 1.0} == json.loads(shlex.split(shown)[-1])


def test_metrics_count_requests_and_rows(people_package: Path) -> None:
    """By endpoint and status; only what this process has."""
    with door(people_package) as (client, _):
        client.post("/predict", json=[GIVEN, GIVEN])
        client.post("/predict", json={})
        text = client.get("/metrics").text

    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert 1 == samples["stream_requests_total", "/predict", "200"]
    assert 1 == samples["stream_requests_total", "/predict", "422"]
    assert 2 == samples["stream_rows_total", "prediction"]
    assert ("stream_partitions",) not in samples


@pytest.mark.parametrize("path", ["/", "/docs", "/metrics", "/ping", "/v2/health/ready", "/openapi.json"])
def test_latency_is_that_of_predictions_alone(people: TestClient, path: str) -> None:
    """Pages, scrapes and probes are answered at once, and would hide how long a prediction takes."""

    def timed() -> float:
        found = text_string_to_metric_families(people.get("/metrics").text)
        return sum(s.value for f in found for s in f.samples if s.name == "stream_request_seconds_count")

    before = timed()
    assert 200 == people.get(path).status_code
    people.post("/predict", json=GIVEN)

    assert before + 1 == timed()


def test_internal_error_is_counted(people_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody expects is a 500 for the client, and one in the metrics."""

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Service, "answer", fail)
    with door(people_package) as (client, _):
        status = client.post("/predict", json=GIVEN).status_code
        text = client.get("/metrics").text

    assert 500 == status
    assert 'stream_requests_total{endpoint="/predict",status="500"} 1.0' in text
