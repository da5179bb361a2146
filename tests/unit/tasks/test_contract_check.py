"""`stream check`: every finding, worst first, by name and with its hint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LinearRegression

from stream.cli.check import check as command
from stream.errors import BrokerRefused, Retriable, StreamError
from stream.records import Batch
from stream.settings import InputSettings, ModelSettings, Settings
from stream.store import PackRequest, pack
from stream.tasks import check_contract

FIELDS = {"id": "string", "delay": "double", "weight": "double"}


def text(fields: Mapping[str, object]) -> str:
    """A record's schema."""
    listed = [{"name": name, "type": kind} for name, kind in fields.items()]
    return json.dumps({"type": "record", "name": "Event", "fields": listed})


def packed(folder: Path, carry: tuple[str, ...] = ("id",)) -> None:
    """The next version of a small model."""
    x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    pack(
        LinearRegression().fit(x, x[:, 0]),
        PackRequest("line", folder, carry=carry),
        schema=text(dict(FIELDS)),
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A configuration with a sound package and the events' schema in a file."""
    packed(tmp_path / "line")
    (tmp_path / "event.avsc").write_text(text(dict(FIELDS)))
    return Settings(
        model=ModelSettings(uri="line"), input=InputSettings(schema=Path("event.avsc")), base=tmp_path
    )


def found(settings: Settings) -> list[tuple[str, str]]:
    """Severity and message of each finding."""
    return [(one.severity, one.message) for one in check_contract(settings, everything, nothing)]


def everything(settings: Settings) -> set[str]:
    """A broker that has all topics."""
    return {settings.input.topic, settings.output.topic, settings.dead_letters.topic}


def nothing(settings: Settings) -> Batch:
    """A topic without records."""
    return Batch(settings.input.topic)


class TestCheck:
    """What is looked at."""

    def test_sound_contract_has_nothing_to_say(self, settings: Settings) -> None:
        """Model, schemas and file agree."""
        assert [] == found(settings)

    def test_every_change_upstream_is_found_worst_first(self, settings: Settings) -> None:
        """A field renamed, one retyped and one made nullable are three findings, not one."""
        changed = {"id": ["null", "string"], "dep_delay": "double", "weight": "string"}
        (settings.base / "event.avsc").write_text(text(changed))

        findings = found(settings)

        assert ["error", "error", "warning", "info"] == [severity for severity, _ in findings]
        assert "renamed to 'dep_delay'" in "".join(message for _, message in findings)

    def test_package_that_does_not_open_is_the_finding(self, settings: Settings) -> None:
        """A tampered package is refused with the step's name."""
        (settings.base / "line/versions/1/features.avsc").write_text("{}")

        [(severity, message)] = found(settings)

        assert "error" == severity
        assert "features.avsc" in message

    @pytest.mark.parametrize(
        ("field", "why"),
        [
            pytest.param({"photo": "bytes"}, "field 'photo' is bytes", id="bytes"),
            pytest.param({"x": ["int", "string"]}, "field 'x' is a union of other types", id="union"),
        ],
    )
    def test_schema_that_is_read_value_by_value_is_said_with_the_field(
        self, settings: Settings, field: Mapping[str, object], why: str
    ) -> None:
        """Ten times slower, and nobody would know; it is no fault."""
        (settings.base / "event.avsc").write_text(text({**FIELDS, **field}))

        findings = found(settings)

        assert {"info"} == {severity for severity, _ in findings}
        assert [True] == [why in message for _, message in findings if "one by one" in message]

    def test_dropped_carried_field_is_a_warning(self, settings: Settings) -> None:
        """A version whose predictions lack what the one before had is reported: downstream reads it."""
        packed(settings.base / "line", carry=())

        [(severity, message), (note, about)] = found(settings)

        assert "warning" == severity
        assert "'id'" in message
        assert "info" == note
        assert "events.avsc" in about

    def test_missing_schema_file_is_refused(self, settings: Settings) -> None:
        """A path that leads nowhere is named."""
        lost = replace(settings, input=InputSettings(schema=Path("nowhere.avsc")))

        [(severity, message)] = found(lost)

        assert "error" == severity
        assert "nowhere.avsc" in message


class TestTopics:
    """What the broker has."""

    def test_each_missing_topic_is_a_warning(self, settings: Settings) -> None:
        """Those that are not there are named by key, with the command that makes them."""
        findings = check_contract(settings, lambda own: everything(own) - {own.output.topic}, nothing)

        [missing] = findings
        assert ("warning", f"[output] topic {settings.output.topic}") == (missing.severity, missing.where)
        assert "`stream topics --create`" in missing.hint

    @pytest.mark.parametrize(
        ("error", "severity"), [(Retriable("timed out"), "info"), (BrokerRefused("bad password"), "error")]
    )
    def test_broker_that_cannot_be_asked_is_told(
        self, settings: Settings, error: StreamError, severity: str
    ) -> None:
        """One that is away proves nothing; one that refuses would refuse the worker, too."""

        def look(own: Settings) -> set[str]:
            raise error

        [finding] = check_contract(settings, look, nothing)

        assert severity == finding.severity
        assert error.message in finding.message

    def test_broker_that_does_not_answer_is_waited_for_once(self, settings: Settings) -> None:
        """The records are not asked for after the topics were."""

        def look(own: Settings) -> set[str]:
            raise Retriable("timed out")

        def read(own: Settings) -> Batch:
            raise AssertionError("a second wait")

        [finding] = check_contract(settings, look, read)

        assert "info" == finding.severity


class TestExitCode:
    """2 for an error, 1 for a warning, 0 otherwise."""

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            (FIELDS, 0),
            ({**FIELDS, "delay": "int"}, 0),
            ({**FIELDS, "id": ["null", "string"]}, 1),
            ({**FIELDS, "weight": "string"}, 2),
        ],
    )
    def test_exit_code_is_the_worst_finding(
        self, settings: Settings, fields: dict[str, object], code: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A promotion is information, a new null a warning, another type an error."""
        (settings.base / "event.avsc").write_text(text(fields))
        config = settings.base / "stream.toml"
        checked = partial(check_contract, look=everything, read=nothing)
        monkeypatch.setattr("stream.tasks.contract_check.check_contract", checked)
        config.write_text('[model]\nuri = "line"\n[input]\nschema = "event.avsc"\n')

        result = CliRunner().invoke(command, ["--config", str(config), "--json"], standalone_mode=False)

        assert code == result.return_value
        assert isinstance(json.loads(result.stdout), list)
