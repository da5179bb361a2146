"""What each target is held to: run as it would be in production, killed, started again, counted from outside."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fastavro
import pyarrow.parquet as pq

from tests.docker.compose import ROOT, services
from tests.docker.topic_contents import count, read
from tests.image.built import Built, hand_over, hold
from tests.image.running import Container
from tests.kafka.broker import Broker
from tests.kafka.process import free_ports, wait_for

__all__ = ["PROOFS", "held_to_all", "serving"]

EVENTS = 20_000
_RATE = 1_000  # events still come when the worker, on a busy machine, has started and is killed
_START_S = 120
_LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "skops",
    "joblib",
    "fastavro",
    "confluent-kafka",
)


def held_to_all(built: Built) -> None:
    """What is true of every target: its user, its read-only root, versions, golden rows, bill of materials."""
    probe = (
        "import json, os, importlib.metadata as m\n"
        "def writes(folder):\n"
        "    try: open(folder + '/probe', 'w').close()\n"
        "    except OSError: return False\n"
        "    return True\n"
        f"print(json.dumps({{'user': os.getuid(), 'group': os.getgid(), 'pid': os.getpid(),"
        " 'writes': [f for f in ('/', '/app', '/opt/stream', '/etc', '/tmp') if writes(f)],"
        f" 'versions': {{n: m.version(n) for n in {_LIBRARIES}}}}}))"
    )
    found = json.loads(built.done("python", "-c", probe))
    hold((10001, 10001, 1) == (found["user"], found["group"], found["pid"]), f"user, group, PID: {found}")
    hold(["/tmp"] == found["writes"], f"can write to {found['writes']}")
    here = {each: version(each) for each in _LIBRARIES}
    hold(here == found["versions"], f"versions of the image and of the tests: {found['versions']}, {here}")
    bill = json.loads((built.root / "opt/stream/share/sbom/prediction-stream.cdx.json").read_text("utf-8"))
    listed = {each["name"]: each["version"] for each in bill["components"]}
    hold(here.items() <= listed.items(), f"the bill of materials has {listed}")
    print(f"  user 10001, PID 1, read-only root, bill of {len(listed)} libraries, the tests' versions")
    model = dict(each.split("=", 1) for each in built.config["Env"]).get(
        "STREAM_MODEL__URI", "models/flights"
    )
    said = built.done("stream", "models", "verify", model)
    print(f"  {next(line for line in said.splitlines() if 'golden' in line)}")


def _worker(built: Built) -> None:
    """Killed in the middle of a stream on a real Kafka: after a second start every event is predicted once."""
    with Broker() as broker:
        port, *_ = free_ports(1)
        given = services()["worker-1"].environment | {
            "STREAM_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap,
            "STREAM_WEB__PORT": str(port),
            "STREAM_WEB__HOST": "127.0.0.1",
        }
        del given["STREAM_SCHEMA_REGISTRY__URL"]
        with built.runs(["stream", "topics", "--create"], given) as topics:
            hold(topics.ends() == 0, topics.said())
        script = (
            f"python -m stream.demo.export /tmp/flights.parquet --events {EVENTS} && "
            f"exec stream produce /tmp/flights.parquet --key flight_id --rate {_RATE}"
        )
        with built.runs(["sh", "-ec", script], given) as producer:
            with built.runs(None, given) as worker:

                def done() -> int:
                    return count(broker.bootstrap, "flights.predictions")

                wait_for(lambda: _alive(worker) and done() > EVENTS / 20, _START_S, "the first predictions")
                worker.send("KILL")
                code = worker.ends()
                hold(code != 0, f"killed, exit code {code}\n{worker.said()}")
            before = done()
            hold(before < EVENTS, "it was killed after the last event: nothing was proven")
            with built.runs(None, given) as worker:
                began = time.monotonic()
                wait_for(
                    lambda: _alive(worker) and done() > before, _START_S, "predictions after the second start"
                )
                print(
                    f"  killed after {before}, predicting again {time.monotonic() - began:.1f} s after its start"
                )
                hold(producer.ends() == 0, producer.said())
                wait_for(lambda: done() >= EVENTS, _START_S, "all predictions")
                _healthy(built, given)
                worker.send("TERM")
                hold((code := worker.ends(15)) == 0, f"SIGTERM to PID 1: exit code {code}\n{worker.said()}")
        values = read(broker.bootstrap, "flights.predictions", EVENTS + 1)
        schema = json.loads((ROOT / "schemas/prediction.avsc").read_text("utf-8"))
        seen = [_decoded(each[10:], schema) for each in values]
        events = {(each["source_partition"], each["source_offset"]) for each in seen}
        letters = count(broker.bootstrap, "flights.deadletters")
    print(
        f"  {EVENTS} events, {len(seen)} predictions, {len(events)} of different events, {letters} dead letters"
    )
    hold((EVENTS, EVENTS, 0) == (len(seen), len(events), letters), "lost or doubled")


def _decoded(value: bytes, schema: dict[str, Any]) -> dict[str, Any]:
    found = fastavro.schemaless_reader(io.BytesIO(value), schema, None)
    assert isinstance(found, dict)
    return found


def _alive(container: Container) -> bool:
    hold(container.is_running(), f"it ended:\n{container.said()}")
    return True


def _healthy(built: Built, given: Mapping[str, str]) -> None:
    """The image's own check, as an engine runs it."""
    with built.runs(built.config["Healthcheck"]["Test"][1:], given) as check:
        hold(check.ends() == 0, f"HEALTHCHECK: {check.said()}")
    print("  HEALTHCHECK passes")


def _serve(built: Built, model: Path | None = None) -> None:
    """As SageMaker starts it: `serve`, the model in /opt/ml/model; killed, started again, told to end."""
    ports = free_ports(3)
    with built.runs(None, {"STREAM_SERVE__PORT": str(ports[2])}) as server:
        wait_for(lambda: _alive(server) and _ping(ports[2]), _START_S, "/ping of the model in the image")
    with tempfile.TemporaryDirectory() as folder:
        mounted = Path(folder) / "model"
        shutil.copytree(model or ROOT / "models/flights", mounted)
        hand_over(Path(folder))
        for end, clean, port in (("KILL", False, ports[0]), ("TERM", True, ports[1])):
            given = {"SAGEMAKER_BIND_TO_PORT": str(port)}
            began = time.monotonic()
            with built.runs(
                [*built.config["Entrypoint"], "serve"], given, {mounted: "/opt/ml/model"}
            ) as server:
                wait_for(partial(_answers, server, port), _START_S, "/ping")
                print(f"  serve answers /ping {time.monotonic() - began:.1f} s after its start")
                _healthy(built, given)
                server.send(end)
                found = server.ends(60)
                hold(clean == (found == 0), f"SIG{end}: exit code {found}\n{server.said()}")


def _answers(server: Container, port: int) -> bool:
    return _alive(server) and _ping(port)


def _ping(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _batch(built: Built) -> None:
    """Killed in the middle and started again: one run, every row in it once; SQL finds them."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        hand_over(data)
        volumes = {data: "/data"}
        built.done(
            "python", "-m", "stream.demo.export", "/data/in.parquet", "--events", "60000", volumes=volumes
        )
        command = ["stream", "batch", "/data/in.parquet", "--output", "/data/out"]
        with built.runs(command, volumes=volumes) as killed:
            wait_for(lambda: not killed.is_running() or (data / "out").exists(), _START_S, "the run's folder")
            hold(killed.is_running(), f"it ended before it was killed\n{killed.said()}")
            killed.send("KILL")
            hold(killed.ends() != 0, killed.said())
        built.done(*command, volumes=volumes)
        [run] = (data / "out").glob("run=*")
        flights = [each for part in run.glob("*.parquet") for each in _column(part, "flight_id")]
        print(
            f"  killed and run again: 60000 rows, {len(flights)} predictions, {len(set(flights))} different"
        )
        hold(60_000 == len(flights) == len(set(flights)), "lost or doubled")
        query = "select count(*) as n, count(predict_score(f)) as predicted from '/data/in.parquet' f"
        said = built.done("stream", "sql", "--json", query, volumes=volumes)
        hold("60000" in said, said)


def _column(part: Path, name: str) -> list[object]:
    found: list[object] = pq.read_table(part, columns=[name]).column(name).to_pylist()
    return found


def _train(built: Built) -> None:
    """As SageMaker starts it: `train`, everything in /opt/ml."""
    with tempfile.TemporaryDirectory() as folder:
        ml = Path(folder)
        for each in ("input/config", "input/data/code", "model", "output"):
            (ml / each).mkdir(parents=True)
        shutil.copy(ROOT / "deploy/docker/recipe.py", ml / "input/data/code/train.py")
        asked = {"recipe": "code/train.py", "max_iter": "15"}
        (ml / "input/config/hyperparameters.json").write_text(json.dumps(asked))
        hand_over(ml)
        with built.runs(None, volumes={ml: "/opt/ml"}) as job:
            code = job.ends()
            hold(code == 0, f"train: exit code {code}\n{job.said()}")
        hold((ml / "model/current").exists(), "there is no package in /opt/ml/model")
        hold(any((ml / "model").rglob("card.html")), "there is no card")
        said = built.done("stream", "models", "verify", "/opt/ml/model", volumes={ml: "/opt/ml"})
        print(f"  trained in /opt/ml: {next(line for line in said.splitlines() if 'golden' in line)}")
        _stopped(built, ml)


def _stopped(built: Built, ml: Path) -> None:
    """A job whose spot instance is taken ends at SIGTERM, and has begun no version."""
    before, recipe = sorted((ml / "model").rglob("*")), ml / "input/data/code/train.py"
    wait = "    import time; print('loading', flush=True); time.sleep(60)\n    return load_"
    recipe.write_text(recipe.read_text("utf-8").replace("    return load_", wait))
    with built.runs(None, volumes={ml: "/opt/ml"}) as job:
        wait_for(lambda: _alive(job) and "loading" in job.said(), _START_S, "the recipe's rows")
        job.send("TERM")
        hold(job.ends(15) != 0, job.said())
    hold(before == sorted((ml / "model").rglob("*")), "a stopped training left something in /opt/ml/model")
    print("  stopped by SIGTERM: nothing more is in /opt/ml/model")


@contextmanager
def serving(built: Built, given: Mapping[str, str], port: int) -> Iterator[Container]:
    """The image's own command, once it answers."""
    with built.runs(None, given) as server:
        wait_for(partial(_answers, server, port), _START_S, "/ping")
        yield server


PROOFS: Mapping[str, Callable[[Built], None]] = {
    "worker": _worker,
    "serve": _serve,
    "batch": _batch,
    "train": _train,
}
