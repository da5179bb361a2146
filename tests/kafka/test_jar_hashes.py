"""Nothing that Maven fetched is run before it has the hash that is kept for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kafka.artifacts import AVRO, NEWEST, OLDEST, USUAL
from tests.kafka.jar_hashes import WrongHash, check_jars, known_hashes, write_hashes


@pytest.fixture
def jars(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of two jars, and the list of their hashes."""
    folder, listed = tmp_path / "jars", tmp_path / "jars.sha256"
    folder.mkdir()
    (folder / "a.jar").write_bytes(b"a")
    (folder / "b.jar").write_bytes(b"b")
    write_hashes([folder], listed)
    return folder, listed


def test_jars_as_they_were_are_taken(jars: tuple[Path, Path]) -> None:
    """The list is as `sha256sum` writes it."""
    check_jars(*jars)

    assert ["a.jar", "b.jar"] == list(known_hashes(jars[1]))
    assert "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.jar" in jars[1].read_text()


@pytest.mark.parametrize(
    ("name", "content"), [("b.jar", b"B"), ("b.jar", b""), ("c.jar", b"b"), ("a.jar.sh", b"a")]
)
def test_jar_that_differs_or_is_new_is_refused(jars: tuple[Path, Path], name: str, content: bytes) -> None:
    """Also one that nobody has listed."""
    (jars[0] / name).write_bytes(content)

    with pytest.raises(WrongHash, match=name):
        check_jars(*jars)


def test_every_version_that_the_tests_run_has_its_hashes() -> None:
    """Both ends of Kafka, Avro Java, the registry."""
    wanted = {f"kafka-clients-{version}.jar" for version in (OLDEST, USUAL, NEWEST)}

    assert {*wanted, f"avro-{AVRO}.jar", "apicurio-registry-app-2.6.13.Final-all.tar.gz"} <= set(
        known_hashes()
    )
