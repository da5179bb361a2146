"""A registry that no longer has the schemas: what can still be read, and what can't be shown any more."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import fastavro
import pytest

from stream.transport import EmbeddedBroker
from tests.acceptance import visits
from tests.kafka.confluent import Memory
from tests.unit.explain.scene import made

Fields = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@contextmanager
def served(memory: Memory) -> Iterator[str]:
    """The registry on a port of its own; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            said = memory.answer(self.command, self.path, self.rfile.read(length))
            self.send_response(said.status)
            for name, value in {**said.headers, "content-length": str(len(said.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda fields: [*fields, {"name": "approved", "type": "boolean"}], "it has approved"),
        (lambda fields: [each for each in fields if each["name"] != "id"], "it lacks id"),
        (lambda fields: fields[::-1], "types or names differ"),
    ],
)
def test_prediction_under_another_schema_of_the_registry_is_not_the_version_s(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str], change: Fields, told: str
) -> None:
    """Whoever may register a schema can publish more, or less, beside the version's own answer."""
    memory = Memory()
    event_id = memory.register("lost.in-value", visits.SCHEMA)
    text = (package / "versions/1/prediction.avsc").read_text()
    memory.register("lost.out-value", text)
    schema = json.loads(text)
    schema["fields"] = change(schema["fields"])
    other_id = memory.register("lost.out-value", json.dumps(schema))
    value = b"\0" + event_id.to_bytes(4, "big") + visits.framed(visits.visit(1))[10:]
    with served(memory) as url, closing(EmbeddedBroker()) as broker:
        scene = made(broker, tmp_path, package, "lost", f'[schema_registry]\nurl = "{url}"\n')
        scene.score([(b"visit-1", value, ())])
        _, own = scene.asked(capsys, "visit-1")
        fields = {**own["prediction"]["fields"], "approved": True}
        forged = io.BytesIO(b"\0" + other_id.to_bytes(4, "big"))
        forged.seek(5)
        fastavro.schemaless_writer(forged, fastavro.parse_schema(schema), fields)
        scene.send(scene.topics[1], b"visit-1", forged.getvalue())

        code, found = scene.asked(capsys, "visit-1")

    [claim] = [each for each in found["claims"] if each["claim"] == "prediction"]
    assert (1, "differs") == (code, claim["standing"]), claim
    assert told in claim["found"]


def test_schemas_that_the_registry_lost_leave_the_event_unproven_and_the_prediction_readable(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With them all is proven; without, a prediction is read with the schema of the version that it names itself."""
    memory = Memory()
    event_id = memory.register("lost.in-value", visits.SCHEMA)
    memory.register("lost.out-value", (package / "versions/1/prediction.avsc").read_text())
    value = b"\0" + event_id.to_bytes(4, "big") + visits.framed(visits.visit(1))[10:]
    with served(memory) as url, closing(EmbeddedBroker()) as broker:
        scene = made(broker, tmp_path, package, "lost", f'[schema_registry]\nurl = "{url}"\n')
        scene.score([(b"visit-1", value, ())])

        code, found = scene.asked(capsys, "visit-1")
        assert (0, "the registry", "the registry") == (
            code,
            found["event"]["schema"]["found_by"],
            found["prediction"]["schema"]["found_by"],
        )

        memory.subjects.clear()
        code, found = scene.asked(capsys, "visit-1")

    standings = {each["claim"]: each["standing"] for each in found["claims"]}
    assert (1, "proven", "unproven", "proven", "unproven") == (
        code,
        *(standings[claim] for claim in ("prediction", "event", "package", "answer")),
    )
    assert "prediction.avsc of visits@1" == found["prediction"]["schema"]["found_by"]
    assert "the registry has no schema of id" in str(found["claims"])
    assert value.hex() == found["event"]["value_hex"]
