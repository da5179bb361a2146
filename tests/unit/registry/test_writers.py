"""Writer schemas by id: trusted for one topic, kept, and asked for at a bounded rate."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

import httpx
import pytest

from stream.codec import Decoder, RecordSchema, confluent_prefix, confluent_prefixes
from stream.errors import BrokerRefused, Retriable
from stream.records import Headers
from stream.registry import Client, Connection, RegistryWriters
from stream.registry.writers import KEPT, MISSES, PREPARE_S, REMEMBERED_S, WAIT_S
from stream.settings import RegistrySettings
from tests.kafka.confluent import Answer, Memory
from tests.unit.codec.samples import schema, written

OURS = schema(a="int")
NEWER = schema(a="int", b="string")
OTHER = schema(a="int", c="string", name="Other")


class Rig:
    """The writers of topic `in`, on a registry in memory; `now` is its clock."""

    def __init__(self) -> None:
        """OURS and NEWER are the topic's, OTHER is another's."""
        self.memory = Memory()
        self.ours = self.memory.register("in-value", OURS.text)
        self.newer = self.memory.register("in-value", NEWER.text)
        self.other = self.memory.register("elsewhere-value", OTHER.text)
        self.now = 0.0
        self.odd: dict[str, Answer | Exception] = {}
        """By the beginning of a path: what is answered to it instead."""
        self._sound = self.memory.answer
        self.memory.answer = self._answer  # type: ignore[method-assign]
        settings = RegistrySettings(url="http://registry:8081")
        line = Connection(
            settings, pause=self._pause, clock=lambda: self.now, transport=self.memory.transport
        )
        self.writers = RegistryWriters(Client(line), lambda found: "in-value", clock=lambda: self.now)

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    def _answer(self, method: str, path: str, body: bytes) -> Answer:
        for beginning, odd in self.odd.items():
            if path.startswith(beginning):
                if isinstance(odd, Exception):
                    raise type(odd)(*odd.args)  # a new one: one that is raised twice is its own cause
                return odd
        return self._sound(method, path, body)

    def decode(
        self, values: Sequence[bytes], headers: Sequence[Headers | None] | None = None
    ) -> list[int | str]:
        """What the engine does with a batch: for each value its `a`, or the reason why not."""
        self.writers.prepare(values, headers)
        decoded = Decoder(OURS, ["a"], "confluent", OURS, self.writers).decode(values, headers)
        found: dict[int, int | str] = {i: fault.reason for i, fault in decoded.faults.items()}
        found |= dict(zip(decoded.rows, decoded.columns["a"].to_pylist(), strict=True))
        return [found[i] for i in range(len(values))]

    def message(self, prefix: bytes) -> str:
        """Why a value of this id is a dead letter."""
        self.writers.prepare([prefix], None)
        [fault] = Decoder(OURS, ["a"], "confluent", OURS, self.writers).decode([prefix]).faults.values()
        return fault.message

    def guid(self, schema_id: int) -> bytes:
        """The prefix of a schema's GUID."""
        return b"\x01" + uuid.UUID(self.memory.guid(schema_id)).bytes


def ours(a: int) -> bytes:
    """A value that OURS wrote."""
    return written(OURS, {"a": a})


def newer(a: int) -> bytes:
    """A value that NEWER wrote."""
    return written(NEWER, {"a": a, "b": "x"})


class TestTrust:
    """Whose schemas are read."""

    def test_versions_of_the_subject_are_read_interleaved(self) -> None:
        """Each value by the schema that its id names, on the columnar path too."""
        rig = Rig()
        values = [
            confluent_prefix(rig.ours) + ours(i) if i % 2 else confluent_prefix(rig.newer) + newer(i)
            for i in range(100)
        ]

        assert list(range(100)) == rig.decode(values)

    def test_guids_and_headers_are_read(self) -> None:
        """01 and a GUID before the value, and either form in the header."""
        rig = Rig()
        values = [rig.guid(rig.newer) + newer(1), newer(2), newer(3)]
        headers: list[Headers | None] = [
            None,
            [("__value_schema_id", rig.guid(rig.newer))],
            [("__value_schema_id", confluent_prefix(rig.newer))],
        ]

        assert [1, 2, 3] == rig.decode(values, headers)

    @pytest.mark.parametrize("by", ["id", "guid", "header"])
    def test_id_of_another_subject_is_not_trusted(self, by: str) -> None:
        """A schema that is registered elsewhere only is a dead letter that names both subjects."""
        rig = Rig()
        body = written(OTHER, {"a": 1, "c": "x"})
        prefix = confluent_prefix(rig.other) if by == "id" else rig.guid(rig.other)
        headers: list[Headers | None] | None = [[("__value_schema_id", prefix)]] if by == "header" else None

        assert ["schema_not_allowed"] == rig.decode([body if by == "header" else prefix + body], headers)
        if by == "id":
            assert "id 3, is not registered under in-value, but under elsewhere-value" in rig.message(prefix)

    def test_one_schema_under_two_subjects_is_trusted(self) -> None:
        """It is enough that ours is among them."""
        rig = Rig()
        assert rig.other == rig.memory.register("in-value", OTHER.text)

        assert [1] == rig.decode([confluent_prefix(rig.other) + written(OTHER, {"a": 1, "c": "x"})])

    def test_schema_that_is_not_shown_is_not_trusted(self) -> None:
        """A registry that denies one schema (403) costs that record, not the worker."""
        rig = Rig()
        rig.memory.script = [Answer(403, b'{"error_code": 40301, "message": "denied"}')]

        assert ["schema_not_allowed"] == rig.decode([confluent_prefix(rig.ours) + ours(1)])

    def test_wrong_credentials_stop(self) -> None:
        """401 to whatever is asked is about us, not about a record."""
        rig = Rig()
        rig.memory.script = [Answer(401, b"")] * 2

        with pytest.raises(BrokerRefused):
            rig.decode([confluent_prefix(rig.ours) + ours(1)])


ODD = [
    Answer(200, b"<html>sign in</html>"),
    Answer(200, b""),
    Answer(200, b"\x1f\x8b\x08\x00", {"Content-Encoding": "gzip"}),
    Answer(302, b"", {"Location": "https://elsewhere.example/login"}),
    Answer(302, b"", {"Location": "http://[/"}),
    Answer(404, b"<html>"),
    Answer(404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}'),
    Answer(400, b"what?"),
    Answer(410, b"gone"),
    Answer(200, b"9" * 5_000),
]
"""What no registry says of an id."""


class TestOdd:
    """Answers that are not a registry's: an id's own fault, or everything's."""

    @pytest.mark.parametrize("answer", [*ODD, Answer(401, b"")])
    def test_odd_answer_about_one_id_costs_its_records(self, answer: Answer) -> None:
        """The registry answers otherwise, so no restart would help: a dead letter, and its neighbours are read."""
        rig = Rig()
        rig.odd[f"/schemas/ids/{rig.newer}"] = answer

        found = rig.decode([confluent_prefix(rig.newer) + newer(1), confluent_prefix(rig.ours) + ours(5)])

        assert ["unusable_schema", 5] == found
        assert f"id {rig.newer}" in rig.message(confluent_prefix(rig.newer))

    @pytest.mark.parametrize("answer", ODD)
    def test_odd_answers_to_everything_are_waited_out(self, answer: Answer) -> None:
        """A proxy, a login, a registry that moves: nothing is decided about any record, and it goes on afterwards."""
        rig = Rig()
        rig.odd[""] = answer
        while rig.now < 240:
            with pytest.raises(Retriable):
                rig.decode([confluent_prefix(rig.ours) + ours(1)])
            rig.now += 40

        del rig.odd[""]
        assert [1] == rig.decode([confluent_prefix(rig.ours) + ours(1)])

    def test_one_odd_answer_costs_nothing(self) -> None:
        """It is asked once more."""
        rig = Rig()
        rig.memory.script = [ODD[0]]

        assert [1] == rig.decode([confluent_prefix(rig.ours) + ours(1)])

    @pytest.mark.parametrize(
        "fault",
        [
            httpx.ReadTimeout("slow"),
            httpx.RemoteProtocolError("cut"),
            Answer(500, b"{}"),
            Answer(503, b"", {"Retry-After": "3600"}),
        ],
        ids=repr,
    )
    def test_id_that_is_never_answered_is_given_up_while_others_are(self, fault: Answer | Exception) -> None:
        """Waited for, and then a dead letter that says so: the worker would end at this record after each restart."""
        rig = Rig()
        rig.odd[f"/schemas/ids/{rig.newer}"] = fault
        values = [confluent_prefix(rig.newer) + newer(1), confluent_prefix(rig.ours) + ours(5)]
        began = rig.now
        while rig.now < began + 240:
            try:
                found = rig.decode(values)
                break
            except Retriable:
                rig.now += 20

        assert ["schema_not_looked_up", 5] == found
        assert WAIT_S <= rig.now - began < 200
        rig.now += REMEMBERED_S + 61
        assert found == rig.decode(values)  # not waited for again
        rig.odd.clear()
        rig.now += REMEMBERED_S + 61
        assert [1, 5] == rig.decode(values)

    def test_registry_that_is_away_is_waited_for_to_the_end(self) -> None:
        """However long: it is the engine that gives up."""
        rig = Rig()
        rig.odd[""] = httpx.ConnectError("refused")
        while rig.now < 240:
            with pytest.raises(Retriable):
                rig.decode([confluent_prefix(rig.ours) + ours(1)])
            rig.now += 40

    def test_waits_for_two_ids_are_one(self) -> None:
        """The engine gives up after 240 s, however many ids a batch has."""
        rig = Rig()
        for each in (rig.newer, rig.ours):
            rig.odd[f"/schemas/ids/{each}"] = Answer(500, b"{}")
        while True:
            try:
                found = rig.decode(
                    [confluent_prefix(rig.newer) + newer(1), confluent_prefix(rig.ours) + ours(5)]
                )
                break
            except Retriable:
                rig.now += 20

        assert ["schema_not_looked_up"] * 2 == found
        assert 200 > rig.now

    @pytest.mark.parametrize(
        "body",
        [
            {"schema": OURS.text, "references": 5},
            {"schema": OURS.text, "references": {"a": 1}},
            {"schema": OURS.text, "references": "abc"},
            {"schema": OURS.text, "references": [1]},
            {"schema": OURS.text, "references": [{"subject": 1, "version": 1}]},
            {"schema": OURS.text, "references": [{"subject": "s", "version": "latest"}]},
            {"schema": OURS.text, "schemaType": {}},
            {"schema": OURS.text, "schemaType": []},
            {"schema": OURS.text, "schemaType": 7},
            {"schema": None},
            {"schema": [OURS.text]},
            {"schema": '{"type": "record", "name": "\ud800", "fields": []}'},
            {"schema": json.dumps({"type": "record", "name": "E", "fields": "x"})},
            {"schema": json.dumps({"type": "record", "name": "E", "fields": [1]})},
            {"schema": json.dumps({"type": "record", "name": 5, "fields": []})},
            {"schema": json.dumps({"type": "fixed", "name": "F", "size": "9"})},
            {"schema": '{"type": "fixed", "name": "F", "size": 1e999}'},
            {"schema": '{"type": "fixed", "name": "F", "size": -1}'},
            {"schema": "null"},
            {"schema": "NaN"},
        ],
        ids=repr,
    )
    def test_wrong_types_inside_json_cost_the_id_s_records(self, body: object) -> None:
        """Nothing but dead letters comes of it."""
        rig = Rig()
        rig.odd[f"/schemas/ids/{rig.newer}"] = Answer(200, json.dumps(body).encode())

        found = rig.decode([confluent_prefix(rig.newer) + newer(1), confluent_prefix(rig.ours) + ours(5)])

        assert ["unusable_schema", 5] == found
        rig.message(confluent_prefix(rig.newer)).encode()


class TestUnknown:
    """Ids that the registry does not have."""

    @pytest.mark.parametrize(
        "prefix", [confluent_prefix(999), b"\x01" + bytes(16), confluent_prefix(2**32 - 1)]
    )
    def test_unknown_id_is_never_read_by_guess(self, prefix: bytes) -> None:
        """Whatever `[input] schema` is: nothing says that it was written with that."""
        assert ["unknown_schema", 5] == Rig().decode([prefix + ours(4), confluent_prefix(1) + ours(5)])

    def test_known_id_of_another_subject_is_told_apart(self) -> None:
        """Its writer is known, and is not this topic's."""
        rig = Rig()

        assert ["schema_not_allowed"] == rig.decode([confluent_prefix(rig.other) + ours(4)])

    def test_id_beyond_java_s_int_is_not_asked_for(self) -> None:
        """A registry answers it as an unknown page, which would look like a wrong address."""
        rig = Rig()
        rig.decode([confluent_prefix(2**31) + ours(1)])

        assert [] == rig.memory.calls

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('"string"', "record"),
            ("{", "JSON"),
            ('{"type": "record", "name": "E", "fields": [{"name": "x", "type": "Nowhere"}]}', "'Nowhere'"),
            ("[" * 50_000 + "]" * 50_000, "can't be used"),
            (json.dumps({"type": "array", "items": "int"}), "array"),
        ],
        ids=["string", "cut", "unresolved", "deep", "array"],
    )
    def test_schema_that_can_t_be_used_is_named(self, text: str, says: str) -> None:
        """Its records become dead letters that say what is wrong with it; the others are read."""
        rig = Rig()
        made = confluent_prefix(rig.memory.register("in-value", text))

        assert ["unusable_schema", 5] == rig.decode([made + b"\x02", confluent_prefix(1) + ours(5)])
        assert says in rig.message(made)

    def test_schema_with_a_missing_reference_is_named(self) -> None:
        """So is one that refers to what is not there."""
        rig = Rig()
        made = rig.memory.register("in-value", NEWER.text, [{"name": "x", "subject": "gone", "version": 3}])

        assert "gone version 3, is not there" in rig.message(confluent_prefix(made))


class TestCalls:
    """How often the registry is asked."""

    def test_known_id_is_asked_for_once(self) -> None:
        """Two calls, the schema and its subjects, whatever the number of records and batches."""
        rig = Rig()
        for _ in range(3):
            rig.decode([confluent_prefix(rig.ours) + ours(i) for i in range(50)])

        assert 2 == len(rig.memory.calls)

    def test_unknown_id_is_asked_for_again_after_a_while(self) -> None:
        """A producer may register late; until then it costs nothing."""
        rig = Rig()
        value = confluent_prefix(4) + ours(7)

        assert ["unknown_schema"] == rig.decode([value]) == rig.decode([value])
        assert 1 == len(rig.memory.calls)
        assert 4 == rig.memory.register("in-value", schema(a="int", d="null").text)
        assert ["unknown_schema"] == rig.decode([value])
        rig.now += REMEMBERED_S + 1
        assert [7] == rig.decode([value])

    def test_flood_of_unknown_ids_costs_bounded_calls(self) -> None:
        """Beyond the allowance ids are not asked about, and said to be so: they may be sound."""
        rig = Rig()
        flood = [confluent_prefix(1_000 + i) + ours(i) for i in range(2_000)]

        found = rig.decode([*flood, confluent_prefix(rig.ours) + ours(5)])

        assert MISSES + 2 >= len(rig.memory.calls)
        assert {"unknown_schema", "schema_not_looked_up", 5} == set(found)
        rig.now += 10
        rig.decode(flood)
        assert MISSES + 2 + 10 >= len(rig.memory.calls)

    def test_flood_does_not_push_out_what_is_known(self) -> None:
        """Sound records go on being read meanwhile, without a call."""
        rig = Rig()
        rig.decode([confluent_prefix(rig.ours) + ours(1)])
        rig.decode([confluent_prefix(1_000 + i) for i in range(3_000)])
        before = len(rig.memory.calls)

        assert [2] == rig.decode([confluent_prefix(rig.ours) + ours(2)])
        assert before == len(rig.memory.calls)

    def test_what_is_kept_is_bounded(self) -> None:
        """Nor does a batch lose what it needs itself."""
        rig = Rig()
        made = [
            rig.memory.register("in-value", schema(a="int", **{f"f{i}": "null"}).text)
            for i in range(KEPT + 200)
        ]

        assert list(range(len(made))) == rig.decode(
            [confluent_prefix(each) + ours(i) for i, each in enumerate(made)]
        )
        rig.decode([confluent_prefix(rig.ours) + ours(1)])
        assert KEPT + 1 >= rig.writers.kept

    def test_header_goes_before_what_the_value_looks_like(self) -> None:
        """Avro bytes behind a header may begin with 00 and look like an id: nobody asks about that."""
        rig = Rig()
        headers: list[Headers | None] = [[("__value_schema_id", confluent_prefix(rig.ours))]]

        assert [0] == rig.decode([ours(0)], headers)
        assert {confluent_prefix(rig.ours)} == confluent_prefixes([b"\x00\x00\x00\x00\x63"], headers)
        assert 2 == len(rig.memory.calls)

    def test_registry_that_is_away_means_try_again(self) -> None:
        """Nothing is decided about any record; what was found before stays."""
        rig = Rig()
        rig.decode([confluent_prefix(rig.ours) + ours(1)])
        rig.memory.script = [httpx.ConnectError("refused")] * 4

        with pytest.raises(Retriable):
            rig.decode([confluent_prefix(rig.newer) + newer(1)])

        assert [2] == rig.decode([confluent_prefix(rig.ours) + ours(2)])
        assert [1] == rig.decode([confluent_prefix(rig.newer) + newer(1)])

    def test_slow_registry_is_asked_in_rounds(self) -> None:
        """Many ids at a slow registry: the engine comes round in between, and what was found is kept."""
        rig = Rig()
        values = [
            confluent_prefix(rig.memory.register("in-value", schema(a="int", **{f"f{i}": "null"}).text))
            + ours(i)
            for i in range(10)
        ]
        answer = rig.memory.answer

        def slowly(method: str, path: str, body: bytes) -> Answer:
            rig.now += 1.0
            return answer(method, path, body)

        rig.memory.answer = slowly  # type: ignore[method-assign]
        rounds = 1
        while rounds < 20:
            before = rig.now
            try:
                found = rig.decode(values)
                break
            except Retriable:
                rounds += 1
            assert PREPARE_S + 4 > rig.now - before

        assert list(range(10)) == found
        assert 2 <= rounds <= 6

    def test_values_without_an_id_ask_nothing(self) -> None:
        """Nor null values, nor cut ones."""
        rig = Rig()
        rig.writers.prepare([None, b"", b"\x00\x00", b"\x01abc", b"\x02abcd", b"\xc3\x01345678"], [None] * 6)

        assert [] == rig.memory.calls
        assert RecordSchema(OURS.text).rust
