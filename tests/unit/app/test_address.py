"""An address is claimed, or refused by the name of its setting."""

from __future__ import annotations

import socket

import pytest

from stream.app import claim_address
from stream.errors import SettingsError


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
