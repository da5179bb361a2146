"""`stream explain`: what is proven of a prediction, what differs, and what is gone; on the embedded broker."""

from __future__ import annotations

import io
import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import fastavro
import pytest

import stream
from stream.store import PackRequest, SigningKey, pack
from stream.transport import EmbeddedBroker
from tests.acceptance import visits
from tests.damage import damage
from tests.unit.explain.scene import Scene, made

KEYS = {
    "": {"proven", "claims", "prediction", "others", "event", "package", "features", "rescored"},
    "claims": {"claim", "standing", "says", "found"},
    "prediction": {"topic", "partition", "offset", "timestamp", "key", "key_hex", "headers", "value_hex", "gone",
                   "schema", "fields"},
    "event": {"topic", "partition", "offset", "timestamp", "key", "key_hex", "headers", "value_hex", "gone",
              "differs_in", "schema", "fields", "fault", "carried"},
    "package": {"model", "gone", "refused", "passed", "folder", "created", "manifest_sha256", "files", "schemas",
                "signed", "signer", "task", "tolerance", "metrics", "libraries", "fitted", "differences", "proof"},
    "features": {"name", "path", "avro", "written", "source", "dtype", "value", "missing"},
    "rescored": {"likeness", "how", "difference", "answer", "value_equal", "attempts"},
}  # fmt: skip
"""The object's keys: auditors' programs read them."""

EVENT = (b"visit-1", visits.framed(visits.visit(1)), [("mine", b"1"), ("mine", None)])

HOSTILE = "\x1b[2J\u202e\nforged: line"

Make = Callable[..., Scene]


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """One for all; each test has topics of its own."""
    with closing(EmbeddedBroker()) as broker:
        yield broker


@pytest.fixture
def make(broker: EmbeddedBroker, tmp_path: Path, package: Path, request: pytest.FixtureRequest) -> Make:
    """A scene of the test's own: `make(package=…, more=…)`."""

    def build(chosen: Path = package, more: str = "") -> Scene:
        name = f"{abs(hash(request.node.name)):x}"
        return made(broker, tmp_path, chosen, name, more)

    return build


@pytest.fixture
def scene(make: Make) -> Scene:
    """One event and its prediction."""
    scene = make()
    scene.score([EVENT])
    return scene


@pytest.fixture
def copied(tmp_path: Path, package: Path) -> Path:
    """A copy of the package, to be damaged."""
    return Path(shutil.copytree(package, tmp_path / "copied"))


def standings(found: dict[str, Any]) -> dict[str, str]:
    """Claim → how it stands."""
    return {each["claim"]: each["standing"] for each in found["claims"]}


def failed(found: dict[str, Any]) -> dict[str, str]:
    """The same, those that are no success."""
    return {claim: how for claim, how in standings(found).items() if how in ("differs", "unproven")}


def said(found: dict[str, Any], claim: str) -> str:
    """What was found of a claim."""
    return str(next(each["found"] for each in found["claims"] if each["claim"] == claim))


def prediction(package: Path, **changed: object) -> bytes:
    """A prediction of event 1, some fields changed (a function makes it of the score), written by another library."""
    schema = json.loads((package / "versions/1/prediction.avsc").read_text())
    score = stream.load(package).predict(visits.visit(1))["score"]  # its last bit is the processor's
    fields = {"id": 1, "label": "buys", "score": score, "model": "visits@1",
              "source_partition": 3, "source_offset": 0, **changed}  # fmt: skip
    fields = {name: value(score) if callable(value) else value for name, value in fields.items()}
    parsed = fastavro.parse_schema(schema)
    mark = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(parsed), "CRC-64-AVRO")
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed, fields)
    return b"\xc3\x01" + bytes.fromhex(mark) + out.getvalue()


def forged(scene: Scene, package: Path, **changed: object) -> Scene:
    """The event, and a prediction that no worker made."""
    scene.send(scene.topics[0], *EVENT)
    scene.send(scene.topics[1], EVENT[0], prediction(package, **changed), EVENT[2])
    return scene


@pytest.mark.parametrize("asked", [["visit-1"], ["3:0"], ["--hex", b"visit-1".hex()], ["--all", "visit-1"]])
def test_prediction_is_proven_to_the_last_bit(
    scene: Scene, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    """By key or by place: event, schema, package and features are there, and the answer is the same; exit 0."""
    code, found = scene.asked(capsys, *asked)

    assert (0, True, {}) == (code, found["proven"], failed(found))
    assert {"signature": "not asked"} == {c: how for c, how in standings(found).items() if how != "proven"}
    assert ("bit-equal", True) == (found["rescored"]["likeness"], found["rescored"]["value_equal"])
    assert visits.visit(1) == found["event"]["fields"]
    assert [["mine", "1"], ["mine", None]] == found["event"]["headers"]
    assert EVENT[1].hex() == found["event"]["value_hex"]
    assert {"id": True} == found["event"]["carried"]


def test_object_has_the_documented_keys(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of them is in docs/explain.md too."""
    _, found = scene.asked(capsys, "visit-1")

    objects = {"": found, **{name: found[name] for name in KEYS if name}}
    some = {name: one[0] if isinstance(one, list) else one for name, one in objects.items()}
    assert KEYS == {name: set(one) for name, one in some.items()}
    page = Path("docs/explain.md").read_text("utf-8")
    assert [] == [key for keys in KEYS.values() for key in keys if f"`{key}`" not in page]


def test_features_are_as_the_model_saw_them(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """A null number is NaN to the model; one that the event's schema lacks is the default, and said to be."""
    scene = make()
    lacking = json.loads(visits.SCHEMA)
    del lacking["fields"][3]
    (scene.config.parent / "old.avsc").write_text(json.dumps(lacking))
    scene.config.write_text(scene.config.read_text().replace("[output]", 'schema = "old.avsc"\n[output]'))
    row = visits.visit(5)
    scene.score([(b"null", visits.framed(row), ()), (b"old", visits.framed_as(lacking, row), ())])

    for key, source in (("null", "event"), ("old", "default")):
        code, found = scene.asked(capsys, key)
        seen = {each["name"]: each for each in found["features"]}
        assert 0 == code
        assert ("NaN", None, "float64", source) == tuple(
            seen["seconds"][name] for name in ("missing", "value", "dtype", "source")
        )
        assert (row["pages"], float(row["pages"])) == (seen["pages"]["written"], seen["pages"]["value"])
    assert "[input] schema old.avsc" == found["event"]["schema"]["found_by"]


def test_newest_of_several_is_explained_and_the_others_are_named(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that came three times has three predictions."""
    scene = make()
    scene.score([(b"one", visits.framed(visits.visit(n)), ()) for n in range(3)])

    code, found = scene.asked(capsys, "one")

    assert (0, 2) == (code, found["prediction"]["fields"]["id"])
    assert [1, 0] == [each["offset"] for each in found["others"]]


def test_key_that_looks_like_a_place_is_asked_for_by_an_option(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it the text is a place."""
    scene = make()
    scene.score([(b"7:12", EVENT[1], ())])

    assert 2 == scene.run("7:12")
    assert "has partitions 0 to 3 only" in capsys.readouterr().err
    assert 0 == scene.run("--key", "7:12")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--hex", "xyz"], "is not hexadecimal"),
        (["--all", "3:0"], "is a place"),
        (["3:9999999999999999999"], "is no place on a topic"),
        (["1234567890:1"], "is no place on a topic"),
        (["3:99"], "ends at offset 0, so 99 is not there"),
    ],
)
def test_wrong_usage_is_refused(
    scene: Scene, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """Exit 2, with what is wrong."""
    assert 2 == scene.run(*arguments)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        (0, "an event has"),
        (2, "stream deadletters show 0:0"),
        (None, "no dead letter, and no event"),
    ],
)
def test_key_without_a_prediction_says_what_has_it(
    make: Make, capsys: pytest.CaptureFixture[str], topic: int | None, told: str
) -> None:
    """Exit 2: an event that is not scored yet, a dead letter, or nothing."""
    scene = make()
    key = b"k1"
    if topic is not None:
        scene.send(scene.topics[topic], key, EVENT[1])
        told = told.replace("0:0", f"{_partition(scene, topic, key)}:0")

    assert 2 == scene.run(key.decode())
    assert told in capsys.readouterr().err


def _partition(scene: Scene, topic: int, key: bytes) -> int:
    from stream.explain import opened_topic

    with opened_topic(scene.settings, scene.topics[topic]) as records:
        return records.newest_of(key)[0].place.partition


@pytest.mark.parametrize(
    ("changed", "expected", "likeness"),
    [
        ({"score": lambda score: score + 1e-13}, {}, "within tolerance"),
        ({"score": 0.0886}, {"answer": "another answer: score"}, "differs"),
        ({"score": math.nan}, {"answer": "another answer: score"}, "differs"),
        ({"label": "leaves"}, {"answer": "another answer: label"}, "differs"),
        ({"label": "", "score": 1.0}, {"answer": "another answer: label, score"}, "differs"),
        ({"id": 2}, {"carried": "not the event's: id"}, "bit-equal"),
    ],
)
def test_published_value_that_is_not_the_model_s_is_found(
    make: Make, package: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, object],
    expected: dict[str, str], likeness: str,
) -> None:  # fmt: skip
    """Exit 1, and which claim fails; what is equal within the tolerance is equal, and said not to be to the bit."""
    scene = forged(make(), package, **changed)

    code, found = scene.asked(capsys, "visit-1")

    assert (1 if expected else 0, dict.fromkeys(expected, "differs")) == (code, failed(found))
    assert [] == [claim for claim, told in expected.items() if told not in said(found, claim)]
    assert likeness == found["rescored"]["likeness"]
    assert not found["rescored"]["value_equal"]
    if likeness == "within tolerance":
        assert {2, 6, 30, 200} <= {
            int(h.split()[1]) for a in found["rescored"]["attempts"] if (h := a["how"])[0] == "w"
        }


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"source_offset": 7}, "ends at offset 0, so 7 is not there"),
        ({"source_offset": -1}, "can't have an offset -1"),
        ({"source_partition": 9}, "has partitions 0 to 3 only"),
        ({"source_partition": -1}, "has partitions 0 to 3 only"),
    ],
)
def test_event_that_is_not_there_leaves_the_answer_unproven(
    make: Make, package: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, object], told: str
) -> None:
    """The prediction and its package are shown; what can't be shown is said."""
    scene = forged(make(), package, **changed)

    code, found = scene.asked(capsys, "visit-1")

    assert (1, {"event", "carried", "answer"}) == (code, set(failed(found)))
    assert told in said(found, "event")
    assert "can't be shown" in said(found, "event")
    assert told in found["event"]["gone"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda value: value + b"\0", "1 bytes too many"),
        (lambda value: value[:-2], "the value ends inside"),
        (lambda value: value[:12], "4 bytes announced, 0 left"),
        (
            lambda value: b"\xc3\x01" + bytes(8) + value[10:],
            "no schema with the fingerprint 0000000000000000",
        ),
        (lambda value: b"", "found nothing"),
    ],
)
def test_value_that_is_not_a_prediction_says_why(
    make: Make, package: Path, capsys: pytest.CaptureFixture[str], change: Callable[[bytes], bytes], told: str
) -> None:
    """Cut, prolonged or strange: the fault is named, and nothing is said of a model or an event that it may name."""
    scene = make()
    scene.send(scene.topics[1], EVENT[0], change(prediction(package)))

    code, found = scene.asked(capsys, "visit-1")

    assert (1, {"unproven"}) == (code, set(standings(found).values()))
    assert told in said(found, "prediction")
    for claim in ("event", "package"):
        assert "the prediction can't be read, so it is not known" in said(found, claim)


def test_version_whose_files_changed_is_named_where_nothing_else_reads_the_prediction(
    make: Make, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its schema is not believed, and the reason is said, and where it was looked for."""
    scene = make(copied)
    scene.score([EVENT])
    schema = copied / "versions/1/prediction.avsc"
    schema.write_text(schema.read_text() + " ")

    code, found = scene.asked(capsys, "visit-1")

    assert (1, "unproven") == (code, standings(found)["prediction"])
    assert f"versions kept in {copied}: 1; " in said(found, "prediction")
    assert f"{schema}: has 609 bytes, expected 608" in said(found, "prediction")


def test_event_that_retention_deleted_is_said_to_be_deleted(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """The embedded broker keeps 5 MiB of a partition."""
    scene = make()
    scene.score([EVENT])
    for _ in range(7):
        scene.send(scene.topics[0], EVENT[0], b"\0" * 900_000)

    code, found = scene.asked(capsys, "visit-1")

    assert (1, "unproven") == (code, standings(found)["answer"])
    assert "was deleted" in said(found, "event")


def test_prediction_that_retention_deleted_is_said_to_be_deleted(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its place: nothing of it can be shown, exit 1."""
    scene = make()
    for _ in range(7):
        scene.send(scene.topics[1], EVENT[0], b"\0" * 900_000)

    code, found = scene.asked(capsys, "3:0")

    assert (1, False) == (code, found["proven"])
    assert "was deleted" in found["prediction"]["gone"]
    assert {"unproven"} == set(standings(found).values())


def test_another_record_at_the_place_is_not_taken_for_the_event(
    make: Make, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The input topic was made anew: its key tells, and nothing is scored."""
    scene = make()
    scene.send(scene.topics[0], b"visit-12", EVENT[1], EVENT[2])
    place = {"source_partition": _partition(scene, 0, b"visit-12")}
    scene.send(scene.topics[1], EVENT[0], prediction(package, **place), EVENT[2])

    code, found = scene.asked(capsys, "visit-1")

    assert (1, ["key"]) == (code, found["event"]["differs_in"])
    assert {"event": "differs", "carried": "unproven", "answer": "unproven"} == failed(found)


def _without_version(package: Path) -> None:
    shutil.copytree(package / "versions/1", package / "versions/2")
    manifest = package / "versions/2/manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
    shutil.rmtree(package / "versions/1")
    (package / "current").write_text("2")


def _other_bytes(package: Path) -> None:
    damage(package / "versions/1/model.joblib")


def _other_answers(package: Path) -> None:
    """A model that was packed anew under the number of the old one."""
    from sklearn.dummy import DummyClassifier

    shutil.rmtree(package)
    frame, labels = [visits.visit(n) for n in range(40)], ["buys", "leaves"] * 20
    import pandas as pd

    columns = pd.DataFrame(frame)[["channel", "pages", "seconds"]]
    model = DummyClassifier(strategy="prior").fit(columns, labels)
    pack(model, PackRequest("visits", package, carry=("id",)), schema=visits.SCHEMA)


@pytest.mark.parametrize(
    ("damage", "expected", "told"),
    [
        (_without_version, {"package": "unproven", "answer": "unproven"}, "does not keep version 1"),
        (_other_bytes, {"package": "differs", "answer": "unproven"}, "its sha256 is"),
        (_other_answers, {"answer": "differs"}, ""),
    ],
)
def test_version_that_is_not_what_it_was_is_found(
    make: Make, copied: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None],
    expected: dict[str, str], told: str,
) -> None:  # fmt: skip
    """Removed, changed, or packed anew under its number."""
    scene = make(copied)
    scene.score([EVENT])
    damage(copied)

    code, found = scene.asked(capsys, "visit-1")

    assert 1 == code
    assert expected.items() <= failed(found).items()
    assert told in said(found, "package")
    assert visits.visit(1) == found["event"]["fields"]


def test_package_of_another_model_is_named_and_another_place_can_be_given(
    make: Make, copied: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The configuration serves another model now; the old one is kept elsewhere."""
    manifest = copied / "versions/1/manifest.json"
    manifest.write_text(manifest.read_text().replace('"visits"', '"others"'))
    scene = forged(make(copied), package)

    code, found = scene.asked(capsys, "visit-1")
    assert (1, "unproven") == (code, standings(found)["package"])
    assert "is another model's package: others@1 (--model DIR)" in said(found, "package")

    assert 0 == scene.asked(capsys, "visit-1", "--model", str(package))[0]
    assert 0 == scene.asked(capsys, "visit-1", "--model", str(package / "versions/1"))[0]


@pytest.mark.parametrize(
    ("signs", "trusts", "required", "expected"),
    [
        (True, True, True, "proven"),
        (True, False, False, "differs"),
        (True, None, False, "not asked"),
        (False, True, True, "unproven"),
        (False, True, False, "not asked"),
    ],
)
def test_signature_is_verified_now(
    make: Make, copied: Path, capsys: pytest.CaptureFixture[str], signs: bool, trusts: bool | None,
    required: bool, expected: str,
) -> None:  # fmt: skip
    """Against the keys that the configuration trusts today; trusts False is another key."""
    key, other = SigningKey(b"\1" * 32), SigningKey(b"\2" * 32)
    version = copied / "versions/1"
    if signs:
        (version / "manifest.sig").write_bytes(key.sign((version / "manifest.json").read_bytes()))
    scene = forged(make(copied), copied)
    if trusts is not None:
        pem = (key if trusts else other).public.pem
        text = scene.config.read_text().replace(
            "[input]", f"require_signature = {str(required).lower()}\ntrusted_keys = ['''{pem}''']\n[input]"
        )
        scene.config.write_text(text)

    code, found = scene.asked(capsys, "visit-1")

    assert expected == standings(found)["signature"]
    assert (0 if expected in ("proven", "not asked") else 1) == code


def test_forwarded_null_names_no_model(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """A tombstone's prediction is null."""
    scene = make()
    scene.send(scene.topics[1], b"visit-1", None)

    code, found = scene.asked(capsys, "visit-1")

    assert (1, None, None) == (code, found["event"], found["package"])
    assert "tombstone" in said(found, "prediction")


@pytest.mark.parametrize("value", [b"", b"junk", b"\0\0\0\0\1abc", EVENT[1]])
def test_value_that_is_no_prediction_is_said_to_be_none(
    make: Make, capsys: pytest.CaptureFixture[str], value: bytes
) -> None:
    """Somebody else wrote to the output topic: exit 1, the reason, and no guess."""
    scene = make()
    scene.send(scene.topics[1], b"visit-1", value)

    code, found = scene.asked(capsys, "visit-1")

    assert (1, None, value.hex()) == (code, found["prediction"]["fields"], found["prediction"]["value_hex"])
    assert "can't be read" in said(found, "prediction")


def test_bare_prediction_is_read_with_the_schema_of_the_version_that_it_names(
    make: Make, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing in a bare value names a schema; no other version's is tried."""
    scene = make()
    scene.config.write_text(
        scene.config.read_text().replace("[dead_letters]", 'framing = "bare"\n[dead_letters]')
    )
    scene.send(scene.topics[0], *EVENT)
    scene.send(scene.topics[1], EVENT[0], prediction(package)[10:], EVENT[2])
    scene.send(scene.topics[1], b"other", prediction(package, model="visits@7")[10:], EVENT[2])

    assert 0 == scene.asked(capsys, "visit-1")[0]
    assert "unproven" == standings(scene.asked(capsys, "other")[1])["prediction"]


@pytest.mark.parametrize("json_out", [True, False])
def test_what_strangers_wrote_is_visible_characters(
    make: Make, package: Path, capsys: pytest.CaptureFixture[str], json_out: bool
) -> None:
    """Key, header, text and model name of a record."""
    scene = make()
    row = {**visits.visit(1), "channel": HOSTILE}
    headers = [(HOSTILE, HOSTILE.encode())]
    scene.send(scene.topics[0], HOSTILE.encode(), visits.framed(row), headers)
    place = {"source_partition": _partition(scene, 0, HOSTILE.encode())}
    for changed in ({}, {"model": f"{HOSTILE}@1"}):
        value = prediction(package, **place, **changed)
        scene.send(scene.topics[1], HOSTILE.encode(), value, headers)
        assert 1 == scene.run(HOSTILE, *(["--json"] if json_out else []))
        out = capsys.readouterr().out
        assert [] == [letter for letter in out if letter not in "\n" and not letter.isprintable()]
        assert not any(line.startswith("forged") for line in out.splitlines())
