"""One call: what is sent, what is tried again, what is refused, and what is never said."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from stream.errors import BrokerRefused, Retriable, SchemaError, SettingsError, StreamError
from stream.registry import Connection, Denied, NotServed
from stream.registry.answers import ANSWER_BYTES
from stream.settings import RegistrySettings, Seconds, Secret
from tests.kafka.confluent import Answer, Memory

AT = RegistrySettings(url="http://registry:8081/")
SCHEMA = json.dumps({"type": "record", "name": "Event", "fields": []})


class Rig:
    """A connection to a registry in memory, with a clock that only its pauses move."""

    def __init__(self, settings: RegistrySettings = AT) -> None:
        """With one schema, id 1."""
        self.memory = Memory()
        self.memory.register("in-value", SCHEMA)
        self.now = 100.0
        self.pauses: list[float] = []
        self.line = Connection(
            settings, pause=self.pause, clock=lambda: self.now, transport=self.memory.transport
        )

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(round(seconds, 3))
        self.now += seconds

    def fails(self, *planned: Answer | Exception) -> StreamError:
        """What a look-up raises with these answers."""
        self.memory.script = list(planned)
        with pytest.raises(StreamError) as caught:
            self.line.get("/schemas/ids/1")
        return caught.value


def said(status: int, message: str, **headers: str) -> Answer:
    """An error as a registry words it."""
    return Answer(status, json.dumps({"error_code": status * 100 + 1, "message": message}).encode(), headers)


class TestRepeats:
    """Passing faults are tried again, within bounds; others are not."""

    @pytest.mark.parametrize(
        "fault",
        [
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("slow"),
            httpx.RemoteProtocolError("cut"),
            *(said(code, "later") for code in (429, 500, 502, 503, 504)),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("post", [False, True])
    def test_passing_fault_is_tried_again(self, fault: Answer | Exception, post: bool) -> None:
        """A second call has the answer; the pause before it is short."""
        rig = Rig()
        rig.memory.script = [fault]

        found = (
            rig.line.post("/subjects/in-value", {"schema": SCHEMA})
            if post
            else rig.line.get("/schemas/ids/1")
        )

        assert SCHEMA == found["schema"]
        assert [0.2] == rig.pauses

    def test_it_is_given_up_after_four(self) -> None:
        """Each pause is twice the one before; then it is for the caller to come again."""
        rig = Rig()

        error = rig.fails(*[httpx.ConnectError("refused")] * 9)

        assert isinstance(error, Retriable)
        assert "http://registry:8081/schemas/ids/1: no answer: ConnectError: refused" == error.message
        assert [0.2, 0.4, 0.8] == rig.pauses

    def test_hanging_registry_costs_its_time_limit_and_little_more(self) -> None:
        """Repeats share one budget, so that the engine's thread comes round in time."""
        rig = Rig(replace(AT, timeout=Seconds(5.0)))

        def hang(request: httpx.Request) -> httpx.Response:
            rig.now += request.extensions["timeout"]["read"]
            raise httpx.ReadTimeout("slow")

        line = Connection(AT, pause=rig.pause, clock=lambda: rig.now, transport=httpx.MockTransport(hang))
        with pytest.raises(Retriable):
            line.get("/schemas/ids/1")

        assert 7.0 >= rig.now - 100.0

    def test_every_call_has_every_time_limit(self) -> None:
        """Connecting, sending, reading and waiting for a connection: none may last for ever."""
        rig = Rig(replace(AT, timeout=Seconds(3.0)))
        rig.line.get("/schemas/ids/1")

        [request] = rig.memory.requests
        assert {"connect": 3.0, "read": 3.0, "write": 3.0, "pool": 3.0} == request.extensions["timeout"]

    def test_retry_after_is_waited_for_where_it_is_short(self) -> None:
        """The registry's own wish goes before our pause."""
        rig = Rig()
        rig.memory.script = [said(429, "slow down", **{"Retry-After": "2"})]

        rig.line.get("/schemas/ids/1")

        assert [2.0] == rig.pauses

    def test_long_retry_after_leaves_the_registry_alone(self) -> None:
        """Until then no call goes out at all; a wish for an hour is cut to a minute."""
        rig = Rig()
        rig.fails(said(503, "maintenance", **{"Retry-After": "3600"}))

        assert "another 60 s" in rig.fails().message
        assert 1 == len(rig.memory.calls)
        rig.now += 61
        assert SCHEMA == rig.line.get("/schemas/ids/1")["schema"]

    @pytest.mark.parametrize("wish", ["soon", "-1", "Wed, 21 Oct 2099 07:28:00 GMT", "1e9"])
    def test_other_retry_after_is_passed_over(self, wish: str) -> None:
        """Our own pause is taken instead."""
        rig = Rig()
        rig.memory.script = [Answer(503, b"", {"Retry-After": wish})]

        rig.line.get("/schemas/ids/1")

        assert [0.2] == rig.pauses


class TestAnswers:
    """What each answer means."""

    @pytest.mark.parametrize("code", [40401, 40402, 40403])
    def test_registry_s_own_404_means_none(self, code: int) -> None:
        """No such subject, version or schema."""
        rig = Rig()
        rig.memory.script = [Answer(404, json.dumps({"error_code": code, "message": "not found"}).encode())]

        assert rig.line.get("/schemas/ids/1") is None

    @pytest.mark.parametrize(
        "body",
        [b"<html>", b"", b'{"error_code": 404}', b'{"error_code": 0}', b'{"error_code": true}', b"[1]"],
    )
    def test_any_other_404_means_a_wrong_address(self, body: bytes) -> None:
        """The message names a web server that is not a registry, or a wrong path on one that is."""
        error = Rig().fails(Answer(404, body))

        assert isinstance(error, NotServed)
        assert "[schema_registry] url" in error.hint

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_redirect_is_never_followed(self, code: int) -> None:
        """Credentials stay here, and a target's query, which may hold a secret, is not printed."""
        rig = Rig(replace(AT, user="u", password="p"))

        error = rig.fails(Answer(code, b"", {"Location": "https://elsewhere.example/login?state=topsecret"}))

        assert isinstance(error, BrokerRefused)
        assert "redirects to https://elsewhere.example/login, which is not followed" in error.message
        assert "topsecret" not in str(error)
        assert 1 == len(rig.memory.calls)

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, BrokerRefused), (403, Denied), (400, BrokerRefused), (409, SchemaError), (422, SchemaError)],
    )
    def test_refusal_has_the_registry_s_words(self, status: int, kind: type[StreamError]) -> None:
        """It is not tried again."""
        rig = Rig()

        error = rig.fails(said(status, "User is denied\n operation Read"))

        assert type(error) is kind
        assert f"{status} User is denied operation Read" in error.message
        assert [] == rig.pauses

    @pytest.mark.parametrize("body", [b"", b"<html>", b'{"schema": ', b"\xff\xfe", b"[" * 100_000])
    def test_answer_that_is_not_json_is_refused(self, body: bytes) -> None:
        """A captive portal, a cut answer, a nest: each is said to be no JSON."""
        error = Rig().fails(Answer(200, body))

        assert isinstance(error, BrokerRefused)
        assert "not JSON" in error.message

    def test_packed_answer_is_refused(self) -> None:
        """None was asked for, and it could unpack to any size."""
        error = Rig().fails(Answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}))

        assert isinstance(error, BrokerRefused)

    def test_large_answer_is_cut_off_while_it_comes(self) -> None:
        """Not more than the bound and one part of it is ever held."""
        taken: list[int] = []

        class Endless(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                while True:
                    taken.append(65_536)
                    yield b"x" * 65_536

        transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Endless()))
        with pytest.raises(SchemaError, match="is not a schema"):
            Connection(AT, transport=transport).get("/schemas/ids/1")

        assert ANSWER_BYTES + 65_536 >= sum(taken)

    def test_answer_in_drops_is_given_up(self) -> None:
        """The time limit is for the whole answer, not for each part."""
        rig = Rig()

        class Drops(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                for _ in range(1_000):
                    rig.now += 1
                    yield b" "

        transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Drops()))
        line = Connection(AT, pause=rig.pause, clock=lambda: rig.now, transport=transport)
        with pytest.raises(Retriable, match="longer than 5 s"):
            line.get("/schemas/ids/1")

        assert 20 > rig.now - 100


class TestAccess:
    """Where it is and who asks."""

    def test_path_of_the_address_stands_before_every_call(self) -> None:
        """Apicurio's Confluent API lives under a path."""
        rig = Rig(replace(AT, url="http://registry:8081/apis/ccompat/v7/"))
        rig.memory.script = [Answer(200, b"[]")]
        rig.line.get("/subjects/a/versions")

        assert "http://registry:8081/apis/ccompat/v7/subjects/a/versions" == str(rig.memory.requests[0].url)

    @pytest.mark.parametrize(
        "url",
        [
            "registry:8081",
            "ftp://registry",
            "http://",
            "http://a:1,http://b:2",
            "http://a:1,b:2",
            "http://a:99999",
            "http://a?x=1",
            "http://a#x",
            "http://[::1",
        ],
    )
    def test_text_that_is_not_an_address_is_refused(self, url: str) -> None:
        """The key is named."""
        with pytest.raises(SettingsError, match=r"\[schema_registry\] url"):
            Rig(replace(AT, url=url))

    @pytest.mark.parametrize("url", ["https://me:topsecret@registry", "https://topsecret@registry:99999"])
    def test_user_in_the_address_is_refused_unprinted(self, url: str) -> None:
        """Addresses are printed, so they hold no secret."""
        with pytest.raises(SettingsError) as caught:
            Rig(replace(AT, url=url))

        assert "topsecret" not in str(caught.value)

    def test_nothing_to_authenticate_with_sends_nothing(self) -> None:
        """No header."""
        rig = Rig()
        rig.line.get("/schemas/ids/1")

        assert "authorization" not in rig.memory.requests[0].headers

    def test_basic_and_bearer(self) -> None:
        """Each in its header's form; a user may have no password, as some cloud's tokens."""
        both = {
            ("u", Secret("pä"), None): "Basic " + base64.b64encode("u:pä".encode()).decode(),
            ("u", None, None): "Basic " + base64.b64encode(b"u:").decode(),
            (None, None, Secret("t0k.en")): "Bearer t0k.en",
        }
        for (user, password, token), expected in both.items():
            rig = Rig(replace(AT, user=user, password=password, token=token))
            rig.line.get("/schemas/ids/1")

            assert expected == rig.memory.requests[0].headers["authorization"]

    @pytest.mark.parametrize(
        "keys",
        [
            {"user": "u", "token": "t"},
            {"password": "topsecret"},
            {"user": "u:v", "password": "topsecret"},
            {"token": "topsecret\n"},
            {"token": "tops\u00e9cret"},
        ],
    )
    def test_credentials_that_can_t_be_used_are_refused_unprinted(self, keys: dict[str, str]) -> None:
        """At start, by the key's name."""
        with pytest.raises(SettingsError) as caught:
            Rig(replace(AT, **keys))  # type: ignore[arg-type]

        assert "tops" not in str(caught.value)

    @pytest.mark.parametrize(
        ("keys", "secret"),
        [
            ({"token": Secret("topsecret")}, "topsecret"),
            ({"user": "u", "password": Secret("topsecret")}, "topsecret"),
            ({"user": "u", "password": Secret("topsecret")}, base64.b64encode(b"u:topsecret").decode()),
        ],
    )
    @pytest.mark.parametrize("fault", [lambda text: said(400, text), httpx.ConnectError])
    def test_secret_that_comes_back_is_not_repeated(
        self, keys: dict[str, str], secret: str, fault: Callable[[str], Answer | Exception]
    ) -> None:
        """A proxy may echo the request."""
        rig = Rig(replace(AT, **keys))  # type: ignore[arg-type]

        error = rig.fails(*[fault(f"bad header {secret}")] * 4)

        assert "bad header ********" in error.message
        assert secret not in str(error)
