"""Asks Avro Java; its jars come from Maven, once, into `.cache`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.kafka.artifacts import avro_jars, find_java
from tests.oracle.triples import Triple

__all__ = ["answers"]

_SOURCE = Path(__file__).with_name("Oracle.java")


def answers(triples: Iterable[Triple]) -> Sequence[dict[str, Any]]:
    """
    What Avro Java makes of triples.

    Returns: for each, `canonical` and `fingerprint` of the writer's schema, and `value` and `left` (how many bytes are
        left over), or `error`.
    Raises: Unavailable when Java, Maven or the jars can't be had.
    """
    lines = [
        json.dumps({"writer": one.writer, "reader": one.reader, "hex": one.body.hex()}) for one in triples
    ]
    command = [find_java(), "-cp", f"{avro_jars()}/*", str(_SOURCE)]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8", check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
