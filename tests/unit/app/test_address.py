"""An address is claimed, or refused by the name of its setting."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from stream.app import claim_address
from stream.app.address import listeners, server_tls
from stream.errors import SettingsError
from tests.authority import Authority


def test_an_address_that_is_taken_is_refused_by_its_setting() -> None:
    """The message names setting, address and reason; the hint is the caller's."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            claim_address("[web] port", "127.0.0.1", port, "take another")

    assert f"[web] port: can't listen on 127.0.0.1:{port}: Address already in use" == caught.value.message
    assert "take another" == caught.value.hint


def test_a_host_that_does_not_exist_is_refused() -> None:
    """As a port that is taken: the resolver's reason is in the message."""
    with pytest.raises(SettingsError, match=r"\[web\] port: can't listen on no\.such\.host\.invalid:1: "):
        claim_address("[web] port", "no.such.host.invalid", 1, "")


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python knows no IPv6")
def test_a_claimed_address_can_be_listened_on() -> None:
    """Nothing listens until the caller does; IPv6 as IPv4."""
    with claim_address("[web] port", "::1", 0, "") as claimed:
        claimed.listen()

        assert ("::1", True) == (claimed.getsockname()[0], claimed.getsockname()[1] > 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_every_address_of_a_host_is_listened_on(host: str) -> None:
    """A name may have one of each family."""
    opened = listeners(host, 0, 1)
    found = {family for family, *_ in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)}
    try:
        assert found == {one.family for one in opened}
        with socket.create_connection(opened[0].getsockname()[:2]):
            pass
    finally:
        for one in opened:
            one.close()


class TestTls:
    @pytest.mark.parametrize("how", ["gone", "not PEM", "other key", "sealed", "key alone"])
    def test_certificate_that_cannot_be_used_is_refused_by_its_key(self, tmp_path: Path, how: str) -> None:
        """At once: a key with a password would ask for it on the terminal, and wait."""
        authority = Authority(tmp_path)
        certificate, key = authority.issue("web", b"sealed" if how == "sealed" else None)
        other = authority.issue("other")[1]
        (tmp_path / "text").write_text("no certificate")
        given: dict[str, tuple[Path | None, Path]] = {
            "gone": (tmp_path / "gone", key),
            "not PEM": (tmp_path / "text", key),
            "other key": (certificate, other),
            "sealed": (certificate, key),
            "key alone": (None, key),
        }

        with pytest.raises(SettingsError, match=r"\[web\] (certificate|key): ") as caught:
            server_tls("[web]", *given[how], Path.absolute)

        assert caught.value.hint

    def test_no_certificate_is_plain_http(self) -> None:
        """Nothing is asked for."""
        assert server_tls("[web]", None, None, Path.absolute) is None
