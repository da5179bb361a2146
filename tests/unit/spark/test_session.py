"""A session that can't be had: why, and soon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stream.errors import SettingsError, StreamError
from stream.spark import open_session
from tests.kafka.process import free_ports

pytestmark = [pytest.mark.spark, pytest.mark.timeout(300)]


def test_masters_that_do_not_answer_are_named() -> None:
    """Each of them; Spark itself would try for a minute."""
    first, second = free_ports(2)

    with pytest.raises(
        StreamError, match=rf"127\.0\.0\.1:{first}: Connection refused; 127\.0\.0\.1:{second}: "
    ):
        open_session(f"spark://127.0.0.1:{first},127.0.0.1:{second}")


@pytest.mark.parametrize("master", ["spark://", "spark://head", "spark://head:x", "spark://:7077"])
def test_an_address_that_is_none_is_refused(master: str) -> None:
    """Before Java is started."""
    with pytest.raises(SettingsError, match=r"expected spark://HOST:PORT"):
        open_session(master)


def test_spark_connect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its address, or by the environment's."""
    with pytest.raises(SettingsError, match="sc://head is a server of Spark Connect"):
        open_session("sc://head")
    monkeypatch.setenv("SPARK_REMOTE", "sc://other")
    with pytest.raises(SettingsError, match="sc://other is a server of Spark Connect"):
        open_session()


def asked(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """
    `stream sql` in a process of its own.

    Java keeps the master that it was started with as the default of every later session of its process.
    """
    line = [sys.executable, "-m", "stream", "sql", "SELECT 1 AS a", "--json", "--engine", "spark"]
    given = [*line, "--model", str(package), *arguments]
    return subprocess.run(given, text=True, capture_output=True, check=False, timeout=250)


def test_without_a_master_it_is_this_machine(package: Path) -> None:
    """Spark's own configuration names none."""
    ended = asked(package)

    assert (0, '{"a": 1}') == (ended.returncode, ended.stdout.strip()), ended.stderr


def test_what_cannot_start_says_so(package: Path) -> None:
    """Spark's own launcher gives its reason, and the command ends with exit 2."""
    ended = asked(package, "--master", "somewhere")

    assert 2 == ended.returncode
    assert "Master must either be yarn or start with spark, k8s, or local" in ended.stderr
    assert "error: Spark ended before it had started; what it wrote above says why" in ended.stderr
