"""A broker that rows may break: behind a proxy, with a listener that asks for a login, and rights to take away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from tests.acceptance.process import Setup
from tests.conftest import had
from tests.faults.proxy import Proxy
from tests.kafka.broker import Broker, Entrance
from tests.kafka.process import free_ports

__all__ = ["QUICK", "Shaky", "breakable"]

USER, PASSWORD = "scorer", "not-a-secret"

ANSWER_S = 60.0

QUICK = ("-XX:TieredStopAtLevel=1",)
"""Java compiles less: a broker that lives for minutes and is started often is there sooner."""


@dataclass(frozen=True)
class Shaky:
    """
    A broker with three listeners. Clients of the first two may do everything.

    Attributes:
        broker: killed, frozen and restarted by rows; `bootstrap` leads to it directly.
        proxy: what workers reach it through, also after they have asked it where it is.
        guarded: port of the door that asks for SASL/SCRAM.
    """

    broker: Broker
    proxy: Proxy
    guarded: int

    @property
    def through(self) -> dict[str, dict[str, object]]:
        """Settings of a worker that connects through the proxy."""
        return {"kafka": {"bootstrap_servers": f"127.0.0.1:{self.proxy.port}"}}

    @property
    def by_password(self) -> dict[str, dict[str, object]]:
        """Settings of a worker that logs in, and may do only what it was granted."""
        return {
            "kafka": {"bootstrap_servers": f"127.0.0.1:{self.guarded}"},
            "kafka.properties": {
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": USER,
                "sasl.password": PASSWORD,
            },
        }

    def allow(self, setup: Setup) -> None:
        """All that a worker needs."""
        literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
        self.permit(ResourceType.TOPIC, setup.input, literal, AclOperation.READ)
        for topic in (setup.output, setup.dead):
            self.permit(ResourceType.TOPIC, topic, literal, AclOperation.WRITE)
        self.permit(ResourceType.GROUP, setup.group, literal, AclOperation.READ)
        self.permit(ResourceType.TRANSACTIONAL_ID, f"{setup.group}.", prefixed, AclOperation.WRITE)

    def permit(
        self, kind: ResourceType, name: str, pattern: ResourcePatternType, operation: AclOperation
    ) -> None:
        """Grant the worker a right."""
        binding = AclBinding(kind, name, pattern, f"User:{USER}", "*", operation, AclPermissionType.ALLOW)
        admin = self._admin()
        admin.create_acls([binding])[binding].result(ANSWER_S)

    def forbid(
        self, kind: ResourceType, name: str, pattern: ResourcePatternType, operation: AclOperation
    ) -> None:
        """Take a right away; also while it is used."""
        found = AclBindingFilter(kind, name, pattern, f"User:{USER}", "*", operation, AclPermissionType.ALLOW)
        admin = self._admin()
        assert len(admin.delete_acls([found])[found].result(ANSWER_S)) == 1

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.broker.bootstrap, "log_level": 0})


@contextmanager
def breakable(version: str) -> Iterator[Shaky]:
    """
    Start one; each listener advertises its own address, and one of these is the proxy's.

    Args:
        version: of Kafka.
    """
    plain, hidden, guarded, advertised = free_ports(4)
    doors = {"PLAINTEXT": plain, "PROXIED": advertised, "GUARDED": guarded}
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    properties = {
        "advertised.listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in doors.items()),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,GUARDED:SASL_PLAINTEXT,"
        "CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.guarded.scram-sha-512.sasl.jaas.config": scram,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    listeners = {"PLAINTEXT": plain, "PROXIED": hidden, "GUARDED": guarded}
    credential = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
    entrance = Entrance(listeners, scram=[credential])
    with (
        had(
            lambda: Broker(properties=properties, version=version, entrance=entrance, options=QUICK)
        ) as broker,
        Proxy(hidden, advertised) as proxy,
    ):
        yield Shaky(broker, proxy, guarded)
