"""Settings that are taken as they are: what the library that converts would make of them, without its import."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from stream.configuration import sections
from stream.settings import Secret, Settings, taken_plainly

VALUES: tuple[object, ...] = (
    None, True, 0, 7, 10**30, 0.5, math.inf, "", "auto", "exactly-once", "bare", "\udcff", b"x", Path("x"),
    Secret("s"), Secret("\udcff"), [], ["x"], ("x",), {}, {"a": "b"}, {"\udcff": "b"}, {1: "b"}, {"a": None},
    {"a": ["b"]}, {"a": 1, "b": 0.5, "c": False, "d": Secret("s")},
)  # fmt: skip


CONVERTING = TypeAdapter(Settings)


def _converted(tables: dict[str, dict[str, object]]) -> Settings | None:
    try:
        return CONVERTING.validate_python({**tables, "base": Path("/here")})
    except ValidationError:
        return None


@pytest.mark.parametrize(
    ("table", "key"), [(table, each.name) for table, kind in sections().items() for each in fields(kind)]
)
def test_taken_is_what_would_be_converted_to(table: str, key: str) -> None:
    """Of no value is anything taken that the library would refuse, or make something else of; a default is taken."""
    default = getattr(getattr(Settings(), table), key)
    values = (*VALUES, default)
    taken = [taken_plainly({table: {key: value}}, Path("/here")) for value in values]

    assert [] == [
        value
        for value, found in zip(values, taken, strict=True)
        if found is not None and repr(found) != repr(_converted({table: {key: value}}))
    ]
    assert (taken[-1] is None) == isinstance(default, tuple)


@pytest.mark.parametrize(
    "written", ["", '[kafka]\ngroup = "g"\nstartup_timeout = "10s"\n[kafka.properties]\n"a.b" = 1\n']
)
def test_plain_configuration_waits_for_no_library(tmp_path: Path, written: str) -> None:
    """Nothing is converted, so that nothing that converts is imported."""
    (tmp_path / "stream.toml").write_text(written)
    script = """
import sys
from stream.configuration import load_settings
load_settings(None, {})
sys.exit("pydantic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False)

    assert 0 == done.returncode
