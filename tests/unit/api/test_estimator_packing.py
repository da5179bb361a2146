"""`stream.pack`: what the command does, from memory, with its refusals."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

import stream
from stream.cli.pack import pack as pack_command
from stream.store import SigningKey
from tests.acceptance import visits


@pytest.fixture
def sample() -> pd.DataFrame:
    """Forty visits."""
    return pd.DataFrame([visits.visit(n) for n in range(40)])


def test_every_option_of_the_command_is_an_argument() -> None:
    """But `--json`, which prints; MODEL is the estimator, metrics are Python's own."""
    options = {str(option.name) for option in pack_command.params} - {"json_out", "model"}

    assert options | {"estimator", "metrics"} == set(inspect.signature(stream.pack).parameters)


SAMPLES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "frame": lambda frame, _: frame,
    "arrow": lambda frame, _: pa.Table.from_pandas(frame, preserve_index=False),
    "polars": lambda frame, _: pl.from_pandas(frame),
    "dicts": lambda frame, _: [visits.visit(n) for n in range(40)],
    "file": lambda frame, folder: (frame.to_parquet(folder / "rows.parquet"), folder / "rows.parquet")[1],
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_sample_of_any_kind_is_packed(kind: str, sample: pd.DataFrame, tmp_path: Path) -> None:
    """The model that comes back answers as the estimator does, and says what was chosen."""
    given = SAMPLES[kind](sample, tmp_path)
    model = stream.pack(visits.estimator(), name="visits", sample=given, carry="id", out=tmp_path / "m")
    own = visits.estimator().predict(sample[["channel", "pages", "seconds"]]).tolist()

    assert own == model.predict(sample)["label"].tolist()
    assert ("id",) == model.manifest.carry
    assert any("golden rows (from the sample)" in message for message in model.messages)
    assert (tmp_path / "m" / "versions" / "1") == model.path


@pytest.mark.parametrize("kind", ["text", "dict", "file"])
def test_schema_of_any_kind_is_taken(kind: str, tmp_path: Path) -> None:
    """A text, a dict, or a file's path."""
    (tmp_path / "visit.avsc").write_text(visits.SCHEMA)
    schema: Any = {
        "text": visits.SCHEMA, "dict": json.loads(visits.SCHEMA), "file": tmp_path / "visit.avsc"
    }[kind]  # fmt: skip
    model = stream.pack(
        visits.estimator(), name="visits", schema=schema, out=tmp_path / "m", metrics={"auc": 0.5}
    )

    assert {"auc": 0.5} == model.manifest.metrics
    assert ["channel", "pages", "seconds"] == [feature.path for feature in model.manifest.features]


def test_estimators_file_is_packed_as_by_the_command(sample: pd.DataFrame, tmp_path: Path) -> None:
    """Its bytes go into the package unchanged."""
    joblib.dump(visits.estimator(), tmp_path / "m.joblib")
    model = stream.pack(tmp_path / "m.joblib", name="visits", sample=sample, out=tmp_path / "m")

    assert (tmp_path / "m.joblib").read_bytes() == (model.path / "model.joblib").read_bytes()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, stream.PackageError, "neither a schema nor a sample"),
        ({"sample": 5}, stream.InputError, "sample: expected a frame"),
        ({"sample": "no.csv"}, stream.SampleError, "no.csv"),
        ({"schema": "no.avsc"}, stream.SchemaError, "no.avsc: can't be read"),
        ({"schema": visits.SCHEMA, "carry": ["nothing"]}, stream.PackageError, "nothing"),
        ({"schema": visits.SCHEMA, "sign": "no.pem"}, stream.SettingsError, "no.pem: can't be read"),
        ({"schema": visits.SCHEMA, "name": "a b"}, stream.PackageError, "'a b'"),
    ],
    ids=["nothing", "number", "no file", "no schema", "carry", "no key", "name"],
)
def test_what_does_not_fit_is_refused(
    options: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    """With the place; nothing was written."""
    with pytest.raises(error, match=message):
        stream.pack(visits.estimator(), out=tmp_path / "m", **{"name": "visits", **options})

    assert not (tmp_path / "m").exists()


def test_signed_version_opens_for_those_who_trust_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the key as text or file, alone or among others; anybody else's is refused, and so is an unsigned one."""
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(locked)
    public = SigningKey.read(plain, "key").public.pem
    foreign = SigningKey(other.private_bytes_raw()).public.pem
    (tmp_path / "key.pub.pem").write_text(public)
    schema = visits.SCHEMA

    with pytest.raises(stream.SettingsError, match="the key is encrypted"):
        stream.pack(
            visits.estimator(), name="v", schema=schema, out=tmp_path / "v", sign=tmp_path / "key.pem"
        )
    monkeypatch.setenv("STREAM_SIGN_PASSWORD", "secret")
    stream.pack(visits.estimator(), name="v", schema=schema, out=tmp_path / "v", sign=tmp_path / "key.pem")
    stream.pack(visits.estimator(), name="u", schema=schema, out=tmp_path / "u")

    for trust in (public, tmp_path / "key.pub.pem", [foreign, public]):
        assert "v" == stream.load(tmp_path / "v", trust=trust).name
    for folder, trust in (("v", foreign), ("u", public)):
        with pytest.raises(stream.PackageError, match="step signature"):
            stream.load(tmp_path / folder, trust=trust)
    with pytest.raises(stream.SettingsError, match="no key is given"):
        stream.load(tmp_path / "v", trust=[])
    with pytest.raises(stream.SettingsError, match="no.pem: can't be read"):
        stream.load(tmp_path / "v", trust="no.pem")
