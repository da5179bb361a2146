"""
Every setting: frozen types with their defaults. Standard library only.

One class is one table of `stream.toml`; one attribute is one key, and its text below it is what
`docs/configuration.md` says of it (a test compares both). `stream.configuration` loads them. Tables of what listens on
a port: `web_settings`; of an MLflow server: `mlflow_settings`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from stream.settings.instance_names import REPLAY_INSTANCE
from stream.settings.mlflow_settings import MlflowSettings
from stream.settings.setting_types import Bytes, Framing, Properties, Range, Seconds, Secret, Secrets, Side
from stream.settings.web_settings import ServeSettings, WebSettings

__all__ = [
    "SIGN_PASSWORD",
    "BatchingSettings",
    "DeadLetterSettings",
    "DeliverySettings",
    "InputSettings",
    "KafkaSettings",
    "LoggingSettings",
    "ModelSettings",
    "OutputSettings",
    "RegistrySettings",
    "ServeSettings",
    "Settings",
    "TelemetrySettings",
    "WebSettings",
]

SIGN_PASSWORD = "STREAM_SIGN_PASSWORD"
"""Environment variable with the password of an encrypted signing key, where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """The cluster, and how to reach it."""

    bootstrap_servers: str = "localhost:9092"
    """One or more `host:port`, separated by commas."""
    group: str = "prediction-stream"
    """The consumer group; workers of one group share the input's partitions."""
    startup_timeout: Seconds = Seconds(60.0)
    """How long to wait at start for the broker and the topics; then the worker exits with 1."""
    properties: Properties = field(default_factory=dict)
    """Any librdkafka property; applies to every client."""
    consumer: Properties = field(default_factory=dict)
    """librdkafka properties of the consumer alone."""
    producer: Properties = field(default_factory=dict)
    """librdkafka properties of the producer alone."""


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """The schema registry; without a `url` schemas are files."""

    url: str = ""
    """Base address of a Confluent-compatible registry, such as `http://localhost:8081`."""
    user: str | None = None
    """For basic authentication."""
    password: str | Secret | None = None
    """For basic authentication."""
    token: str | Secret | None = None
    """For bearer authentication."""
    ca: Path | None = None
    """PEM file of the authorities that sign the registry's certificate; default: the machine's."""
    certificate: Path | None = None
    """PEM file of the client's certificate, for mutual TLS."""
    key: Path | None = None
    """PEM file of the client certificate's key, when it is not in the same file."""
    timeout: Seconds = Seconds(5.0)
    """How long to wait for one answer."""
    subject: Literal["topic", "record", "topic-record"] = "topic"
    """How subjects are named: `{topic}-value`, the record's full name, or `{topic}-{record}`."""
    register: bool = False
    """true: the worker may register the prediction schema; else only `stream topics --create` does."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model package."""

    uri: str = "models/flights"
    """The package folder, relative to the configuration file, or a URI such as `models:/NAME@ALIAS`: docs/mlflow.md."""
    reload: Seconds | None = Seconds(10.0)
    """How often to look for a new version of the package; `"off"`: never."""
    engine: Literal["auto", "sklearn"] = "auto"
    """What answers few rows at a time: a package's compiled graph where it has one, or always the estimator itself."""
    require_signature: bool = False
    """true: refuse a version that is not signed; needs `trusted_keys`."""
    trusted_keys: tuple[str, ...] = ()
    """Ed25519 public keys, PEM text or `{ file = "…" }` each; any one may have signed a version: docs/trust.md."""
    trusted_types: tuple[str, ...] = ()
    """Full names of types that a `.skops` model may hold besides scikit-learn's, numpy's and scipy's own."""
    max_size: Bytes = Bytes(4 * 1024**3)
    """Largest total size of a version's files; a larger version is refused before they are read."""
    open_timeout: Seconds | None = Seconds(120.0)
    """How long a child process, which opens a version first, may take for it; `"off"`: no child process."""
    open_memory: Bytes = Bytes(4 * 1024**3)
    """Memory that the child process may take beyond twice the size of the version's files."""


@dataclass(frozen=True, slots=True)
class InputSettings:
    """The topic of feature events."""

    topic: str = "flights.features"
    """The topic to read."""
    schema: Path | None = None
    """Writer schema of values that name no known one; default: the package's `events.avsc`, else `features.avsc`."""
    framing: Framing | None = None
    """How a value names its schema; never guessed. Default: `confluent` with a registry, else `single-object`."""
    null_value: Literal["dead-letter", "skip", "forward"] = "dead-letter"
    """What becomes of a record without a value (a tombstone)."""
    on_out_of_range: Literal["stop", "earliest", "latest"] = "stop"
    """When the next offset is gone (retention): stop; go on at the earliest (skips nothing) or latest (skips all)."""
    partitions: Annotated[int, Range(1, 10_000)] = 4
    """Partitions of the topics that `stream topics --create` creates."""
    replication: Annotated[int, Range(1, 9)] | None = None
    """Replicas of the topics that `stream topics --create` creates; default: the broker's."""

    @property
    def backfills(self) -> str:
        """The topic on which `stream backfill` keeps the range of each backfill, and which of them are finished."""
        return f"{self.topic}.backfills"


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """The topic of predictions."""

    topic: str = "flights.predictions"
    """The topic to write."""
    framing: Framing | None = None
    """How a prediction names its schema. Default: `confluent` with a registry, else `single-object`."""

    @property
    def backfill(self) -> str:
        """The topic of a backfill's predictions, where none is named."""
        return f"{self.topic}.backfill"


@dataclass(frozen=True, slots=True)
class DeadLetterSettings:
    """The topic of records that can't be scored."""

    topic: str = "flights.deadletters"
    """The topic to write."""
    stop_above: Annotated[float, Range(0, 1)] = 0.5
    """Stop when more than this share of the last 1,000 or more records went here."""
    redact: bool = False
    """true: no payload values in headers or logs."""

    @property
    def marks(self) -> str:
        """The topic on which `stream deadletters replay` keeps what it has sent."""
        return f"{self.topic}.replayed"

    @property
    def backfill(self) -> str:
        """The topic of a backfill's dead letters."""
        return f"{self.topic}.backfill"


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """What is guaranteed when something breaks."""

    guarantee: Literal["exactly-once", "at-least-once"] = "exactly-once"
    """`exactly-once`: outputs and offsets in one transaction; `at-least-once`: a crash can repeat some outputs."""
    instance: str | None = None
    """This worker's stable name, such as a pod's; it makes the `transactional.id`. Default: `{host}.{web port}`."""
    state: Path | None = None
    """Folder, created at start, for the 64 KiB that must survive a crash; default: one in the temporary folder."""
    static_membership: bool = False
    """true: `group.instance.id` is the instance: a restart within the session time-out moves no partition."""


@dataclass(frozen=True, slots=True)
class BatchingSettings:
    """How many records are scored at a time."""

    max_records: Annotated[int, Range(1, 100_000)] = 2_000
    """Maximum number of records in a batch."""
    max_bytes: Bytes = Bytes(16 * 1024 * 1024)
    """Maximum size of a batch's input values, so that a few huge records can't fill memory."""
    max_wait: Seconds = Seconds(0.005)
    """At most how long a batch that is not full waits for more; exactly-once waits for the last commit too."""


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """What is logged on stderr."""

    format: Literal["text", "json"] = "text"
    """`text` for people, `json` for collectors: one object a line."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe messages to show."""


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Spans and metrics for an OpenTelemetry collector, sent by OTLP over HTTP. Needs the extra `otel`."""

    traces: bool = False
    """true: make spans and send them; predictions carry the `traceparent` on."""
    metrics: bool = False
    """true: send the metrics, too; `/metrics` stays."""
    endpoint: str = ""
    """The collector's base address; default: `OTEL_EXPORTER_OTLP_ENDPOINT`, else `http://localhost:4318`."""
    headers: Secrets = field(default_factory=dict)
    """Sent with each request, such as a service's key; their values are secrets."""
    sample: Annotated[float, Range(0, 1)] = 0.01
    """Share of the records, or requests, without a trace that begin one; others follow their trace's sampled flag."""
    max_per_second: Annotated[int, Range(1, 100_000)] = 1_000
    """Records, or requests, that get a span in a second; more are counted as dropped."""
    interval: Seconds = Seconds(60.0)
    """Between two times that metrics are sent."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration."""

    # For the library that checks types, of this table and of those in it: an unknown key is an error.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "arbitrary_types_allowed": True}

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    schema_registry: RegistrySettings = field(default_factory=RegistrySettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    mlflow: MlflowSettings = field(default_factory=MlflowSettings)
    input: InputSettings = field(default_factory=InputSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    dead_letters: DeadLetterSettings = field(default_factory=DeadLetterSettings)
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    batching: BatchingSettings = field(default_factory=BatchingSettings)
    web: WebSettings = field(default_factory=WebSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    base: Path = field(default_factory=Path.cwd)
    """The folder that relative paths start from: where the configuration file is."""

    @property
    def topics(self) -> tuple[str, str, str]:
        """The input topic, the output topic, the dead-letter topic."""
        return self.input.topic, self.output.topic, self.dead_letters.topic

    def framing(self, side: Side) -> Framing:
        """How a topic's values are framed."""
        chosen = self.input.framing if side == "input" else self.output.framing
        return chosen or ("confluent" if self.schema_registry.url else "single-object")

    def path(self, relative: str | Path) -> Path:
        """A path of the configuration, made absolute."""
        return (self.base / relative).absolute()

    def transactional_id(self, host: str) -> str:
        """By which the broker knows this worker's transactions; no other worker may use it."""
        return f"{self.kafka.group}.{self.instance(host)}"

    @property
    def replay_id(self) -> str:
        """The transactional id of `stream deadletters replay`: one replay of a group at a time."""
        return f"{self.kafka.group}.{REPLAY_INSTANCE}"

    @property
    def backfill_prefix(self) -> str:
        """What the names of backfills' consumer groups and transactional ids begin with."""
        return f"{self.kafka.group}.backfill."

    def instance(self, host: str) -> str:
        """This worker's stable name, on a machine that is called `host`."""
        return self.delivery.instance or f"{host}.{self.web.port}"
