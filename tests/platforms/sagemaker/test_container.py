"""An export as SageMaker runs it: `serve` and `train`, its folders, its variables, its SDK's serializers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from stream.export import EXPORTERS
from stream.settings import Settings
from stream.store import Package
from tests.platforms.sagemaker.account import IMAGE, ROLE
from tests.platforms.sagemaker.container import Container, serving, transformed, unpack
from tests.unit.training.recipes import write_recipe

pytestmark = pytest.mark.platform

ROWS: list[list[Any]] = [
    ["UA", "EWR", "ORD", 719.0, 40.0, 4, 17, None, None, None, None, None, None],
    ["B6", "JFK", "MCO", 944.0, -3.0, 2, 6, 10.5, None, None, None, None, None],
]


SCORES: dict[str, Callable[[Any], list[float]]] = {
    "CSVDeserializer": lambda answer: [float(row[1]) for row in answer],
    "JSONDeserializer": lambda answer: [row["score"] for row in answer["predictions"]],
    "JSONLinesDeserializer": lambda answer: [row["score"] for row in answer],
    "NumpyDeserializer": lambda answer: [row[1] for row in answer],
    "PandasDeserializer": lambda answer: [row["score"] for row in answer],
}
"""By deserializer, the scores of what it reads."""


@pytest.fixture(scope="module")
def exported(flights: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the demo's package."""
    folder = tmp_path_factory.mktemp("export")
    options = {"image": IMAGE, "role": ROLE, "s3": "s3://acme/x"}
    EXPORTERS["sagemaker"].export(flights, Settings(), options, folder)
    return folder


@pytest.fixture(scope="module")
def container(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """It, served."""
    ml = tmp_path_factory.mktemp("ml")
    with serving(ml, unpack(exported, ml / "model")) as container:
        yield container


def test_sdk_reads_the_same_answers_from_every_format(
    container: Container, python: Path, tmp_path: Path
) -> None:
    """Four serializers times five deserializers; the label and the score are those of JSON."""
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    script = Path(__file__).with_name("sdk_calls.py")
    command: list[str | Path] = [python, script, container.url, tmp_path / "rows.json"]
    environ = {**os.environ, "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
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
    assert httpx.codes.OK == httpx.get(f"{container.url}/ping", timeout=2).status_code


def test_sigterm_ends_it_in_time(exported: Path, tmp_path: Path) -> None:
    """With exit 0, before SIGKILL."""
    with serving(tmp_path, unpack(exported, tmp_path / "model")) as container:
        assert 0 == container.stop()


def test_model_that_is_damaged_does_not_serve(exported: Path, tmp_path: Path) -> None:
    """The container ends with what is wrong in its log; an update is rolled back then."""
    variables = unpack(exported, tmp_path / "model")
    golden = tmp_path / "model" / "versions" / "1" / "golden.avro"
    golden.chmod(0o644)
    golden.write_bytes(golden.read_bytes()[:-1] + b"\0")

    with pytest.raises(AssertionError, match="sha256"), serving(tmp_path, variables):
        pass


def test_multi_model_container_serves_what_it_is_asked_to_load(exported: Path, tmp_path: Path) -> None:
    """Archives below /opt/ml/models; loads at the same time; without memory for more, 507, and it lives on."""
    names = [f"m{i}" for i in range(3)]
    variables = {
        unpack(exported, tmp_path / "models" / name / "model")["STREAM_MODEL__RELOAD"] for name in names
    }
    environ = {"SAGEMAKER_MULTI_MODEL": "true", "STREAM_SERVE__MODELS_BYTES": "64MiB"}
    with serving(tmp_path, environ) as container:

        def load(name: str) -> int:
            order = {"model_name": name, "url": str(tmp_path / "models" / name / "model")}
            return httpx.post(f"{container.url}/models", json=order, timeout=60).status_code

        with ThreadPoolExecutor(3) as pool:
            codes = list(pool.map(load, names))
        asked = [
            httpx.post(
                f"{container.url}/models/{name}/invoke",
                content="UA,EWR,ORD,719,40,4,17,,,,,,",
                headers={"content-type": "text/csv", "accept": "text/csv"},
                timeout=30,
            )
            for name in names
        ]
        unloaded = httpx.delete(f"{container.url}/models/m0", timeout=30)
        listed = httpx.get(f"{container.url}/models", timeout=2).json()["models"]
        code = container.stop()

    assert {"off"} == variables
    assert [200, 200, 200] == codes
    assert 1 == len({one.text for one in asked})
    assert (200, ["m1", "m2"]) == (unloaded.status_code, sorted(one["modelName"] for one in listed))
    assert 0 == code


Job = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Runs `train` as SageMaker does."""

    def run(**hyperparameters: str) -> subprocess.CompletedProcess[str]:
        config = tmp_path / "input" / "config"
        config.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        (config / "resourceconfig.json").write_text('{"current_host": "algo-1", "hosts": ["algo-1"]}')
        (tmp_path / "model").mkdir()
        environ = {
            **os.environ,
            "SAGEMAKER_BASE_DIR": str(tmp_path),
            "PYTHONPATH": str(Path(__file__).parents[3]),
        }
        command = [sys.executable, "-m", "stream", "train"]
        return subprocess.run(command, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)

    return run


def test_training_job_leaves_a_model_that_serves(job: Job, tmp_path: Path) -> None:
    """What SageMaker packs of /opt/ml/model is what an endpoint opens."""
    done = job(recipe=str(write_recipe(tmp_path)), card="false", sagemaker_region='"eu-west-1"')

    assert 0 == done.returncode, done.stderr
    assert not (tmp_path / "output" / "failure").exists()
    with serving(tmp_path) as container:
        answer = container.ask("0.9,red\n0.1,blue").text.splitlines()
    assert ["true", "false"] == [line.partition(",")[0] for line in answer]


def test_training_job_that_fails_says_why(job: Job, tmp_path: Path) -> None:
    """In the file that SageMaker shows as FailureReason; the exit code is not 0."""
    done = job(recipe="nowhere.py")

    assert 0 != done.returncode
    assert "nowhere.py" in (tmp_path / "output" / "failure").read_text("utf-8")
