"""`stream models`, and `stream pack --sign`, as typed."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import joblib
import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from sklearn.linear_model import LogisticRegression

from stream.cli import main
from stream.store import current_version, open_package
from tests.unit.store.signed import OURS, THEIRS, Canary, packed, replace_file, rewrite

STEPS = ["manifest", "signature", "hash", "load", "golden", "engine"]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is not signed, 2 is; copied, never changed."""
    folder = tmp_path_factory.mktemp("originals") / "m"
    packed(folder)
    packed(folder, OURS)
    return folder


@pytest.fixture
def folder(originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run: a package `m`, whose version 2 is current, its configuration and keys."""
    shutil.copytree(originals, tmp_path / "m")
    for name, key in (("ours", OURS), ("theirs", THEIRS)):
        private = Ed25519PrivateKey.from_private_bytes(key.secret)
        (tmp_path / f"{name}.pub.pem").write_text(key.public.pem)
        for file, lock in (("pem", NoEncryption()), ("locked.pem", BestAvailableEncryption(b"hush"))):
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
            (tmp_path / f"{name}.{file}").write_bytes(pem)
    (tmp_path / "stream.toml").write_text(
        '[model]\nuri = "m"\ntrusted_keys = [{ file = "ours.pub.pem" }]\nrequire_signature = true\n'
        'open_timeout = "off"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main([*map(str, arguments)])
    code = exit_.value.code
    assert isinstance(code, int)
    return code


class TestList:
    """`stream models list`."""

    def test_table_names_versions_current_and_signer(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The configuration's package, without being named."""
        assert 0 == _run("models", "list")

        rows = capsys.readouterr().out.splitlines()
        assert ["version", "current", "packed", "task", "metrics", "signed", "size"] == rows[0].split()
        assert "*" not in rows[1]
        assert "auc 0.9123, rows 20" in rows[1]
        assert "*" in rows[2]
        assert f"{OURS.public.fingerprint[:23]}…" in rows[2]

    def test_json_holds_everything(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A package by name, with the configuration's keys."""
        assert 0 == _run("models", "list", "m", "--json")

        found = json.loads(capsys.readouterr().out)
        assert [(1, False, "no", None), (2, True, "trusted", OURS.public.fingerprint)] == [
            (one["version"], one["current"], one["signed"], one["signer"]) for one in found
        ]
        assert {"auc": 0.912345, "rows": 20} == found[0]["metrics"]

    def test_broken_version_is_listed_with_its_reason_on_stderr(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It hides no other."""
        (folder / "m" / "versions" / "1" / "manifest.json").write_text("{")

        assert 0 == _run("models", "list")

        printed = capsys.readouterr()
        assert 3 == len(printed.out.splitlines())
        assert "version 1: " in printed.err

    def test_folder_without_package_exits_2(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """With the next step."""
        assert 2 == _run("models", "list", "nowhere")

        assert "stream pack" in capsys.readouterr().err


class TestShow:
    """`stream models show`."""

    def test_text_has_features_schemas_and_differences(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """All that a person asks of a version, without opening its model."""
        allowed = {"rows": 40, "different": 3, "allowed": True}
        rewrite(
            folder / "m" / "versions" / "1",
            lambda document: document.update(
                libraries=document["libraries"] | {"numpy": "1.0"}, proof=allowed
            ),
        )

        assert 0 == _run("models", "show", "m", "--version", 1)

        text = capsys.readouterr().out
        for part in (
            "m@1",
            "classifier",
            "CRC-64-AVRO",
            "metric auc",
            "0.9123",
            "packed with numpy 1.0",
            "double",
            "proof",
            "3 of 40 rows: published answers differ from the estimator's own (allowed)",
        ):
            assert part in text

    def test_json_holds_the_manifest(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The current version where none is named."""
        assert 0 == _run("models", "show", "--json")

        found = json.loads(capsys.readouterr().out)
        assert ("m", 2, "trusted") == (
            found["manifest"]["name"],
            found["manifest"]["version"],
            found["signed"],
        )
        assert {"features.avsc", "prediction.avsc"} == found["fingerprints"].keys()

    def test_model_is_not_opened(self, folder: Path) -> None:
        """Not even a malicious one."""
        replace_file(folder / "m" / "versions" / "1", "model.joblib", pickle.dumps(Canary(folder / "fired")))

        assert 0 == _run("models", "show", "m", "--version", 1)
        assert not (folder / "fired").exists()


class TestVerify:
    """`stream models verify`."""

    def test_sound_version_passes_each_step(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A line each, in order."""
        assert 0 == _run("models", "verify")

        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert [["ok", step] for step in STEPS] == [line[:2] for line in lines]
        assert OURS.public.fingerprint == lines[1][-1]

    @pytest.mark.parametrize(
        ("key", "version", "code"), [("ours", 2, 0), ("theirs", 2, 2), ("ours", 1, 2), ("theirs", 1, 2)]
    )
    def test_key_must_have_signed_it(self, folder: Path, key: str, version: int, code: int) -> None:
        """The one key that is named, whatever the configuration trusts; an unsigned package is not signed by it."""
        assert code == _run("models", "verify", "m", "--version", version, "--key", f"{key}.pub.pem")

    def test_refusal_names_the_step_and_those_not_reached(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The canary never fired."""
        replace_file(folder / "m" / "versions" / "2", "model.joblib", pickle.dumps(Canary(folder / "fired")))

        assert 2 == _run("models", "verify", "m", "--json")

        printed = capsys.readouterr()
        found = json.loads(printed.out)
        assert [
            (step, ok) for step, ok in zip(STEPS, [True, False, None, None, None, None], strict=True)
        ] == [(step["step"], step["ok"]) for step in found["steps"]]
        assert "error: step signature: " in printed.err
        assert not (folder / "fired").exists()

    def test_version_that_is_not_there_exits_2(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The first step already fails."""
        assert 2 == _run("models", "verify", "m", "--version", 9)

        assert capsys.readouterr().out.startswith("FAIL  manifest")

    def test_private_key_given_as_public_is_refused(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With the command that makes its public half."""
        assert 2 == _run("models", "verify", "--key", "ours.pem")

        assert "--key ours.pem: is a private key" in capsys.readouterr().err


class TestRollback:
    """`stream models rollback`."""

    def test_version_before_is_opened_and_made_current(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """And it says so."""
        (folder / "stream.toml").write_text('[model]\nuri = "m"\n')

        assert 0 == _run("models", "rollback")

        assert "current is version 1 now" in capsys.readouterr().out
        assert 1 == current_version(folder / "m")

    def test_version_that_is_refused_changes_nothing(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Version 1 is not signed, and the configuration wants that."""
        assert 2 == _run("models", "rollback")

        assert "not signed" in capsys.readouterr().err
        assert 2 == current_version(folder / "m")

    def test_current_version_is_left_alone(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing to do is done."""
        assert 0 == _run("models", "rollback", "m", "--to", 2, "--json")

        assert {"package": "m", "was": 2, "current": 2, "model": "m@2"} == json.loads(capsys.readouterr().out)


class TestSign:
    """`stream pack --sign`."""

    @pytest.fixture(autouse=True)
    def model(self, folder: Path) -> None:
        """An estimator and a sample."""
        frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
        joblib.dump(LogisticRegression().fit(frame, [0, 0, 1, 1]), folder / "model.joblib")
        frame.to_csv(folder / "sample.csv", index=False)

    def _pack(self, *arguments: object) -> int:
        return _run("pack", "model.joblib", "--name", "n", "--sample", "sample.csv", "--out", "n", *arguments)

    def test_version_is_signed_and_the_fingerprint_said(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The whole way: sign, then verify with the public half."""
        assert 0 == self._pack("--sign", "ours.pem", "--json")

        printed = capsys.readouterr()
        assert OURS.public.fingerprint == json.loads(printed.out)["signer"]
        assert f"signed by {OURS.public.fingerprint}" in printed.err
        assert 0 == _run("models", "verify", "n", "--key", "ours.pub.pem")

    def test_encrypted_key_takes_its_password_from_the_environment(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which is not a setting: its name has no `__`."""
        monkeypatch.setenv("STREAM_SIGN_PASSWORD", "hush")

        assert 0 == self._pack("--sign", "ours.locked.pem")
        assert (folder / "n" / "versions" / "1" / "manifest.sig").is_file()

    @pytest.mark.parametrize(
        ("key", "password", "message"),
        [
            ("ours.locked.pem", None, "put its password into STREAM_SIGN_PASSWORD"),
            ("ours.locked.pem", "loud", "does not open it"),
            ("ours.pub.pem", None, "is a public key"),
            ("sample.csv", None, "PKCS #8"),
            ("gone.pem", None, "gone.pem"),
        ],
    )
    def test_key_that_can_not_sign_is_refused_before_anything_is_written(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        key: str, password: str | None, message: str,
    ) -> None:  # fmt: skip
        """Where nobody can be asked, nobody is."""
        if password is not None:
            monkeypatch.setenv("STREAM_SIGN_PASSWORD", password)

        assert 2 == self._pack("--sign", key)

        assert message in capsys.readouterr().err
        assert not (folder / "n").exists()

    def test_packing_again_signs_the_next_version_only(self, folder: Path) -> None:
        """A version never changes once written."""
        self._pack()
        self._pack("--sign", "ours.pem")

        assert [False, True] == [
            (open_package("n", number).path / "manifest.sig").exists() for number in (1, 2)
        ]


@pytest.mark.parametrize("uri", ["models:/flights@champion", "models:/flights/3", "runs:/0123/model"])
@pytest.mark.parametrize("command", [("pack",), ("models", "push")])
def test_model_at_a_server_is_brought_here_first(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], uri: str
) -> None:
    """It is no file that is missing: the command that makes a package of it is named."""
    assert 2 == _run(*command, uri, "--name", "flights")
    assert f"`stream models pull {uri}`" in capsys.readouterr().err


def test_configured_model_at_a_server_is_not_pushed_to_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would become another version of what it is."""
    monkeypatch.setenv("STREAM_MODEL__URI", "models:/flights@champion")

    assert 2 == _run("models", "push", "--name", "flights")
    assert "is at an MLflow server already" in capsys.readouterr().err
