"""The commands on a broker that denies by default: the table's rights are enough, and a missing one is named."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from stream.configuration import load_settings
from stream.rights import RIGHTS, Right, rights_of
from tests.acceptance import visits
from tests.acceptance.process import Process, Setup, Tables, Worker, run
from tests.kafka.secured import SecuredBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.fault, pytest.mark.timeout(400)]

Workers = Callable[..., Worker]

ROWS = 20


@dataclass
class Site:
    """
    One scorer's topics and group on the secured broker, and a user of its own for each command.

    Attributes:
        secured: the broker.
        plain: the configuration, without a user.
        passwords: what nobody may print.
    """

    secured: SecuredBroker
    plain: Setup
    passwords: list[str] = field(default_factory=list)

    def rights(self, command: str) -> list[Right]:
        """What the command needs here."""
        config = self.plain.write("rights", 1)
        return rights_of(command, load_settings(config, {}))

    def user(self, rights: list[Right]) -> tuple[str, Setup]:
        """A new user with these rights, and a configuration whose password is in a file."""
        name = self.secured.topics().name("user")
        properties: dict[str, object] = dict(self.secured.user(name))
        password = str(properties.pop("sasl.password"))
        self.passwords.append(password)
        self.secured.grant(name, rights)
        (self.plain.folder / f"{name}.password").write_text(f"{password}\n")
        properties["sasl.password"] = {"file": f"{name}.password"}
        tables: Tables = {
            "kafka": {"properties": properties, "startup_timeout": "30s"},
            "logging": {"level": "debug"},
        }
        return name, replace(self.plain, tables=tables)

    def run(self, name: str, setup: Setup, *arguments: str) -> Iterator[Process]:
        """A command that ends by itself."""
        config = setup.write(name, 1)
        with run(setup.folder, name, *arguments, "--config", str(config)) as process:
            yield process

    def check_silence(self) -> None:
        """No password is in anything that was written, except its own file."""
        written = [path for path in self.plain.folder.rglob("*") if path.suffix in (".out", ".log", ".toml")]
        assert len(written) > 2
        for path in written:
            text = path.read_text(errors="replace")
            assert [] == [path for password in self.passwords if password in text]


def _site(secured: SecuredBroker, folder: Path, package: Path, *, made: bool) -> Site:
    topics = secured.topics()
    names = [topics.create(base) if made else topics.name(base) for base in ("in", "out", "dead")]
    group = topics.name("group")
    return Site(secured, Setup(folder, secured.bootstrap, group, names[0], names[1], names[2], package))


@pytest.fixture
def site(secured: SecuredBroker, tmp_path: Path, package: Path) -> Iterator[Site]:
    """Topics that exist; afterwards everything that was written is searched for passwords."""
    made = _site(secured, tmp_path, package, made=True)
    yield made
    made.check_silence()


@pytest.fixture
def fresh(secured: SecuredBroker, tmp_path: Path, package: Path) -> Iterator[Site]:
    """The same before the topics are made."""
    made = _site(secured, tmp_path, package, made=False)
    yield made
    made.check_silence()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of visits."""
    path = tmp_path / "visits.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "channel", "pages", "seconds"])
        writer.writeheader()
        writer.writerows(visits.visit(number) for number in range(ROWS))
    return path


ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "topics": ("topics",),
    "topics --create": ("topics", "--create"),
    "produce": ("produce", "visits.csv"),
    "watch": ("watch", "--from", "earliest", "--n", str(ROWS)),
    "status": ("status", "--over", "0.1", "--json"),
    "explain": ("explain", "nobody"),
    "deadletters": ("deadletters", "stats"),
    "deadletters replay --dry-run": ("deadletters", "replay", "--dry-run"),
    "deadletters replay": ("deadletters", "replay"),
    "backfill --dry-run": ("backfill", "--from", "0", "--to", "1", "--dry-run"),
    "backfill": ("backfill", "--from", "0", "--to", "1"),
}
"""How each command of the table is typed; the worker apart."""


@pytest.mark.fault_core
def test_whole_flow_works_with_the_least_rights(fresh: Site, rows: Path, workers: Workers) -> None:
    """Topics made, events sent, scored, watched and counted, each by a user with its own rights and no other."""
    for command in ("topics --create", "topics", "produce"):
        _, setup = fresh.user(fresh.rights(command))
        for process in fresh.run(command, setup, *ARGUMENTS[command]):
            assert 0 == process.end(), process.tail()
    _, setup = fresh.user(fresh.rights("worker"))
    worker = workers(setup)
    for command in ("watch", "status"):
        _, setup = fresh.user(fresh.rights(command))
        for process in fresh.run(command, setup, *ARGUMENTS[command]):
            assert 0 == process.end(), process.tail()
            told = process.output()
        if command == "watch":
            assert set(range(ROWS)) == {json.loads(line)["id"] for line in told.splitlines()}

    assert ROWS == sum(each["end"] for each in json.loads(told)["partitions"])
    worker.ready()
    worker.terminate()
    assert 0 == worker.end()
    assert "Traceback" not in worker.text()


def test_replay_works_with_the_least_rights(site: Site) -> None:
    """It makes the topic of its marks, sends, and knows at the second run what was sent."""
    _spoil(site, site.plain.dead)
    _, setup = site.user(site.rights("deadletters replay"))
    for told in ("1 letters sent", "1 left out: already replayed"):
        for process in site.run("replay", setup, *ARGUMENTS["deadletters replay"]):
            assert 0 == process.end(), process.tail()
            assert told in process.output()


def test_backfill_works_with_the_least_rights(site: Site) -> None:
    """Tried first; then it makes its topics, scores the range, and knows at the second run that it is done."""
    _spoil(site, site.plain.input)
    _, setup = site.user(site.rights("backfill --dry-run"))
    for process in site.run("forecast", setup, *ARGUMENTS["backfill --dry-run"]):
        assert 0 == process.end(), process.tail()
    _, setup = site.user(site.rights("backfill"))
    for told in ("0 predictions and 1 dead letters", "done, at "):
        for process in site.run("backfill", setup, *ARGUMENTS["backfill"]):
            assert 0 == process.end(), process.tail()
            assert told in process.output()


def _each_right() -> Iterator[object]:
    for command, rights in RIGHTS.items():
        for number, right in enumerate(rights):
            yield pytest.param(command, number, id=f"{command}-{right}".replace(" ", "-"))


@pytest.mark.parametrize(("command", "number"), list(_each_right()))
def test_command_with_one_right_less_names_it(
    site: Site, fresh: Site, rows: Path, workers: Workers, command: str, number: int
) -> None:
    """Exit 1 with the right, the exact name, the user and what to grant; no traceback, and no sign of work."""
    makes_all = command == "topics --create" and RIGHTS[command][number].operation == "Create"
    here = fresh if makes_all else site
    rights = here.rights(command)
    missing = rights[number]
    user, setup = here.user([right for right in rights if right != missing])
    if command == "backfill":
        _spoil(site, site.plain.input)  # a range without a record is refused before anything is made
        if missing.operation == "DescribeConfigs" and missing.name != site.plain.input:
            site.secured.topics().create_named(missing.name)  # of one that is made there is nothing to ask
    if command == "worker":
        process: Process = workers(setup)
        assert 1 == process.end(), process.tail()
    else:
        for process in here.run("command", setup, *ARGUMENTS[command]):
            assert 1 == process.end(), process.tail()

    said = process.text()
    assert f"grant {missing} to User:{user}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", range(len(RIGHTS["worker"])))
def test_right_that_is_revoked_under_a_worker_ends_it(site: Site, workers: Workers, number: int) -> None:
    """A worker that may no longer read, write or commit ends with exit 1 and says what to grant."""
    user, setup = site.user(site.rights("worker"))
    worker = workers(setup).ready()
    revoked = site.rights("worker")[number]

    site.secured.revoke(user, [revoked])
    _, feed = site.user([Right("Write", "topic", site.plain.input)])
    (site.plain.folder / "visits.jsonl").write_text(
        "".join(json.dumps(visits.visit(n)) + "\n" for n in range(ROWS))
    )
    for process in site.run("feed", feed, "produce", "visits.jsonl"):
        assert 0 == process.end(), process.tail()
    _spoil(site, site.plain.input)

    assert 1 == worker.end(), worker.tail()
    assert f"grant {revoked} to User:{user}" in worker.text()
    assert "Traceback" not in worker.text()


def _spoil(site: Site, topic: str) -> None:
    """One record that nobody can read."""
    from confluent_kafka import Producer

    producer = Producer(
        {"bootstrap.servers": site.secured.bootstrap, "log_level": 0, **site.secured.as_admin}
    )
    producer.produce(topic, b"junk")
    assert producer.flush(30) == 0


def test_worker_with_a_wrong_password_ends_at_once(site: Site, workers: Workers) -> None:
    """Waiting does not repair a password: exit 1 long before `startup_timeout`, with the properties to correct."""
    _, setup = site.user([])
    [file] = site.plain.folder.glob("*.password")
    file.write_text("not-the-password")
    site.passwords.append("not-the-password")
    worker = workers(setup)

    assert 1 == worker.end()
    assert 'correct "sasl.username" and "sasl.password"' in worker.text()
    assert "Traceback" not in worker.text()


def test_worker_at_home_on_mutual_tls(site: Site, workers: Workers) -> None:
    """A worker whose name is its certificate joins the group with the same rights."""
    name = site.secured.topics().name("machine")
    site.secured.grant(f"CN={name}", site.rights("worker"))
    tables = {"kafka": {"properties": site.secured.certificate(name)}}
    worker = workers(replace(site.plain, bootstrap=site.secured.by_certificate, tables=tables)).ready()

    worker.terminate()

    assert 0 == worker.end()
