"""What a request costs before it is refused: it is counted first, and its work ends with it."""

from __future__ import annotations

import gc
import json
import random
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from stream.rest import Served
from stream.rest.allowance import Allowance, Memory, allowance
from stream.rest.json_extent import DEPTH, DIGITS, admit_json, extent_of, without_texts
from stream.rest.json_keys import most_keys
from stream.rest.problems import Problem
from stream.rest.served_model import Answer, Event
from stream.settings import ServeSettings
from stream.types import Misfits
from tests.kafka.process import wait_for
from tests.unit.rest.models import GIVEN, LET, NEVER, door

JSON = {"content-type": "application/json"}
MANY = 20_001
"""One row more than a request may have."""


def nested(depth: int) -> bytes:
    """A list in a list …"""
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", b"[" + b"{}," * MANY + b"{}]"),
        ("/predict", b"[" + b"[]," * MANY + b"[]]"),
        ("/predict", b"[" + b"1," * MANY + b"1]"),
        ("/predict", b'["' + b'","' * MANY + b'"]'),
        ("/predict", b"[" + b"[1,2,3]," * MANY + b"[1]]"),
        ("/invocations", b'{"instances":[' + b"[]," * MANY + b"[]]}"),
        ("/invocations", b'{"dataframe_records":[' + b"{}," * MANY + b"{}]}"),
        ("/bigquery", b'{"calls":[' + b"[{}]," * MANY + b"[{}]]}"),
        ("/predict", nested(5_000)),
        ("/invocations", b'{"instances":' + nested(5_000) + b"}"),
        ("/bigquery", b'{"calls":' + nested(5_000) + b"}"),
        ("/v2/models/people/infer", b'{"inputs":[' + nested(5_000) + b"]}"),
        ("/predict", b"{" + b",".join(b'"%d":1' % i for i in range(10_001)) + b"}"),
    ],
)
def test_more_than_a_request_may_have_is_413(people: TestClient, path: str, body: bytes) -> None:
    """Rows, columns and depth, at every door."""
    answer = people.post(path, content=body, headers=JSON)

    assert 413 == answer.status_code
    assert len(answer.content) < 2_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (path, body)
        for path, whole in {
            "/predict": b"%s",
            "/invocations": b'{"instances":[%s]}',
            "/bigquery": b'{"userDefinedContext":{"on_error":"fail"},"calls":[[%s]]}',
            "/v2/models/people/infer": b'{"inputs":[{"name":"age","shape":[1],"datatype":"INT64","data":%s}]}',
        }.items()
        for body in (
            whole % nested(900),
            whole % (b"[" + b"1" * 4_300 + b"]"),
            whole % (b"[" + b"1" * 20_000 + b"]"),
            whole % (b"[" * 900),
        )
    ]
    + [
        (
            "/v2/models/people/infer",
            b'{"inputs":[{"name":"age","shape":[%s],"datatype":"INT64","data":[1]}]}' % size,
        )
        for size in (
            b"9" * 4_300,
            b"9" * 20_000,
            b",".join([b"9" * 1_000] * 9),
            nested(900),
            b"0," * 900 + b"0",
        )
    ],
)
def test_nests_and_long_numbers_are_422(people: TestClient, path: str, body: bytes) -> None:
    """Neither Python's limit of digits nor of recursion is reached, in no door."""
    answer = people.post(path, content=body, headers=JSON)

    assert 422 == answer.status_code
    assert len(answer.content) < 5_000


@pytest.mark.parametrize(
    "body",
    [
        b"age\n" + b"1\n" * MANY,
        b",".join(b"c%d" % i for i in range(10_001)),
        b"age,city\n" + b"1,Bath\n" * 9 + b"x," * 10_001 + b"x\n",
        b'age,"a, b"\r' + b"x," * 10_001 + b"x\r",
    ],
)
def test_csv_of_too_many_rows_or_cells_is_413(people: TestClient, body: bytes) -> None:
    """Wherever the long line is, and however lines end; at once, since no cell is made."""
    answer = people.post("/invocations", content=body, headers={"content-type": "text/csv"})

    assert 413 == answer.status_code


def test_cell_with_many_commas_is_one_cell(people: TestClient) -> None:
    """A text in quotes may hold what separates cells elsewhere."""
    body = b'age,city,body mass (kg)\n40,"%s",60.5\n' % (b"a, b" * 20_000)
    answer = people.post("/invocations", content=body, headers={"content-type": "text/csv"})

    assert 200 == answer.status_code


def test_marks_within_texts_are_not_counted(people: TestClient) -> None:
    """A text may hold as many brackets, digits and colons as it likes."""
    texts = ["[" * 2_000, "{" * 30_000, '\\"[{' * 5_000, "7" * 20_000, ":" * 30_000]

    answers = [people.post("/predict", json={**GIVEN, "city": text}) for text in texts]

    assert [200] * 5 == [answer.status_code for answer in answers]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 65_536])
def test_extent_is_what_a_slow_reader_counts(size: int) -> None:
    """Wherever a slice ends: in a text, in an escape, between two."""
    chance = random.Random(size)
    bodies = ["".join(chance.choices('[]{}"\\a,1', k=chance.randint(0, 40))).encode() for _ in range(300)]

    found = []
    for body in bodies:
        extent = extent_of(without_texts(body, size), body, allowance())
        found.append((extent.depth, extent.count, extent.closed))

    assert [slowly(body.decode()) for body in bodies] == found


def slowly(text: str) -> tuple[int, int, bool]:
    """Depth, lists and objects, and whether all are closed."""
    level = deepest = count = 0
    inside = escaped = False
    for letter in text:
        if inside:
            inside = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            inside = True
        elif letter in "[{":
            level, count = level + 1, count + 1
            deepest = max(deepest, level)
        elif letter in "]}":
            level -= 1
    return deepest, count, level == 0


def test_what_is_just_small_enough_is_parsed() -> None:
    """The limits are what they are said to be."""
    mine = allowance()
    admit_json(nested(DEPTH), mine)
    admit_json(b"[" + b"1" * DIGITS + b"]", mine)
    admit_json(json.dumps({"instances": [[1.5, 2]] * 20_000}).encode(), mine)

    for body in (nested(DEPTH + 1), b"[" + b"1" * (DIGITS + 1) + b"]"):
        with pytest.raises(Problem):
            admit_json(body, mine)


def test_errors_are_listed_up_to_a_hundred(people: TestClient) -> None:
    """The rest is a number; so a small body gets a small answer."""
    answer = people.post("/predict", content=b"[" + b"{}," * 1_999 + b"{}]", headers=JSON)
    found = answer.json()

    assert 422 == answer.status_code
    assert 100 == len(found["errors"])
    assert 2_000 * 2 - 100 == found["more_errors"]
    assert {"row": 49, "field": "age"}.items() <= found["errors"][-1].items()
    assert "more_errors" not in people.post("/predict", json={}).json()


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/predict", "application/json", b"[" + b"{}," * 2_000_000 + b"{}]"),
        ("/invocations", "text/csv", b'"a",' * 500_000),
    ],
    ids=["objects", "quoted cells"],
)
def test_refusal_before_the_work_takes_little_memory(
    people: TestClient, path: str, kind: str, body: bytes
) -> None:
    """Millions of objects are not made only to be counted."""
    tracemalloc.start()
    try:
        answer = people.post(path, content=body, headers={"content-type": kind})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 413 == answer.status_code
    assert peak < 5 * len(body)


def test_commas_of_a_line_are_those_outside_of_quotes(people_package: Path) -> None:
    """Whatever the lines end with, and wherever the body is cut to be counted."""
    wide = b'"a,b\n,,",' * 7 + b"1"
    with door(people_package, max_columns=8) as (client, _):
        for end in (b"\n", b"\r\n", b"\r"):
            fits = end.join([wide] * 9_000)
            for body, status in (
                (fits, 422),
                (fits + b",1" + end + wide, 413),
                (b"1," * 8 + b"1" + end + fits, 413),
            ):
                answer = client.post("/invocations", content=body, headers={"content-type": "text/csv"})
                assert status == answer.status_code, (end, answer.text[:200])


def _keys(value: Any) -> int:
    """Of the object that has most."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max([len(value) if isinstance(value, dict) else 0, *map(_keys, inner)])


@given(
    st.recursive(
        st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text("ab", max_size=2), inner)
    ),
    st.integers(1, 40),
)
def test_keys_are_counted_object_by_object(value: object, size: int) -> None:
    """Whatever stands between them, and wherever the body is cut to be counted."""
    body = json.dumps(value).encode()
    slices = (body[start : start + size] for start in range(0, len(body), size))
    with Allowance(ServeSettings(), Memory(1_000_000)) as mine:
        assert _keys(value) == most_keys(slices, mine)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/predict", "%s"),
        ("/predict", "[{}, {}, {}, %s]"),
        ("/invocations", '{"instances": [{}, {}, %s]}'),
        ("/v1/models/people:predict", '{"instances": [%s, {}]}'),
        ("/bigquery", '{"calls": [["{}"], [%s]]}'),
        ("/v2/models/people/infer", '{"inputs": [], "parameters": %s}'),
    ],
)
def test_object_of_too_many_keys_is_refused_whatever_stands_between_them(
    people: TestClient, path: str, form: str
) -> None:
    """It would take 26 times its bytes; the objects in it and beside it do not make its keys fewer."""
    keys = ",".join(f'"{i:x}":{"{}" if i % 50 == 0 else 1}' for i in range(10_001))
    answer = people.post(path, content=form % f"{{{keys}}}", headers={"content-type": "application/json"})

    assert 413 == answer.status_code
    assert "10001 columns are too many" in answer.text


def test_texts_count_as_what_python_needs_for_them(people_package: Path) -> None:
    """A text of a letter takes more memory than a number of as many bytes."""
    numbers, texts = b"[" + b"1.0," * 20_000 + b"1]", b"[" + '"Ā",'.encode() * 20_000 + b"1]"
    held = []
    for body in (numbers, texts):
        memory = Memory(100_000_000)
        with Allowance(ServeSettings(queue_rows=100_000), memory) as mine:
            admit_json(body, mine)
            held.append(memory.held_bytes)

    assert held[0] < 1_000_000
    assert held[1] > 80 * 20_000


def test_message_of_a_refusal_is_shortened_in_every_field(people: TestClient) -> None:
    """What a client sent comes back in part, in MLflow's fields as in others."""
    answer = people.post("/invocations", content=b"{}", headers={"content-type": "x" * 20_000})

    assert 415 == answer.status_code
    assert all(len(value) < 1_100 for value in answer.json().values())


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/predict", "application/json", b'[{"age": [' + b'"ab",' * 20_000 + b"1]}]"),
        ("/invocations", "application/json", b'{"inputs": [[' + b'"ab",' * 20_000 + b"1]]}"),
        ("/invocations", "text/csv", b"age,age\n" + b"1,2\n" * 18_000),
        ("/bigquery", "application/json", b'{"calls": [[' + b'"ab",' * 20_000 + b"1]]}"),
        (
            "/v2/models/people/infer",
            "application/json",
            b'{"inputs": [{"name": "age", "shape": [1], "datatype": "INT64", "data": ['
            + b"1," * 40_000
            + b"1]}]}",
        ),
    ],
    ids=["predict", "invocations", "csv", "bigquery", "tensor"],
)
def test_refused_body_is_gone_with_its_request(people: TestClient, path: str, kind: str, body: bytes) -> None:
    """Not only when garbage is collected, which is rare, since it has few objects that count there."""
    gc.collect()
    gc.disable()
    try:
        answer = people.post(path, content=body, headers={"content-type": kind})
        assert 422 == answer.status_code
        wait_for(
            lambda: not any(isinstance(one, Problem) for one in gc.get_objects()), 5, "the refusal to be gone"
        )
    finally:
        gc.enable()


def test_memory_is_counted_before_it_is_used(people_package: Path) -> None:
    """What a body turns into counts: 413 for one that never fits; afterwards nothing is held."""
    with door(people_package, queue_bytes=100_000) as (client, rest):
        answer = client.post("/predict", json=[GIVEN] * 300)

        assert 413 == answer.status_code
        assert "queue_bytes" in answer.json()["error"]
        assert 0 == rest.service.intake.memory.held_bytes
        assert 200 == client.post("/predict", json=GIVEN).status_code


def test_work_ends_with_its_request_and_holds_its_memory_until_then() -> None:
    """A thread that looks at the clock after its request is over ends; only then is its memory free."""
    memory = Memory(1_000)
    mine = Allowance(ServeSettings(), memory)
    with mine:
        mine.take(600)
        mine.enter()
        mine.check()

    assert 600 == memory.held_bytes
    with pytest.raises(Problem, match="no answer within"):
        mine.check()
    mine.leave()
    assert 0 == memory.held_bytes


def test_rows_behind_a_request_that_timed_out_are_not_scored(
    people_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large request is scored in pieces; when its time is up, the rest of it is left, and its memory free."""
    pieces: list[int] = []
    answer = Served.answer

    def counted(served: Served, events: Sequence[Event]) -> tuple[list[Answer], Misfits]:
        pieces.append(len(events))
        return answer(served, events)

    monkeypatch.setattr(Served, "answer", counted)
    LET.clear()
    with door(people_package, timeout=0.2, batch_rows=2) as (client, rest):
        late = client.post("/predict", json=[{**GIVEN, "age": NEVER}] * 5)
        held = rest.service.intake.memory.held_bytes
        LET.set()
        wait_for(lambda: not rest.service.batcher.busy, 20, "the model to come back")

        assert 504 == late.status_code
        assert held > 0
        assert [2] == pieces
        wait_for(lambda: rest.service.intake.memory.held_bytes == 0, 20, "memory to be free")
