"""Certificates, against a real TLS server on the loopback."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stream.errors import BrokerRefused, SettingsError
from stream.registry import Connection
from stream.settings import RegistrySettings
from tests.authority import Authority
from tests.kafka.confluent import Memory, served


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Signs the server's certificate and the client's."""
    return Authority(tmp_path)


@pytest.fixture
def url(authority: Authority) -> Iterator[str]:
    """A registry that talks only to clients with a certificate of the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
    context.load_cert_chain(*authority.issue("server"))
    context.verify_mode = ssl.CERT_REQUIRED
    memory = Memory()
    memory.register("in-value", "{}")
    with served(memory, context) as address:
        yield address


def _look(settings: RegistrySettings, base: Path = Path()) -> object:
    with closing(Connection(settings, lambda path: base / path)) as line:
        return line.get("/schemas/ids/1")["schema"]


def test_mutual_tls_is_spoken(authority: Authority, url: str) -> None:
    """With the authority, a certificate and its key, or both in one file."""
    certificate, key = authority.issue("scorer")
    both = certificate.with_name("both.pem")
    both.write_bytes(certificate.read_bytes() + key.read_bytes())

    assert "{}" == _look(RegistrySettings(url=url, ca=authority.ca, certificate=certificate, key=key))
    assert "{}" == _look(RegistrySettings(url=url, ca=authority.ca, certificate=both))


def test_files_are_relative_to_the_configuration(authority: Authority, url: str) -> None:
    """As every path is."""
    certificate, key = authority.issue("scorer")
    names = [Path(each.name) for each in (authority.ca, certificate, key)]
    settings = RegistrySettings(url=url, ca=names[0], certificate=names[1], key=names[2])

    assert "{}" == _look(settings, certificate.parent)


def test_server_of_another_authority_is_refused(authority: Authority, url: str, tmp_path: Path) -> None:
    """At once, with the reason: waiting does not repair a certificate."""
    certificate, key = authority.issue("scorer")
    for ca in (None, Authority(tmp_path, "other").ca):
        with pytest.raises(BrokerRefused, match="CERTIFICATE_VERIFY_FAILED"):
            _look(RegistrySettings(url=url, ca=ca, certificate=certificate, key=key))


@pytest.mark.parametrize("known", [True, False])
def test_client_without_the_right_certificate_is_refused(
    authority: Authority, url: str, tmp_path: Path, known: bool
) -> None:
    """None, or one that another authority signed."""
    certificate, key = Authority(tmp_path, "other").issue("stranger")
    chosen = RegistrySettings(url=url, ca=authority.ca, certificate=certificate, key=key)

    with pytest.raises(BrokerRefused, match="TLS"):
        _look(chosen if known else RegistrySettings(url=url, ca=authority.ca))


def test_plain_server_is_told_from_tls(authority: Authority) -> None:
    """https to a port that speaks http."""
    with served(Memory()) as address, pytest.raises(BrokerRefused, match="TLS"):
        _look(RegistrySettings(url=address.replace("http", "https"), ca=authority.ca))


def test_files_that_can_t_be_used_are_named_at_start(authority: Authority, tmp_path: Path) -> None:
    """A missing file, one that is not PEM, a key of another certificate, one that needs a password."""
    certificate, key = authority.issue("scorer")
    _, sealed = authority.issue("sealed", password=b"topsecret")
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    wrong = [
        {"ca": tmp_path / "missing.pem"},
        {"ca": junk},
        {"certificate": junk, "key": key},
        {"certificate": certificate, "key": tmp_path / "missing.key"},
        {"certificate": certificate, "key": authority.issue("another")[1]},
        {"certificate": tmp_path / "sealed.crt", "key": sealed},
        {"key": key},
    ]
    for keys in wrong:
        with pytest.raises(SettingsError, match=r"\[schema_registry\]"):
            Connection(RegistrySettings(url="https://registry", **keys))  # type: ignore[arg-type]
