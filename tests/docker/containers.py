"""Services of docker-compose.yml as processes of this machine: their commands and environments as written."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.docker.compose import Service
from tests.docker.image import Image
from tests.kafka.artifacts import find_java, kafka_jars
from tests.kafka.process import Server, free_ports, is_listening, wait_for

__all__ = ["Container", "Machine", "kafka_container"]

KAFKA_START_S = 60
READY_S = 90
HEALTH_S = 60
"""For one health check: the interpreter's start and an answer."""


class Machine:
    """Where containers run: addresses of the compose network and published ports → free ports of the loopback."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        """
        Args:
            services: all of the file.
        """
        texts = "\n".join(text for each in services.values() for text in each.environment.values())
        hosts = sorted({*re.findall(r"\b((?:kafka|localhost|registry):\d+)\b", texts)})
        webs = sorted({value for each in services.values() for name, value in each.environment.items()
                       if name.endswith("WEB_PORT") or name.endswith("WEB__PORT")})  # fmt: skip
        ports = free_ports(len(hosts) + len(webs))
        self.addresses = {host: f"127.0.0.1:{port}" for host, port in zip(hosts, ports, strict=False)}
        self.webs = {web: str(port) for web, port in zip(webs, ports[len(hosts) :], strict=True)}

    def address(self, text: str) -> str:
        """A text with its addresses as they are here; a listener without host is bound to the loopback."""
        for host, here in self.addresses.items():
            text = re.sub(rf"\b{host}\b", here, text)
        bound = {host.split(":")[1]: here for host, here in self.addresses.items()}
        text = re.sub(r"//:(\d+)", lambda found: f"//{bound[found[1]]}", text)
        return text.replace("0.0.0.0", "127.0.0.1")

    def port(self, name: str, value: str) -> str:
        """A variable's value; another port where it is a web's."""
        return self.webs[value] if name.endswith(("WEB_PORT", "WEB__PORT")) else value


@dataclass(slots=True)
class Container:
    """One service of our image as a process."""

    service: Service
    image: Image
    machine: Machine
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The image's, then the service's, then the folder that stands for its /tmp."""
        given = {
            name: self.machine.address(self.machine.port(name, self.image.path(value)))
            for name, value in self.service.environment.items()
        }
        return {**self.image.environment, **given, "TMPDIR": str(self.folder)}

    @property
    def argv(self) -> list[str]:
        """The program and its arguments."""
        entrypoint = self.service.entrypoint
        command = self.service.command
        if entrypoint is None:
            entrypoint, command = self.image.entrypoint(), command or self.image.command()
        return [self._here(each) for each in [*entrypoint, *(command or [])]]

    def start(self) -> None:
        """Start it; its output goes to a log in its folder."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.argv,
                cwd=self.image.path(self.service.raw.get("working_dir", "/app")),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "log"

    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text("utf-8", "replace")

    def ends(self, timeout_s: float) -> int:
        """Block until it ends by itself; its exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def healthy(self) -> bool:
        """Whether its health check passes; AssertionError when it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        check = self.service.health
        assert check is not None
        return self.passes(check)

    def passes(self, check: list[str]) -> bool:
        """Whether a command run in it ends with 0."""
        done = subprocess.run(
            check,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=HEALTH_S,
            check=False,
        )
        return done.returncode == 0

    def becomes_healthy(self) -> None:
        """Block until its health check passes."""
        try:
            wait_for(self.healthy, READY_S, f"{self.service.name} to be healthy")
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None

    def stop(self) -> int:
        """SIGTERM; its exit code. Raises TimeoutExpired when the grace period is too short for it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(self.service.seconds("stop_grace_period"))

    def kill(self) -> None:
        """End whatever is left of it."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _here(self, text: str) -> str:
        return self.image.path(re.sub(r"(?<!\S)/tmp/", f"{self.folder}/", text))


@contextmanager
def kafka_container(service: Service, machine: Machine) -> Iterator[Server]:
    """
    The kafka service, started as its image starts it: by Kafka's own `KafkaDockerWrapper`, from the variables.

    Raises: Unavailable when there is no Java or no way to Kafka's jars; ServerDied with its log.
    """
    with tempfile.TemporaryDirectory(prefix="compose-kafka-") as name:
        folder = Path(name)
        java = [
            find_java(),
            "-XX:+UseSerialGC",
            "-cp",
            f"{kafka_jars(service.raw['image'].split('@')[0].split(':')[1])}/*",
        ]
        environment = {key: machine.address(value) for key, value in service.environment.items()}
        environment |= {"PATH": os.environ["PATH"], "KAFKA_LOG_DIRS": str(folder / "data")}
        _set_up(java, environment, folder)
        heap = environment["KAFKA_HEAP_OPTS"].split()
        command = [*java, *heap, "kafka.Kafka", str(folder / "final" / "server.properties")]
        server = Server("the kafka service", command, folder / "log")
        server.start(lambda: _answers(service, machine), KAFKA_START_S)
        try:
            yield server
        finally:
            server.kill()


def _set_up(java: list[str], environment: Mapping[str, str], folder: Path) -> None:
    arguments = ["kafka.docker.KafkaDockerWrapper", "setup"]
    for kind in ("default", "mounted", "final"):
        (folder / kind).mkdir()
        arguments += [f"--{kind}-configs-dir", str(folder / kind)]
    done = subprocess.run(
        [*java, *arguments], env=dict(environment), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _answers(service: Service, machine: Machine) -> bool:
    """Whether clients reach it by both of its addresses, the network's and this machine's, as it tells them."""
    advertised = re.findall(r"//([^,]+)", service.environment["KAFKA_ADVERTISED_LISTENERS"])
    return all(_reached(machine.address(each)) for each in advertised)


def _reached(address: str) -> bool:
    if not is_listening(int(address.rsplit(":", 1)[1])):
        return False
    try:
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        return [address] == [
            f"{each.host}:{each.port}" for each in admin.list_topics(timeout=2).brokers.values()
        ]
    except KafkaException:
        return False
