"""By which name an HTTP door may be called, and with which token."""

from __future__ import annotations

import pytest

from stream.http_access import bears, is_called
from stream.settings import Secret


class TestNames:
    @pytest.mark.parametrize(
        ("host", "bound", "names", "right"),
        [
            ("127.0.0.1:6066", "127.0.0.1", (), True),
            ("127.0.0.1", "127.0.0.1", (), True),
            ("localhost:9", "127.0.0.1", (), True),
            ("LOCALHOST.", "127.0.0.1", (), True),
            ("[::1]:6066", "127.0.0.1", (), True),
            ("[0:0:0:0:0:0:0:1]", "::1", (), True),
            ("127.0.0.1", "localhost", (), True),
            ("evil.example", "127.0.0.1", (), False),
            ("evil.example:6066", "0.0.0.0", (), False),
            ("localhost.evil.example", "127.0.0.1", (), False),
            ("127.0.0.1.evil.example", "0.0.0.0", (), False),
            ("10.1.2.3:6066", "0.0.0.0", (), True),
            ("[2001:db8::7]:6066", "::", (), True),
            ("localhost", "0.0.0.0", (), True),
            ("10.1.2.3", "127.0.0.1", (), False),
            ("10.1.2.3", "10.1.2.3", (), True),
            ("10.1.2.4", "10.1.2.3", (), False),
            ("scorer-0", "scorer-0", (), True),
            ("Scorer.Example:443", "0.0.0.0", ("scorer.example",), True),
            ("scorer.example", "127.0.0.1", ("other.example", "Scorer.Example."), True),
            ("anything", "127.0.0.1", ("*",), True),
            ("scorer.example", "127.0.0.1", ("scorer.example:6066",), True),
            ("[2001:db8::7]", "127.0.0.1", ("2001:db8::7",), True),
            ("[2001:db8::7]:6066", "127.0.0.1", ("[2001:DB8::7]:9",), True),
            ("scorer.example", "127.0.0.1", ("*.example",), False),
            ("", "127.0.0.1", (), False),
            ("", "0.0.0.0", (), False),
            (":6066", "0.0.0.0", (), False),
            ("[", "0.0.0.0", (), False),
            ("localhost@evil.example", "127.0.0.1", (), False),
            ("evil.example#127.0.0.1", "127.0.0.1", (), False),
        ],
    )
    def test_only_its_own_names_are_taken(
        self, host: str, bound: str, names: tuple[str, ...], right: bool
    ) -> None:
        """The address it listens on, any address where it listens on all, and what is listed; a port may be any."""
        assert right == is_called(host, bound, names)


class TestToken:
    @pytest.mark.parametrize("token", ["hush", Secret("hush")])
    @pytest.mark.parametrize(
        ("given", "right"),
        [
            ("Bearer hush", True),
            ("bearer  hush ", True),
            ("Bearer hush2", False),
            ("Bearer hus", False),
            ("Bearer", False),
            ("hush", False),
            ("Basic hush", False),
            ("", False),
            ("Bearer h\xfcsh", False),
        ],
    )
    def test_only_the_token_enters(self, token: str, given: str, right: bool) -> None:
        """Whole, as a bearer's, in any case of `bearer`."""
        assert right == bears(token, given)

    def test_token_beyond_ascii_enters(self) -> None:
        """Its bytes are compared: servers decode headers as Latin-1."""
        assert bears("hüsh", "Bearer " + "hüsh".encode().decode("latin-1"))
