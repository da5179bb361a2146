"""What a run needs: the packed model, a broker with its topics, a free port, and a stream.toml in its own folder."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.app import claim_address
from stream.configuration import load_settings
from stream.errors import PackageError, SettingsError
from stream.settings import Settings
from stream.tasks import wanted_topics
from stream.transport import Cluster, EmbeddedBroker

__all__ = [
    "DEFAULT_PORT",
    "Assets",
    "Names",
    "choose_port",
    "create_topics",
    "find_assets",
    "passed_on",
    "write_config",
]

DEFAULT_PORT = 6066

LOOPBACK = "127.0.0.1"

MOCK_FETCH_WAIT_MS = 5
"""The mock cluster answers a fetch that found nothing only when its wait is over, even if records came
meanwhile: the client's wait is the latency there. (A real broker answers at once.)"""

_CREDENTIALS = ("STREAM_KAFKA__PROPERTIES", "STREAM_KAFKA__CONSUMER", "STREAM_KAFKA__PRODUCER")
"""The settings that a real broker may need; the demo ignores every other setting of the environment."""

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Assets:
    """
    Absolute paths.

    Attributes:
        model: the package folder.
        schema: the event's Avro schema.
    """

    model: Path
    schema: Path


def find_assets(here: Path = HERE) -> Assets:
    """
    Where the demo's model and schema are.

    Args:
        here: the folder of this room. A wheel holds `models` and `schemas` in it, a clone two folders above.
    Raises: PackageError when neither place has them.
    """
    places = (here, here.parents[1])
    for place in places:
        found = Assets(place / "models" / "flights", place / "schemas" / "flight.avsc")
        if found.schema.is_file() and any((found.model / part).exists() for part in ("current", "versions")):
            return found
    raise PackageError(
        f"the demo's model is neither in {places[0]} nor in {places[1]}",
        hint="install the package again, or in a clone run `stream train models/flights/train.py`",
    )


@dataclass(frozen=True, slots=True)
class Names:
    """Topics and group of one run."""

    input: str
    output: str
    dead_letters: str
    group: str

    @classmethod
    def under(cls, prefix: str) -> Names:
        """Names that begin with the prefix."""
        return cls(f"{prefix}.features", f"{prefix}.predictions", f"{prefix}.deadletters", f"{prefix}.scorer")

    @classmethod
    def fresh(cls) -> Names:
        """Names that nobody else has: on a real broker the demo must meet no records but its own."""
        return cls.under(f"stream-demo-{secrets.token_hex(4)}")


def choose_port(wanted: int | None) -> int:
    """
    A port for the worker's web.

    Args:
        wanted: the user's choice; None = 6066, or any free one where that is taken.
    Raises: SettingsError when the wanted port is taken.
    """
    if wanted is not None:
        return _claimed(wanted)
    try:
        return _claimed(DEFAULT_PORT)
    except SettingsError:
        return _claimed(0)


def _claimed(port: int) -> int:
    hint = "choose another port, or leave --port out for a free one"
    with claim_address("--port", LOOPBACK, port, hint) as claimed:
        return int(claimed.getsockname()[1])


def passed_on(environ: Mapping[str, str], *, real_broker: bool) -> dict[str, str]:
    """The environment for the worker: without settings, but for a real broker's credentials."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("STREAM_") or (real_broker and name in _CREDENTIALS)
    }


def write_config(
    file: Path,
    bootstrap: str,
    names: Names,
    assets: Assets,
    port: int,
    environ: Mapping[str, str],
    *,
    embedded: bool,
) -> Settings:
    """
    Write the worker's stream.toml.

    Args:
        file: where to.
        bootstrap: the broker.
        names: topics and group.
        assets: model and schema.
        port: of the worker's web.
        environ: what `passed_on` gave.
        embedded: whether it is the embedded broker.
    Returns: the settings as the worker will read them.
    """
    tables: dict[str, dict[str, str | int]] = {
        "kafka": {"bootstrap_servers": bootstrap, "group": names.group},
        "model": {"uri": str(assets.model)},
        "input": {"topic": names.input, "schema": str(assets.schema)},
        "output": {"topic": names.output},
        "dead_letters": {"topic": names.dead_letters},
        "web": {"host": LOOPBACK, "port": port},
    }
    if embedded:
        tables["delivery"] = {"guarantee": "at-least-once"}  # its transactions are not real
        tables["kafka.consumer"] = {'"fetch.wait.max.ms"': MOCK_FETCH_WAIT_MS}
    # A JSON string is a TOML string too, with every character escaped that needs to be.
    lines = [
        "\n".join([f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())])
        for table, keys in tables.items()
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_settings(file, environ)


def create_topics(settings: Settings, embedded: EmbeddedBroker | None) -> None:
    """
    Make the three topics.

    Raises: StartupTimeout when no broker answers; Stopped when it refuses.
    """
    wanted = wanted_topics(settings, None)
    if embedded is not None:
        embedded.create([topic.name for topic in wanted])
    else:
        Cluster(settings.kafka).create(wanted)
