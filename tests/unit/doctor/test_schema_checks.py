"""The registry: away, or with the wrong subject or schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stream.doctor import Case, Diagnosis
from stream.doctor.schema_checks import input_schema, output_schema, registry
from stream.errors import BrokerRefused, Retriable
from stream.settings import InputSettings, ModelSettings, RegistrySettings, Seconds, Settings
from stream.store import Head, Package
from tests.kafka.confluent import Answer, Memory, served
from tests.kafka.process import free_ports
from tests.unit.doctor.examined import case_of, settings
from tests.unit.store.signed import packed


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Needs two numbers, a and b."""
    return packed(tmp_path_factory.mktemp("m") / "m")


@pytest.fixture
def memory() -> Memory:
    """A registry without schemas."""
    return Memory()


@pytest.fixture
def case(package: Package, memory: Memory) -> Iterator[Case]:
    """After `signature` and `registry`."""
    with served(memory) as url:
        found = configured(package, settings_at(package, url))
        assert "ok" == registry(found).state
        yield found
        assert found.registry is not None
        found.registry.close()


def settings_at(package: Package, url: str, **keys: object) -> Settings:
    """With a registry."""
    chosen = RegistrySettings(url=url, timeout=Seconds(1.0), **keys)  # type: ignore[arg-type]
    model = ModelSettings(uri=str(package.path.parents[1]))
    return replace(settings(), model=model, schema_registry=chosen)


def configured(package: Package, own: Settings) -> Case:
    """After `signature`."""
    case = case_of(own)
    case.head = Head(package.path, "", package.manifest, None)
    return case


def text(*names: str, kind: object = "double", name: str = "Event") -> str:
    """A record's schema."""
    return json.dumps(
        {"type": "record", "name": name, "fields": [{"name": each, "type": kind} for each in names]}
    )


def test_registry_that_is_away_has_its_words(package: Package) -> None:
    """A worker would wait for it."""
    [number] = free_ports(1)

    with pytest.raises(Retriable) as raised:
        registry(configured(package, settings_at(package, f"http://127.0.0.1:{number}")))

    assert "[schema_registry] url" in raised.value.hint


def test_registry_that_does_not_let_us_in(package: Package, memory: Memory) -> None:
    """With the keys to look at."""
    memory.script = [Answer(401, b'{"error_code": 401, "message": "no"}')]
    with served(memory) as url, pytest.raises(BrokerRefused) as raised:
        registry(configured(package, settings_at(package, url)))

    assert "user, password or token" in raised.value.hint


def test_registry_whose_rights_are_on_subjects(package: Package, memory: Memory) -> None:
    """It lets nobody read a subject that is not theirs, and is there."""
    memory.script = [Answer(403, b'{"error_code": 40301, "message": "no"}')]
    with served(memory) as url:
        case = configured(package, settings_at(package, url))

        assert "ok" == registry(case).state
        assert case.registry is not None
        case.registry.close()


def test_without_a_registry_schemas_are_files() -> None:
    """Nothing is asked."""
    assert "ok" == registry(case_of(settings())).state


def state_and_words(line: Diagnosis) -> tuple[str, str]:
    """What a test looks at."""
    return line.state, f"{line.looked_at}: {line.found} → {line.next_step}"


def test_input_subject_with_the_right_schema(case: Case, memory: Memory) -> None:
    """The newest version counts."""
    memory.register("in-value", text("a"))
    memory.register("in-value", text("a", "b"))

    assert "ok" == input_schema(case).state


def test_input_subject_whose_schema_lacks_a_field(case: Case, memory: Memory) -> None:
    """The field and the version are named."""
    memory.register("in-value", text("a"))

    state, words = state_and_words(input_schema(case))

    assert "fail" == state
    assert "subject in-value version 1" in words
    assert "'b'" in words


def test_input_subject_whose_schema_has_nulls(case: Case, memory: Memory) -> None:
    """Some of its events would be dead letters."""
    memory.register("in-value", text("a", "b", kind=["null", "double"]))

    assert "warn" == input_schema(case).state


def test_input_subject_of_another_way_of_naming(case: Case, package: Package, memory: Memory) -> None:
    """The registry has the schema, and the configuration looks elsewhere: the step is the key."""
    name = json.loads(package.features)
    full = ".".join(filter(None, (name.get("namespace"), name["name"])))
    memory.register(full, package.features)

    state, words = state_and_words(input_schema(case))

    assert "fail" == state
    assert f"it has {full}" in words
    assert 'set `[schema_registry] subject = "record"`' in words


def test_input_subject_that_is_not_there(case: Case) -> None:
    """Nobody has registered anything."""
    state, words = state_and_words(input_schema(case))

    assert "fail" == state
    assert "stream produce --register" in words


def test_prediction_schema_that_is_registered(case: Case, package: Package, memory: Memory) -> None:
    """Its id is told."""
    memory.register("out-value", package.prediction)

    assert ("ok", True) == ((line := output_schema(case)).state, "id 1" in line.found)


def test_prediction_schema_that_is_not_registered(case: Case, memory: Memory) -> None:
    """A worker would refuse to start."""
    missing = Answer(404, b'{"error_code": 40401, "message": "not found"}')
    memory.script = [missing, missing]

    state, words = state_and_words(output_schema(case))

    assert "fail" == state
    assert "stream topics --create" in words


def test_prediction_schema_that_the_worker_registers(package: Package, memory: Memory) -> None:
    """It is not there yet, and need not be."""
    missing = Answer(404, b'{"error_code": 40401, "message": "not found"}')
    with served(memory) as url:
        case = configured(package, settings_at(package, url, register=True))
        registry(case)
        memory.script = [missing, missing]

        assert "ok" == output_schema(case).state
        assert case.registry is not None
        case.registry.close()


def test_prediction_schema_that_does_not_fit(case: Case, memory: Memory) -> None:
    """In the registry's words."""
    memory.script = [
        Answer(404, b'{"error_code": 40403, "message": "not found"}'),
        Answer(200, b'{"is_compatible": false, "messages": ["why"]}'),
    ]

    state, words = state_and_words(output_schema(case))

    assert "fail" == state
    assert "latest version: why" in words


@pytest.mark.parametrize(("names", "expected"), [(("a", "b"), "ok"), (("a",), "fail")])
def test_configured_schema_file(
    tmp_path: Path, package: Package, names: tuple[str, ...], expected: str
) -> None:
    """Compared as a registered one."""
    (tmp_path / "event.avsc").write_text(text(*names))
    own = replace(
        settings(),
        model=ModelSettings(uri=str(package.path.parents[1])),
        input=InputSettings("in", schema=Path("event.avsc")),
        base=tmp_path,
    )
    case = case_of(own)
    case.head = Head(package.path, "", package.manifest, None)

    assert expected == input_schema(case).state
