"""An export as SageMaker serves it: its folders, its variables, its SDK's serializers, batch transform."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.damage import damage
from tests.platforms.sagemaker.container import Container, serving, transformed, unpack
from tests.platforms.sagemaker.grounds import Ground

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]

ROWS: list[list[Any]] = [
    ["UA", "EWR", "ORD", 719.0, 40.0, 4, 17, None, None, None, None, None, None],
    ["B6", "JFK", "MCO", 944.0, -3.0, 2, 6, 10.5, None, None, None, None, None],
]


AWS = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}

SCORES: dict[str, Callable[[Any], list[float]]] = {
    "CSVDeserializer": lambda answer: [float(row[1]) for row in answer],
    "JSONDeserializer": lambda answer: [row["score"] for row in answer["predictions"]],
    "JSONLinesDeserializer": lambda answer: [row["score"] for row in answer],
    "NumpyDeserializer": lambda answer: [row[1] for row in answer],
    "PandasDeserializer": lambda answer: [row["score"] for row in answer],
}
"""By deserializer, the scores of what it reads."""


@pytest.fixture(scope="module")
def container(
    ground: Ground, exported: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    """It, served."""
    ml = tmp_path_factory.mktemp("ml")
    with serving(ground, ml, unpack(exported, ml / "model")) as container:
        yield container


def test_sdk_reads_the_same_answers_from_every_format(
    container: Container, python: Path, tmp_path: Path
) -> None:
    """Four serializers times five deserializers; the label and the score are those of JSON."""
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    script = Path(__file__).with_name("sdk_calls.py")
    command: list[str | Path] = [python, script, container.url, tmp_path / "rows.json"]
    environ = {**os.environ, **AWS, "NO_PROXY": "*"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    expected = found["JSONSerializer JSONDeserializer"]["predictions"]
    assert 20 == len(found)
    for name, answer in found.items():
        scores = SCORES[name.split()[1]](answer)
        assert pytest.approx([one["score"] for one in expected], abs=1e-12) == scores, name


def test_batch_transform_joins_each_row_with_its_answer(container: Container) -> None:
    """As many lines as rows, whatever the payloads; the answers are those of one request."""
    lines = [",".join("" if value is None else str(value) for value in row) for row in ROWS * 300]

    joined = transformed(container, "\n".join(lines) + "\n", "text/csv").splitlines()
    once = container.ask("\n".join(lines)).text.splitlines()

    assert [f"{row},{answer}" for row, answer in zip(lines, once, strict=True)] == joined


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status"),
    [
        ("UA,EWR\n", "text/csv", "text/csv", 422),
        ("{", "application/json", "*/*", 422),
        ("x", "image/png", "*/*", 415),
        ("x", "text/csv", "image/png", 406),
        (b"1," * (13 * 2**20), "text/csv", "text/csv", 413),
    ],
)
def test_fault_of_the_request_is_a_4xx(
    container: Container, body: bytes | str, kind: str, accept: str, status: int
) -> None:
    """SageMaker counts it as the client's (Invocation4XXErrors), and does not replace the container."""
    assert status == container.ask(body, kind, accept).status_code
    assert container.pings()


def test_sigterm_ends_it_in_time(ground: Ground, exported: Path, tmp_path: Path) -> None:
    """With exit 0, before SIGKILL."""
    with serving(ground, tmp_path, unpack(exported, tmp_path / "model")) as container:
        assert 0 == container.stop()


def test_model_that_is_damaged_does_not_serve(ground: Ground, exported: Path, tmp_path: Path) -> None:
    """The container ends with what is wrong in its log; an update is rolled back then."""
    variables = unpack(exported, tmp_path / "model")
    golden = tmp_path / "model" / "versions" / "1" / "golden.avro"
    golden.chmod(0o644)
    damage(golden)

    with pytest.raises(AssertionError, match="sha256"), serving(ground, tmp_path, variables):
        pass
