"""The package: signature, opening and libraries."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stream.doctor import Case
from stream.doctor.model_checks import libraries, model, signature
from stream.settings import ModelSettings
from stream.store import SigningKey
from tests.unit.doctor.examined import case_of, settings
from tests.unit.store.signed import OURS, THEIRS, packed


def case_with(folder: Path, seconds: float = 60.0, **keys: Any) -> Case:
    """A case with this package."""
    chosen = ModelSettings(uri=str(folder), **keys)
    return case_of(replace(settings(), model=chosen), seconds=seconds)


PEM = OURS.public.pem


@pytest.mark.parametrize(
    ("signer", "keys", "expected"),
    [
        (None, {}, "ok"),
        (OURS, {"trusted_keys": (PEM,)}, "ok"),
        (None, {"trusted_keys": (PEM,)}, "warn"),
        (None, {"trusted_keys": (PEM,), "require_signature": True}, "fail"),
        (THEIRS, {"trusted_keys": (PEM,)}, "fail"),
    ],
    ids=["no key is trusted", "signed", "missing", "missing and required", "of somebody else"],
)
def test_signature(tmp_path: Path, signer: SigningKey | None, keys: dict[str, Any], expected: str) -> None:
    """What is missing is told; what is wrong or required is refused, as by a worker."""
    packed(tmp_path / "m", signer)

    line = signature(case_with(tmp_path / "m", **keys))

    assert (expected, expected == "ok") == (line.state, not line.next_step)


def test_package_that_is_not_there(tmp_path: Path) -> None:
    """By the key that names it."""
    line = signature(case_with(tmp_path / "none"))

    assert "fail" == line.state
    assert f"[model] uri {tmp_path / 'none'}" == line.looked_at


def test_package_that_opens(tmp_path: Path) -> None:
    """In a child process."""
    packed(tmp_path / "m")
    case = case_with(tmp_path / "m")
    signature(case)

    with case.opening:
        assert "ok" == model(case).state


def test_package_that_a_step_refuses(tmp_path: Path) -> None:
    """The step is named."""
    version = packed(tmp_path / "m").path
    case = case_with(tmp_path / "m")
    signature(case)
    (version / "model.joblib").write_bytes(b"other")

    with case.opening:
        line = model(case)

    assert "fail" == line.state
    assert "model.joblib" in line.found


def test_package_that_takes_longer_than_there_is(tmp_path: Path) -> None:
    """That is no refusal."""
    packed(tmp_path / "m")
    case = case_with(tmp_path / "m", seconds=0.0)
    signature(case)

    with case.opening:
        line = model(case)

    assert "warn" == line.state
    assert "stream models verify" in line.next_step


def test_other_libraries_are_named(tmp_path: Path) -> None:
    """With the version then and now."""
    version = packed(tmp_path / "m").path
    document = json.loads((version / "manifest.json").read_text())
    document["libraries"]["pandas"] = "1.2.3"
    (version / "manifest.json").write_text(json.dumps(document))
    case = case_with(tmp_path / "m")
    signature(case)

    line = libraries(case)

    assert "warn" == line.state
    assert "packed with pandas 1.2.3" in line.found


def test_same_libraries_are_ok(tmp_path: Path) -> None:
    """Those that count are listed."""
    packed(tmp_path / "m")
    case = case_with(tmp_path / "m")
    signature(case)

    assert ("ok", True) == ((line := libraries(case)).state, "confluent-kafka" in line.found)
