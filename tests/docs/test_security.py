"""The pages' TLS, SASL and systemd blocks: they reach a real broker, and systemd takes them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.reference.__main__ import DOCS
from stream.configuration import load_settings
from stream.rights import rights_of
from stream.transport import Cluster
from tests.docs.session import Block, blocks, replaced
from tests.kafka.secured import SecuredBroker


def _block(page: str, word: str) -> Block:
    [found] = [block for block in blocks(DOCS / page) if word in block.text]
    return found


def _load(block: Block, replacements: dict[str, str], environ: dict[str, str] | None = None) -> Cluster:
    """A client as the block configures it, which must be let in."""
    Path("stream.toml").write_text(replaced(block.text, replacements))
    settings = load_settings(Path("stream.toml"), environ or {})
    return Cluster(settings.kafka, rights_of("status", settings))


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.fault
def test_password_block_reaches_a_broker(
    secured: SecuredBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's SASL block with this broker's address gets in, by the password in the file."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(secured.authority.ca, "ca.pem")
    Path("secret").write_text(secured.user("scorer")["sasl.password"] + "\n")
    block = _block("security.md", 'SCRAM-SHA-512"\n')
    cluster = _load(
        block,
        {"broker-1:9093,broker-2:9093": secured.bootstrap, "/run/secrets/kafka": str(tmp_path / "secret")},
    )
    with pytest.raises(Exception, match="grant Describe on topic flights.features to User:scorer"):
        cluster.partitions()

    secured.grant("scorer", cluster.rights)

    assert {} == cluster.partitions()


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.fault
def test_certificate_block_reaches_a_broker(
    secured: SecuredBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's block of mutual TLS gets in, with a sealed key whose password is in the environment."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(secured.authority.ca, "ca.pem")
    for made in secured.authority.issue("scorer-1", b"sealed"):
        shutil.copy(made, made.name)
    cluster = _load(
        _block("security.md", "ssl.key.password"),
        {"broker-1:9094,broker-2:9094": secured.by_certificate},
        {"SCORER_KEY_PASSWORD": "sealed"},
    )
    secured.grant("CN=scorer-1", cluster.rights)

    assert {} == cluster.partitions()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_unit_is_taken_by_systemd(tmp_path: Path) -> None:
    """The page's unit has no key that systemd does not know, in no wrong table, with no wrong value."""
    here = {
        "/srv/scorer/.venv/bin/stream": sys.executable,
        "/srv/scorer": str(tmp_path),
        "User=scorer": "User=root",
    }
    unit = tmp_path / "scorer.service"
    unit.write_text(replaced(_block("operations.md", "[Service]").text, here))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stdout + done.stderr)
