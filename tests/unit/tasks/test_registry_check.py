"""The registry's versions and the topic's records, as `stream check` sees them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from stream.codec import RecordSchema, confluent_prefix
from stream.errors import Stopped
from stream.records import Batch
from stream.registry import Client, Connection
from stream.settings import InputSettings, ModelSettings, RegistrySettings, Settings
from stream.store import Package, PackRequest, open_package, pack
from stream.tasks import check_contract
from stream.tasks.findings import Finding
from stream.tasks.registry_check import registered
from stream.testing import batch_of
from tests.kafka.confluent import Answer, Memory, served


def text(**fields: object) -> str:
    """An event's schema."""
    listed = [{"name": name, "type": kind} for name, kind in fields.items()]
    return json.dumps({"type": "record", "name": "Event", "fields": listed})


SOUND = text(id="string", delay="double")
RENAMED = text(id="string", dep_delay="double")
PROMOTED = text(id="string", delay="int")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A model that needs `delay`, and carries `id`."""
    x = np.array([[0.0], [1.0], [2.0]])
    folder = tmp_path_factory.mktemp("packages") / "line"
    pack(LinearRegression().fit(x, x[:, 0]), PackRequest("line", folder, carry=("id",)), schema=SOUND)
    return open_package(folder)


@pytest.fixture
def memory() -> Memory:
    """An empty registry."""
    return Memory()


def settings_at(url: str, **keys: object) -> Settings:
    """A configuration with a registry."""
    registry = RegistrySettings(url=url, **keys)  # type: ignore[arg-type]
    return Settings(schema_registry=registry, input=InputSettings(topic="in"))


def found(memory: Memory, package: Package, *ids: int | None, down: bool = False) -> list[Finding]:
    """What is said of the registry's versions, with records of these ids on the topic; None = no id."""
    values: list[bytes | None] = [b"junk" if one is None else confluent_prefix(one) + b"x" for one in ids]
    client = Client(Connection(RegistrySettings(url="http://r"), transport=memory.transport))

    def look():  # type: ignore[no-untyped-def]
        if down:
            raise Stopped("no broker answers")
        return batch_of(values)

    features = RecordSchema(package.features)
    return list(registered(settings_at("http://r"), client, features, package.manifest, look))


class TestVersions:
    """Every version of the subject."""

    def test_sound_versions_have_nothing_to_say(self, memory: Memory, package: Package) -> None:
        """Registered, and on the topic."""
        assert [] == found(memory, package, memory.register("in-value", SOUND))

    def test_subject_without_versions_is_a_warning(self, memory: Memory, package: Package) -> None:
        """Nobody has registered the events' schema yet."""
        [finding] = found(memory, package)

        assert ("warning", "in-value") == (finding.severity, finding.where)

    def test_wrong_version_on_the_topic_is_a_warning(self, memory: Memory, package: Package) -> None:
        """Its records become dead letters, by name of the field."""
        ids = memory.register("in-value", SOUND), memory.register("in-value", RENAMED)

        [finding] = found(memory, package, *ids)

        assert ("warning", "in-value version 2") == (finding.severity, finding.where)
        assert "delay" in finding.message
        assert "none of the topic's" not in finding.message

    def test_wrong_version_that_has_left_the_topic_is_a_note(self, memory: Memory, package: Package) -> None:
        """Older than every version that was seen."""
        memory.register("in-value", RENAMED)

        [finding] = found(memory, package, memory.register("in-value", SOUND))

        assert ("info", "in-value version 1") == (finding.severity, finding.where)
        assert "on none of the topic's first and last records" in finding.message

    def test_wrong_version_to_come_is_a_warning(self, memory: Memory, package: Package) -> None:
        """Registered, not yet on the topic: the producer is about to write it."""
        first = memory.register("in-value", SOUND)
        memory.register("in-value", RENAMED)

        [finding] = found(memory, package, first)

        assert "warning" == finding.severity
        assert "none of the topic's" in finding.message

    def test_every_version_has_its_findings(self, memory: Memory, package: Package) -> None:
        """Broken ones, promoted ones, wrong ones: each by its number."""
        for each in (PROMOTED, "{", RENAMED, '"string"'):
            memory.register("in-value", each)

        findings = found(memory, package)

        assert [f"in-value version {i}" for i in (1, 2, 3, 4)] == [one.where for one in findings]
        assert ["info", "warning", "warning", "warning"] == [one.severity for one in findings]


class TestTopic:
    """What its records carry."""

    def test_ids_that_will_be_dead_letters_are_counted(self, memory: Memory, package: Package) -> None:
        """Of another subject, unknown, or none at all."""
        ours = memory.register("in-value", SOUND)
        other = memory.register("other-value", RENAMED)

        findings = found(memory, package, ours, other, other, 99, None)

        assert {"warning"} == {one.severity for one in findings}
        assert [
            "1 of the 5 records looked at: they do not carry a schema's id",
            "2 of the 5 records looked at: Event, id 2, is not registered under in-value, but under other-value",
            "1 of the 5 records looked at: the registry has no schema of id 99",
        ] == [one.message for one in findings]

    def test_broker_that_is_away_is_a_note(self, memory: Memory, package: Package) -> None:
        """The versions are looked at all the same."""
        memory.register("in-value", RENAMED)

        assert ["info", "warning"] == [one.severity for one in found(memory, package, down=True)]


class TestOutput:
    """The prediction's schema, and a registry that does not answer."""

    @pytest.fixture
    def model(self, package: Package) -> ModelSettings:
        """Where the package is."""
        return ModelSettings(uri=str(package.path.parents[1]))

    def _output(self, url: str, model: ModelSettings, **keys: object) -> list[Finding]:
        settings = replace(settings_at(url, **keys), model=model)
        settings = replace(settings, input=replace(settings.input, framing="bare"))
        return check_contract(
            settings,
            lambda own: {own.input.topic, own.output.topic, own.dead_letters.topic},
            lambda own: Batch(own.input.topic),
        )

    def test_schema_that_is_not_registered_is_refused(self, memory: Memory, model: ModelSettings) -> None:
        """The worker would not start; where it may register, that is a note."""
        memory.script = []
        missing = Answer(404, b'{"error_code": 40401, "message": "not found"}')
        with served(memory) as url:
            memory.script = [missing, missing]
            [finding] = self._output(url, model)
            memory.script = [missing, missing]
            [note] = self._output(url, model, register=True)

        assert ("error", "info") == (finding.severity, note.severity)
        assert "stream topics --create" in finding.hint

    def test_incompatible_schema_is_refused_with_the_reason(
        self, memory: Memory, model: ModelSettings
    ) -> None:
        """In the registry's words, Confluent's and Apicurio's."""
        missing = Answer(404, b'{"error_code": 40403, "message": "not found"}')
        said = [
            b'{"is_compatible": false, "messages": ["why"]}',
            b'{"is_compatible": false, "reason": "why"}',
        ]
        with served(memory) as url:
            for each in said:
                memory.script = [missing, Answer(200, each)]
                [finding] = self._output(url, model, register=True)

                assert ("error", True) == (
                    finding.severity,
                    finding.message.endswith("latest version: why"),
                )

    def test_registered_schema_has_nothing_to_say(
        self, memory: Memory, package: Package, model: ModelSettings
    ) -> None:
        """Whatever the latest version is: a model that was rolled back may go on."""
        topic = settings_at("http://r").output.topic
        memory.register(f"{topic}-value", package.prediction)
        memory.register(f"{topic}-value", SOUND)
        with served(memory) as url:
            assert [] == self._output(url, model)

    def test_registry_that_does_not_answer_is_a_finding(self, model: ModelSettings) -> None:
        """By its address."""
        [finding] = self._output("http://127.0.0.1:1", model)

        assert ("error", "http://127.0.0.1:1") == (finding.severity, finding.where)
        assert "ConnectError" in finding.message
