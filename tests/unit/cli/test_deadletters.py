"""`stream deadletters`: list, show, stats, as people and programs see them; on the embedded broker."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stream.transport import EmbeddedBroker
from tests.acceptance import visits
from tests.unit.cli.letters import GOOD, Filled, filled, headers_of

HOSTILE = "\x1b[2J\u202e\nforged: line"

SPRING = [
    ("kafka_dlt-original-topic", b"elsewhere"),
    ("kafka_dlt-original-partition", struct.pack(">i", 3)),
    ("kafka_dlt-original-offset", struct.pack(">q", 9)),
    ("kafka_dlt-exception-fqcn", b"a.Bad"),
]

LETTERS = [
    (GOOD, headers_of("wrong_type", "contract")),
    (GOOD[:12] + b"\xff" + GOOD[13:], headers_of("invalid_utf8", "decode")),
    (GOOD, headers_of("wrong_type", "contract", "visits@2")),
    (b"\xc3\x01\x1b[2J", headers_of("not_framed", "decode", **{"exception.message": HOSTILE})),
    (None, SPRING),
    (None, [("__dlq.errors.topic", b"in"), ("__dlq.errors.group", b"sharers")]),
]
"""0 to 5, a second apart."""

TRUNCATED, UNKNOWN = 1, 3


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[Filled]:
    """Five letters, on one partition."""
    with closing(EmbeddedBroker()) as broker:
        yield filled(broker, tmp_path_factory.mktemp("letters"), package, "dead", LETTERS)


@pytest.fixture(scope="module")
def partition(letters: Filled) -> str:
    """Theirs: that of their key."""
    return "3" if _listed_at(letters, "3") else next(p for p in "012" if _listed_at(letters, p))


def _listed_at(letters: Filled, partition: str) -> bool:
    from stream.configuration import load_settings
    from stream.redrive import LetterFilter, opened_scan

    with opened_scan(load_settings(letters.config, {}), LetterFilter(partition=int(partition))) as scan:
        return scan.most > 0


def listed(letters: Filled, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    """What `list --json` gives."""
    assert 0 == letters.run("list", "--json", *options)
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("options", "offsets"),
    [
        ([], [0, 1, 2, 3, 4, 5]),
        (["--reason", "wrong_type"], [0, 2]),
        (["--reason", "a.Bad"], [4]),
        (["--stage", "decode"], [1, 3]),
        (["--stage", "decode", "--reason", "not_framed"], [3]),
        (["--model", "visits@2"], [2]),
        (["--model", "visits"], [0, 1, 2, 3]),
        (["--since", "2023-11-14T22:13:22Z"], [2, 3, 4, 5]),
        (["--until", "2023-11-14 22:13:22"], [0, 1]),
        (["--since", "2023-11-15T00:13:21+02:00", "--until", "2023-11-15T00:13:23+02:00"], [1, 2]),
        (["--since", "2h"], []),
        (["--until", "1w2d 3.5h"], [0, 1, 2, 3, 4, 5]),
        (["--topic", "elsewhere"], [4]),
        (["--group", "sharers"], [5]),
        (["--limit", "2"], [0, 1]),
        (["--stage", "decode", "--limit", "1"], [1]),
    ],
)
def test_options_choose_letters(
    letters: Filled, capsys: pytest.CaptureFixture[str], options: list[str], offsets: list[int]
) -> None:
    """Each option alone and several together; the limit counts what the others leave."""
    assert offsets == [each["offset"] for each in listed(letters, capsys, *options)]


def test_letters_of_one_partition_are_asked_for_by_its_number(
    letters: Filled, capsys: pytest.CaptureFixture[str], partition: str
) -> None:
    """The other partitions have none; one that is not there is refused by name."""
    assert 6 == len(listed(letters, capsys, "--partition", partition))
    assert [] == listed(letters, capsys, "--partition", str((int(partition) + 1) % 4))
    assert 2 == letters.run("list", "--partition", "4")
    assert "one of 0 to 3" in capsys.readouterr().err


def test_letter_is_listed_with_what_its_headers_say(
    letters: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    """Place, time, reason, stage, model and origin; of other writers' letters too."""
    first, *_, last, _ = listed(letters, capsys)

    assert ("2023-11-14T22:13:20.000Z", "wrong_type", "contract", "visits@1", "dead.in", 3, 55) == tuple(
        first[name]
        for name in ("timestamp", "reason", "stage", "model", "topic", "source_partition", "source_offset")
    )
    assert ("spring", "a.Bad", "unknown", None, 9) == tuple(
        last[name] for name in ("written_by", "reason", "stage", "model", "source_offset")
    )


@pytest.mark.parametrize("command", ["list", "show", "stats"])
def test_what_strangers_wrote_is_one_visible_line(
    letters: Filled, capsys: pytest.CaptureFixture[str], command: str, partition: str
) -> None:
    """Escape sequences, line breaks and marks of direction are spelled out, for people and in JSON."""
    place = [f"{partition}:{UNKNOWN}"] if command == "show" else []
    for options in ([], ["--json"]):
        assert 0 == letters.run(command, *place, *options)
        out = capsys.readouterr().out

        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", out)
        assert "\nforged" not in out


def test_counts_are_exact(letters: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    """The total, and by reason and stage; with options of those that are asked for."""
    assert 0 == letters.run("stats", "--json")
    assert {
        "total": 6,
        "by_reason": {"wrong_type": 2, "invalid_utf8": 1, "not_framed": 1, "a.Bad": 1, "unknown": 1},
        "by_stage": {"contract": 2, "decode": 2, "unknown": 2},
    } == json.loads(capsys.readouterr().out)

    assert 0 == letters.run("stats", "--json", "--reason", "wrong_type")
    assert 2 == json.loads(capsys.readouterr().out)["total"]


def test_counts_for_people_have_models_and_schemas(
    letters: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which version was asked, and which schema the values name."""
    assert 0 == letters.run("stats")
    out = capsys.readouterr().out

    assert f"3  fingerprint {visits.PREFIX[2:].hex()}" in out
    assert "1  visits@2" in out
    assert "2023-11-14T22:13:20.000Z to 2023-11-14T22:13:25.000Z" in out
    assert "1  elsewhere" in out


def test_nothing_found_says_what_there_is(letters: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt reason is no error, and not taken for an empty topic."""
    assert 0 == letters.run("list", "--reason", "wrong-type")
    said = capsys.readouterr()

    assert "" == said.out
    assert "reasons there: a.Bad, invalid_utf8, not_framed, unknown, wrong_type; stages: contract" in said.err
    assert "records of 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:25.000Z" in said.err


def test_broken_value_is_shown_up_to_its_byte(
    letters: Filled, capsys: pytest.CaptureFixture[str], partition: str
) -> None:
    """The fields before are read; the byte is marked, counted from the value's first; the schema stands beside."""
    assert 0 == letters.run("show", f"{partition}:{TRUNCATED}", "--json")
    found = json.loads(capsys.readouterr().out)

    assert {"id": 1} == found["value"]
    assert ("decode", "invalid_utf8", "channel", 12) == tuple(
        found["today"][name] for name in ("stage", "reason", "field", "byte")
    )
    assert json.loads(visits.SCHEMA) == found["schema"]
    assert [["mine", "1"]] == found["headers"]

    assert 0 == letters.run("show", f"{partition}:{TRUNCATED}")
    out = capsys.readouterr().out
    assert "byte 12 of the value" in out
    assert "[ff]" in out
    assert re.search(r"channel +string +string +not read +<- failed here", out)


def test_sound_value_is_shown_whole(
    letters: Filled, capsys: pytest.CaptureFixture[str], partition: str
) -> None:
    """What would be read today says so."""
    assert 0 == letters.run("show", f"{partition}:0", "--json")
    found = json.loads(capsys.readouterr().out)

    assert {**visits.visit(1)} == found["value"]
    assert found["today"] is None


def test_value_of_which_nothing_is_known_is_shown_by_its_bytes(
    letters: Filled, capsys: pytest.CaptureFixture[str], partition: str
) -> None:
    """The model's fields stand there without a value."""
    assert 0 == letters.run("show", f"{partition}:{UNKNOWN}")
    out = capsys.readouterr().out

    assert "bytes from 0: c3 01 1b" in out
    assert "not_framed" in out
    assert re.search(r"pages +unknown +int +not read", out)


@pytest.mark.parametrize(
    ("place", "says"),
    [("0:77", "offsets|no letters"), ("7:0", "one of 0 to 3"), ("0", "PARTITION:OFFSET"), ("-1:0", "")],
)
def test_place_where_no_letter_is_is_refused(
    letters: Filled, capsys: pytest.CaptureFixture[str], place: str, says: str
) -> None:
    """Exit 2, and what there is instead."""
    assert 2 == letters.run("show", place)
    assert re.search(says, capsys.readouterr().err)


def test_package_that_is_not_there_leaves_what_the_headers_say(
    letters: Filled, capsys: pytest.CaptureFixture[str], partition: str, tmp_path: Path
) -> None:
    """The schemas are missing, and that is said."""
    config = tmp_path / "stream.toml"
    config.write_text(re.sub(r"uri = .*", 'uri = "nowhere"', letters.config.read_text()))

    assert 0 == Filled(config, letters.topic).run("show", f"{partition}:0")
    out = capsys.readouterr().out
    assert "not decoded: " in out
    assert "reason     wrong_type" in out


def test_embedded_broker_is_tried_on_but_gets_nothing_back(
    letters: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its transactions only pretend, so a replay is refused; a dry run sends nothing, and counts."""
    assert 2 == letters.run("replay")
    assert "might go twice" in capsys.readouterr().err
    assert 0 == letters.run("replay", "--dry-run")
    out = capsys.readouterr().out

    assert "2 of 4 would be scored now; 2 still fail: invalid_utf8 1, not_framed 1" in out
    assert "(--topic T sends those of T): elsewhere" in out

    assert 0 == letters.run("replay", "--dry-run", "--topic", "elsewhere")
    assert "0 of 1 would be scored now; 1 still fail: null_value 1" in capsys.readouterr().out


def test_letters_without_an_original_are_counted_and_marked(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A share group that does not copy records leaves pointers, which no replay can send."""
    pointer = (None, [("__dlq.errors.topic", b"in"), ("__dlq.errors.message", b"gave up")])
    with closing(EmbeddedBroker()) as broker:
        pointers = filled(broker, tmp_path, package, "pointers", [pointer] * 2, key=None)
        said = []
        for command in (
            ["stats"],
            ["stats", "--json"],
            ["list"],
            ["list", "--json"],
            ["replay", "--dry-run"],
        ):
            assert 0 == pointers.run(*command)
            said.append(capsys.readouterr().out)

    stats, counted, listed_for_people, entries, tried = said
    assert "2 hold no original" in stats
    assert 2 == json.loads(counted)["without_original"]
    assert 2 == listed_for_people.count("no original: the share group did not copy it")
    assert [False, False] == [each["copied"] for each in json.loads(entries)]
    assert "2 left out: hold no original" in tried


def test_thousands_of_reasons_are_twenty_lines(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody may write a header; the others are counted together, and no number is cut for a long name."""
    names = ["x" * 5_000, *(f"r{n}" for n in range(300))]
    with closing(EmbeddedBroker()) as broker:
        many = filled(
            broker, tmp_path, package, "many", [(b"", headers_of(name, "decode")) for name in names]
        )
        assert 0 == many.run("stats")
        out = capsys.readouterr().out
        assert 0 == many.run("list", "--reason", "none")

    assert re.search(r"^ *281  281 others; --json", out, re.MULTILINE)
    assert re.search(r"^letters  reason", out, re.MULTILINE)
    assert len(out.splitlines()) < 60
    assert "and 281 others" in capsys.readouterr().err


def test_empty_span_of_time_is_refused(letters: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    """Exchanged bounds are not taken for an empty topic."""
    assert 2 == letters.run("list", "--since", "2h", "--until", "1d")
    assert "no time is after --since" in capsys.readouterr().err


def test_time_that_is_none_is_refused(letters: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 with the forms that are read."""
    assert 2 == letters.run("list", "--since", "yesterday")
    assert "how long ago: 30m" in capsys.readouterr().err
