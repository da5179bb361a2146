"""`stream export --to docker` of a package that is nothing like the demo's, and what its images are held to."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import fastavro
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from stream.store import Package, golden_of, open_package
from tests.image.built import Built, hand_over, hold
from tests.image.proofs import serving
from tests.kafka.process import free_ports

__all__ = ["export_context", "held_to_package"]

_ROWS = 400


def export_context(folder: Path) -> Path:
    """
    Pack a model of LightGBM over texts, signed, and export it under a configuration that takes no unsigned one.

    Args:
        folder: for everything.
    Returns: the build context.
    """
    random = np.random.default_rng(7)
    text = random.choice(["red apple pie", "blue sky", "green apple", "night, it's dark"], _ROWS)
    frame = pd.DataFrame({"id": np.arange(_ROWS), "text": text, "weight": random.random(_ROWS)})
    wanted = frame["text"].str.contains("apple") & (frame["weight"] > 0.4)
    columns = ColumnTransformer([("text", TfidfVectorizer(), "text")], remainder="passthrough")
    model = make_pipeline(columns, LGBMClassifier(n_estimators=20, verbose=-1))
    joblib.dump(model.fit(frame[["text", "weight"]], wanted), folder / "fruit.joblib")
    frame.to_parquet(folder / "sample.parquet")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(private)
    (folder / "key.pub.pem").write_bytes(public)
    (folder / "stream.toml").write_text(
        '[model]\nuri = "Fruit"\nrequire_signature = true\ntrusted_keys = [{ file = "key.pub.pem" }]\n'
    )
    _stream(folder, "pack", "fruit.joblib", "--name", "Fruit.1", "--sample", "sample.parquet", "--carry", "id",
            "--sign", "key.pem", "--out", "Fruit")  # fmt: skip
    _stream(folder, "export", "--to", "docker", "--out", "context", "Fruit")
    return folder / "context"


def held_to_package(built: Built, context: Path, target: str) -> None:
    """The golden rows as a file: the same answers in the image as outside; then by REST, killed between."""
    package = open_package(context / "package")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        _write_events(package, data / "in.avro")
        for each in ("inside", "outside"):
            (data / each).mkdir()
        _stream(data, "batch", "in.avro", "--output", "outside", "--model", str(context / "package"))
        hand_over(data)
        built.done("stream", "batch", "/data/in.avro", "--output", "/data/inside", volumes={data: "/data"})
        inside, outside = (_answers(data / each) for each in ("inside", "outside"))
        hold(inside.equals(outside), f"answers of the image and outside:\n{inside}\n{outside}")
    print(f"  {package.manifest.model}: {inside.num_rows} rows of a file, the answers are those outside")
    if target == "serve":
        first, second = (_asked(built, package, end) for end in ("KILL", "TERM"))
        hold(first == second, "answers differ after a second start")
        print(f"  {len(first)} rows by REST, killed, {len(second)} again, the same answers")


def _asked(built: Built, package: Package, end: str) -> list[object]:
    """The golden rows' answers by REST, after which the server is ended."""
    [port] = free_ports(1)
    instances = golden_of(package).events
    body = json.dumps({"instances": instances}, default=str).encode()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations", body, {"content-type": "application/json"}
    )
    with serving(built, {"STREAM_SERVE__PORT": str(port)}, port) as server:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            found: list[object] = json.load(answer)["predictions"]
        server.send(end)
        code = server.ends(60)
        hold((end == "TERM") == (code == 0), f"SIG{end}: exit code {code}\n{server.said()}")
    hold(len(instances) == len(found), f"{len(instances)} rows, {len(found)} answers")
    return found


def _write_events(package: Package, path: Path) -> None:
    schema = json.loads((package.path / "features.avsc").read_bytes())
    with path.open("wb") as file:
        fastavro.writer(file, schema, golden_of(package).events)


def _answers(folder: Path) -> pa.Table:
    """What a run wrote, without what is a run's own: times and places."""
    [run] = folder.glob("run=*")
    table = pa.concat_tables(pq.read_table(part) for part in sorted(run.glob("*.parquet")))
    own = ("predicted_at", "source_", "run")
    return table.select([name for name in table.column_names if not name.startswith(own)])


def _stream(folder: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("stream")), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    hold(done.returncode == 0, f"stream {' '.join(arguments)}: {done.stderr}")
