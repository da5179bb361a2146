"""The bundle: what is in it, and that no secret is, of whatever kind and in whatever spelling."""

from __future__ import annotations

import base64
import json
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from stream.configuration import load_settings
from stream.doctor import Case, write_bundle
from stream.doctor import bundle as module
from stream.doctor.diagnosis import fail, ok
from stream.doctor.secret_removal import MASK, Remover
from stream.tasks import NoStatus
from tests.unit.doctor.examined import case_of

KEY = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIPlantedPlantedPlantedPlanted
-----END PRIVATE KEY-----"""

PLANTED = {
    "sasl password": "Planted-1-sasl",
    "password of a file": 'Planted-2 "file" & <more>/ü',
    "password of a variable": "Planted-3-variable",
    "registry password": "Planted-4-registry",
    "registry token": "Planted-5-token",
    "web token": "Planted-6-web",
    "serve token": "Planted-7-serve",
    "jaas": "Planted-8-jaas",
    "oauth secret": "Planted-9-oauth",
    "key password": "Planted-10-key",
    "passphrase": "Planted-11-phrase",
    "of the consumer": "Planted-12-consumer",
    "of the producer": "Planted-13-producer",
    "replaced by a variable": "Planted-14-old",
    "number": "7204001",
    "in an address": "Planted-16-address",
    "comment": "Planted-15-comment",
    "collector's key": "Planted-17-collector",
    "collector's other key": "Planted-18-collector",
}
"""Kind → secret. `number` and `comment` are spelled so in the file, too."""

FILE = f"""
# the old password was {PLANTED["comment"]}
[kafka]
bootstrap_servers = "broker-1:9093"
group = "scorer"
[kafka.properties]
"security.protocol" = "SASL_SSL"
"sasl.username" = "ann"
"sasl.password" = "{PLANTED["sasl password"]}"
"sasl.jaas.config" = 'org.LoginModule required password="{PLANTED["jaas"]}";'
"sasl.oauthbearer.client.secret" = "{PLANTED["oauth secret"]}"
"sasl.oauthbearer.assertion.private.key.passphrase" = "{PLANTED["passphrase"]}"
"ssl.key.password" = {{ file = "key.password" }}
"ssl.key.pem" = {{ file = "key.pem" }}
"ssl.keystore.password" = {PLANTED["number"]}
"ssl.ca.location" = "ca.pem"
[kafka.consumer]
"some.password" = "{PLANTED["of the consumer"]}"
"some.other.password" = {{ file = "other.password" }}
[kafka.producer]
"some.secret" = {{ env = "PRODUCERS" }}
"some.token" = {{ env = "TOKEN" }}
[schema_registry]
url = "https://bob:{PLANTED["in an address"]}@registry:8081"
user = "bob"
token = "{PLANTED["registry token"]}"
password = "{PLANTED["replaced by a variable"]}"
[web]
token = {{ file = "web.token" }}
port = 1
[serve]
token = "{PLANTED["serve token"]}"
[telemetry]
endpoint = "http://collector:4318"
headers = {{ x-team = "{PLANTED["collector's key"]}", Accept = {{ env = "COLLECTORS" }} }}
"""

ENVIRON = {
    "PRODUCERS": PLANTED["of the producer"],
    "TOKEN": PLANTED["password of a variable"],
    "COLLECTORS": PLANTED["collector's other key"],
    "STREAM_SCHEMA_REGISTRY__PASSWORD": PLANTED["registry password"],
    "STREAM_INPUT__TOPIC": "from-the-environment",
}


def spelled(secret: str) -> set[str]:
    """How it turns up, and how a scanner looks for it."""
    coded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], coded, repr(secret)[1:-1]}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration that is full of secrets."""
    (tmp_path / "stream.toml").write_text(FILE)
    (tmp_path / "key.password").write_text(PLANTED["key password"])
    (tmp_path / "other.password").write_text(PLANTED["password of a file"])
    (tmp_path / "key.pem").write_text(KEY)
    (tmp_path / "web.token").write_text(PLANTED["web token"])
    return tmp_path


@dataclass
class Web:
    """
    The worker's web.

    Attributes:
        status: its status, as the doctor found it; None = no worker answers.
        metrics: its page.
    """

    status: dict[str, Any] | None = None
    metrics: bytes | NoStatus = b""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    """What the worker's web answers."""
    found = Web()
    monkeypatch.setattr(module, "own_page", lambda settings, path: found.metrics)
    return found


def case_in(place: Path, web: Web) -> Case:
    """As the command reads it."""
    case = case_of(load_settings(place / "stream.toml", ENVIRON))
    case.worker = web.status
    return case


def contents(zipped: Path) -> dict[str, bytes]:
    """Every file of a zip, by name."""
    with zipfile.ZipFile(zipped) as found:
        return {name: found.read(name) for name in found.namelist()}


def written(place: Path, web: Web, log: str | None = None, words: str = "") -> dict[str, bytes]:
    """The bundle's files."""
    file = place / "worker.log" if log is not None else None
    if file is not None and log is not None:
        file.write_text(log, encoding="utf-8")
    lines = [ok("a", f"fine {words}"), fail("b", f"broken {words}", f"mend {words}")]
    write_bundle(place / "report.zip", case_in(place, web), place / "stream.toml", lines, file)
    return contents(place / "report.zip")


def test_no_planted_secret_is_in_any_byte_of_it(place: Path, web: Web) -> None:
    """Of the configuration, its files and variables; quoted in the log, the status, the metrics and the lines."""
    hidden = [secret for kind, secret in PLANTED.items() if kind != "comment"]
    quoted = "\n".join(f"refused: {way}" for secret in [*hidden, KEY] for way in spelled(secret))
    web.status, web.metrics = {"lacking": [quoted]}, quoted.encode()

    files = written(place, web, quoted, quoted)

    assert {"log.txt", "status.json", "metrics.txt", "doctor.txt", "stream.toml"} <= set(files)
    files["the zip itself"] = (place / "report.zip").read_bytes()
    for kind, secret in [*PLANTED.items(), ("key", KEY.splitlines()[1])]:
        for name, content in files.items():
            assert [] == [way for way in spelled(secret) if way.encode() in content], (kind, name)


FOREIGN: Mapping[str, str] = {
    "a url with a user": "GET http://ann:Strange-1@proxy:3128/x failed",
    "a url whose password has odd letters": "see https://ann:Strange-2/with:odd@host/path",
    "a url with a slash too few": "GET http:/ann:Strange-20@proxy:3128/x failed",
    "an address without a scheme": "proxy ann:Strange-21@proxy:3128",
    "a header": "Authorization: Bearer Strange-3.abc-def",
    "basic": 'headers={"authorization": "Basic U3RyYW5nZS00OmFiYw=="}',
    "an assignment": "sasl.password=Strange-5 and on",
    "json": '{"client_secret": "Strange-6 with blanks", "x": 1}',
    "json in json": '{"message": "{\\"password\\": \\"Strange-7 with blanks\\"}"}',
    "a web token": "token eyJhbGciOiJIUzI1NiJ9.eyJzdHJhbmdlIjo4fQ.Strange8Strange8",
    "a cloud's key": "AWS_ACCESS_KEY_ID AKIASTRANGE9STRANGE9",
    "a cloud's secret": "AWS_SECRET_ACCESS_KEY: Strange-10/abc+def",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nStrange-11\nabc\n-----END RSA PRIVATE KEY-----",
    "a private key that was cut": "-----BEGIN OPENSSH PRIVATE KEY-----\nStrange-12\nabc",
    "a service's": "ghp_Strange22Strange22Strange22 xoxb-Strange22-Strange22 sk_live_Strange22Strange22",
    "a shared access key": "SharedAccessKey=Strange-23+/=;EntityPath=x",
    "a signed address": "https://blob/x?se=1&sig=Strange-24%2F&sp=r",
    "a command's": "curl -u ann:Strange-25 --password Strange-25",
    "a cookie": "Cookie: session=Strange-13; other=Strange-13",
    "an api key": "X-Api-Key: Strange-14",
    "python's": "{'sasl.password': 'Strange-15 with blanks'}",
    "jaas": 'sasl.jaas.config="org.Plain required username=\\"a\\" password=\\"Strange-16\\";"',
}
"""Secrets that are not the configuration's, as a log may quote them."""


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_looks_like_a_secret_goes_too(place: Path, web: Web, kind: str) -> None:
    """Whoever's it is: a proxy's, a cloud's, another program's."""
    log = f"before\n{FOREIGN[kind]}\n"

    found = written(place, web, log)["log.txt"].decode()

    assert "before" in found
    assert MASK in found
    for sign in ("Strange", "STRANGE", "U3RyYW5nZ"):
        assert sign not in found


def test_what_is_no_secret_stays(place: Path, web: Web) -> None:
    """The configuration is as it was given, and as it is in effect; references stay."""
    files = written(place, web, "2026-11-27 10:00:00 INFO partitions assigned: flights[0]\n")

    given = tomllib.loads(files["stream.toml"].decode())
    assert {"file": "web.token"} == given["web"]["token"]
    assert {"env": "PRODUCERS"} == given["kafka"]["producer"]["some.secret"]
    assert ("ann", "ca.pem", MASK) == tuple(
        given["kafka"]["properties"][name] for name in ("sasl.username", "ssl.ca.location", "sasl.password")
    )
    effective = json.loads(files["settings.json"])
    assert ("from-the-environment", MASK) == (effective["input"]["topic"], effective["web"]["token"])
    assert "partitions assigned: flights[0]" in files["log.txt"].decode()
    assert json.loads(files["versions.json"])["distributions"]["confluent-kafka"]
    assert "fail  : b: broken" in files["doctor.txt"].decode()


def test_ordinary_words_of_a_log_stay(place: Path, web: Web) -> None:
    """Names of topics, groups, places and machines, and what an operator looks for."""
    log = (
        "2026-11-27 10:00:00,123 WARNING stream.transport: kafka client: _TRANSPORT: broker-1:9093/1: refused\n"
        "flights.features[3]@12 pk_customers_of_the_last_year lag 12,345; try: set [delivery] instance\n"
        "http://127.0.0.1:6066/api/status answers 401 Unauthorized: mail ops@example.com\n"
    )

    assert log == written(place, web, log)["log.txt"].decode()


def test_manifest_names_every_file_and_what_was_left_out(place: Path, web: Web) -> None:
    """With size and checksum of what is there, and the reason for what is not."""
    files = written(place, web)

    manifest = json.loads(files.pop("manifest.json"))
    assert {n: {"bytes": len(c), "crc32": zlib.crc32(c)} for n, c in files.items()} == manifest["files"]
    assert {"log.txt", "status.json", "metrics.txt"} == set(manifest["left_out"])
    assert "--log" in manifest["left_out"]["log.txt"]


def test_running_workers_status_and_metrics_are_in_it(place: Path, web: Web) -> None:
    """Without the messages of dead letters, which may quote a record."""
    letter = {"place": "in[0]@1", "stage": "score", "reason": "model_error", "message": "a customer's name"}
    web.status, web.metrics = {"dead_letters": {"recent": [letter]}}, b"stream_ready 1.0\n"

    files = written(place, web)

    assert "model_error" in files["status.json"].decode()
    assert b"customer" not in b"".join(files.values())
    assert b"stream_ready 1.0\n" == files["metrics.txt"]


def test_status_stays_json(place: Path, web: Web) -> None:
    """Whatever is masked in it."""
    web.status = {"token": 'with "marks" and \\ in it', "lacking": ['password="it\'s"', "secret=x"]}

    assert {"token": MASK}.items() <= json.loads(written(place, web)["status.json"]).items()


def test_metrics_that_are_not_had_are_left_out(place: Path, web: Web) -> None:
    """The status stays."""
    web.status, web.metrics = {"state": "running"}, NoStatus("it went away")

    files = written(place, web)

    assert {"metrics.txt": "it went away"}.items() <= json.loads(files["manifest.json"])["left_out"].items()
    assert "status.json" in files


def test_only_the_end_of_a_log_is_taken_from_a_whole_line_on(place: Path, web: Web) -> None:
    """A line that was cut has lost the name that tells of a secret."""
    line = "password = Cut-off-secret-of-somebody\n"
    log = line * (module.LOG_BYTES // len(line)) + "x" * 17 + "\nthe end\n"

    found = written(place, web, log)["log.txt"].decode()

    assert found.endswith("the end\n")
    assert "Cut-off" not in found
    assert "somebody" not in found


def test_configuration_that_cannot_be_read_is_left_out_with_the_log(tmp_path: Path) -> None:
    """Nobody knows what is secret in it."""
    (tmp_path / "stream.toml").write_text('[kafka]\npasswrod = "Planted-typo"\n')
    (tmp_path / "worker.log").write_text("Planted-typo")

    write_bundle(
        tmp_path / "report.zip",
        None,
        tmp_path / "stream.toml",
        [fail("c", "x", "y")],
        tmp_path / "worker.log",
    )

    files = contents(tmp_path / "report.zip")
    assert {"stream.toml", "settings.json", "log.txt"} <= set(json.loads(files["manifest.json"])["left_out"])
    assert b"Planted-typo" not in b"".join(files.values())


def test_short_secret_takes_no_other_word_along() -> None:
    """A password of two letters is replaced where it stands alone."""
    assert f"band ab {MASK}" == Remover(["an"]).known("band ab an")


@pytest.mark.parametrize(
    "line",
    [
        "X-Vault: OAUTHBEARER token {}",
        "--sasl-password {}",
        "the password is {}",
        'user=bob pass={} "pass": "{}"',
        "passcode: {}",
        "<password>{}</password>",
        "a=b&password%3D{}",
        "authorization: ApiKey {}",
        'Authorization: Digest username="x", response="{}"',
        '{{"message": "Authorization: Custom a {}", "level": "INFO"}}',
        '{{"x-honeycomb-team": "{}"}}',
        "https://s3/x?X-Amz-Credential={}&X-Amz-Signature={}",
        "https://storage/x?X-Goog-Signature={}&a=b",
    ],
)
def test_secret_of_others_in_a_log_is_masked(line: str) -> None:
    """Of no configuration, so known by its name or its form alone; JSON stays JSON."""
    found = Remover([]).foreign(line.format("Zq17Planted", "Zq17Planted"))

    assert "Planted" not in found
    if line.startswith("{"):
        assert json.loads(found)


@pytest.mark.parametrize("text", ["the token is refused", "password is missing", "pass the offset 17 on"])
def test_words_about_secrets_stay(text: str) -> None:
    """An operator looks for them."""
    assert text == Remover([]).foreign(text)
