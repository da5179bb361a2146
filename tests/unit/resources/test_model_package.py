"""[model] of a configuration: whose packages are opened."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.configuration import load_settings
from stream.errors import PackageError, SettingsError
from stream.first_opening import Asked, FirstOpening
from stream.resources import log_origin, open_behind_child, open_configured, package_schema, trust_of
from stream.settings import ModelSettings, Settings
from stream.store import PublicKey, SigningKey, Trust, open_package
from tests.unit.store.signed import OURS, THEIRS, packed


def _trust(folder: Path, text: str, **environ: str) -> Trust:
    (folder / "stream.toml").write_text(f"[model]\n{text}\n")
    (folder / "theirs.pub.pem").write_text(THEIRS.public.pem)
    return trust_of(load_settings(folder / "stream.toml", environ).model)


def test_nothing_is_trusted_or_required_by_default() -> None:
    """The documented defaults."""
    assert Trust((), False, ()) == trust_of(ModelSettings())


def test_keys_as_text_file_and_variable(tmp_path: Path) -> None:
    """In the order given; files relative to the configuration's folder."""
    text = f'''trusted_keys = ["""{OURS.public.pem}""", {{ file = "theirs.pub.pem" }}, {{ env = "KEY" }}]
require_signature = true
trusted_types = ["mine.Model"]'''

    found = _trust(tmp_path, text, KEY=OURS.public.pem)

    assert Trust((OURS.public, THEIRS.public, OURS.public), True, ("mine.Model",)) == found


def test_keys_from_the_environment_are_a_json_list(tmp_path: Path) -> None:
    """As tables are JSON there."""
    keys = json.dumps([OURS.public.pem, {"file": "theirs.pub.pem"}])

    found = _trust(tmp_path, "", STREAM_MODEL__TRUSTED_KEYS=keys, STREAM_MODEL__REQUIRE_SIGNATURE="true")

    assert Trust((OURS.public, THEIRS.public), True) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("require_signature = true", r"\[model\] require_signature: is true, but trusted_keys is empty"),
        ('trusted_keys = ["rubbish"]', r"\[model\] trusted_keys\[0\]: expected an ed25519 public key"),
        ('trusted_keys = [{ file = "gone.pem" }]', r"trusted_keys\[0\]: secret file gone.pem can't be read"),
        ('trusted_keys = "-----BEGIN PUBLIC KEY-----"', "trusted_keys: expected a list, found a text"),
        ("trusted_keys = [3]", "model.trusted_keys: expected"),
        ("trusted_types = { a = 1 }", "trusted_types: expected a list"),
    ],
)
def test_what_can_not_be_used_is_refused_by_key(tmp_path: Path, text: str, message: str) -> None:
    """With the place in the list."""
    with pytest.raises(SettingsError, match=message):
        _trust(tmp_path, text)


def test_list_in_the_environment_that_is_not_json_is_refused(tmp_path: Path) -> None:
    """The variable is named."""
    with pytest.raises(SettingsError, match="STREAM_MODEL__TRUSTED_KEYS: expected a JSON list"):
        _trust(tmp_path, "", STREAM_MODEL__TRUSTED_KEYS="[x")


def test_worker_opens_what_its_configuration_trusts(tmp_path: Path) -> None:
    """A trusted key opens the package, another one does not."""
    packed(tmp_path / "m", OURS)
    (tmp_path / "ours.pub.pem").write_text(OURS.public.pem)
    (tmp_path / "theirs.pub.pem").write_text(THEIRS.public.pem)
    path = tmp_path / "stream.toml"
    path.write_text(
        '[model]\nuri = "m"\nrequire_signature = true\ntrusted_keys = [{ file = "ours.pub.pem" }]\n'
    )

    assert OURS.public == open_configured(load_settings(path, {})).signer

    path.write_text(path.read_text().replace("ours.pub", "theirs.pub"))
    with pytest.raises(PackageError) as caught:
        open_configured(load_settings(path, {}))
    assert "signature" == caught.value.step


@pytest.mark.parametrize(("key", "step"), [(OURS, "hash"), (THEIRS, "signature")])
def test_schema_read_without_the_model_must_be_the_one_that_was_signed(
    tmp_path: Path, key: SigningKey, step: str
) -> None:
    """What `topics --create` registers and `produce` writes is as trusted as what the worker opens."""
    path = packed(tmp_path / "m", OURS).path / "prediction.avsc"
    settings = Settings(model=ModelSettings(str(tmp_path / "m"), trusted_keys=(OURS.public.pem,)))
    assert "label" in package_schema(settings, "prediction.avsc").fields

    path.write_bytes(path.read_bytes().replace(b"label", b"lable"))
    settings = Settings(model=ModelSettings(str(tmp_path / "m"), trusted_keys=(key.public.pem,)))
    with pytest.raises(PackageError) as caught:
        package_schema(settings, "prediction.avsc")

    assert step == caught.value.step


@pytest.mark.parametrize(
    ("signer", "keys", "said"),
    [
        (None, (), "the package's hashes prove its integrity, not its origin"),
        (OURS, (), "the package's hashes prove its integrity, not its origin"),
        (OURS, (OURS.public,), f"m@1 is signed by {OURS.public.fingerprint}"),
        (None, (OURS.public,), "none of the trusted keys vouches for where it is from"),
    ],
)
def test_log_says_who_vouches_for_the_model(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    signer: SigningKey | None,
    keys: tuple[PublicKey, ...],
    said: str,
) -> None:
    """That hashes prove integrity only is said where no key is trusted, and only there."""
    packed(tmp_path / "m", signer)
    opened = open_package(tmp_path / "m", trust=Trust(keys))
    caplog.set_level(logging.INFO)

    log_origin(opened, ModelSettings(trusted_keys=tuple(key.pem for key in keys)))

    answers = "m@1: few rows at a time are answered by sklearn, as is asked for"
    assert [answers] == [message for message in caplog.messages if said not in message]
    assert 2 == len(caplog.messages)


class GraphEndsIt(FirstOpening):
    """A child that ends while it asks the compiled graph, and opens the version well without."""

    def check(
        self, asked: Asked, opener: Callable[[bytes, int], object], witness: Callable[[str, str], None]
    ) -> None:
        """See `FirstOpening.check`."""
        if asked.engine == "auto":
            raise PackageError("the process that opened it first ended with SIGSEGV", step="engine")


def test_graph_that_ends_the_child_is_not_used(tmp_path: Path) -> None:
    """The version serves all the same, by the estimator itself."""
    packed(tmp_path / "m")
    seen: dict[str, str] = {}

    package = open_behind_child(ModelSettings(), tmp_path / "m", GraphEndsIt(), witness=seen.__setitem__)

    said = "sklearn (with its compiled graph, the process that opened it first ended with SIGSEGV)"
    assert (said, said) == (package.engine, seen["engine"])
    assert "compiled" not in [trial.way.name for trial in package.model.ways]
