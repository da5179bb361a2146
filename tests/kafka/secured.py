"""A Kafka that admits only known users, and allows only what was granted: SASL, TLS, ACLs, deny by default."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without __all__
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from stream.rights import Right
from tests.authority import Authority
from tests.kafka.artifacts import KAFKA
from tests.kafka.broker import Broker, Entrance
from tests.kafka.process import free_ports
from tests.kafka.topics import Topics

__all__ = ["SecuredBroker"]

_ANSWER_S = 20.0

_MECHANISM = "SCRAM-SHA-512"

_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

_OPTIONS = ("-XX:TieredStopAtLevel=1",)
"""Half the CPU time to start: nobody measures throughput here."""

_ITERATIONS = 4096
"""The least that Kafka takes."""

_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}
"""A right's resource → librdkafka's name of it."""


class SecuredBroker:
    """
    One broker with four listeners, all of them TLS under an authority of its own.

    `bootstrap`: SASL/SCRAM-SHA-512. `by_certificate`: mutual TLS. `expired`: SASL/SCRAM behind a certificate that
    is over. Users are made by `user`; a user may do nothing until `grant`.
    """

    def __init__(self, *, version: str = KAFKA, properties: Mapping[str, str] | None = None) -> None:
        """
        Not started yet.

        Args:
            version: of Apache Kafka.
            properties: broker properties that replace or extend the ones here.
        Raises: Unavailable when there is no Java or no way to Kafka's jars.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="kafka-tls-"))
        self.authority = Authority(self.folder)
        self.password = secrets.token_urlsafe(16)
        """The administrator's."""
        sasl, mutual, expired = free_ports(3)
        self.by_certificate, self.expired = f"127.0.0.1:{mutual}", f"127.0.0.1:{expired}"
        entrance = Entrance(
            {"SASL": sasl, "MUTUAL": mutual, "EXPIRED": expired},
            self.client("admin", self.password),
            [f"{_MECHANISM}=[name=admin,password={self.password}]"],
        )
        own = {**self._settings(), **(properties or {})}
        self.broker = Broker(properties=own, version=version, entrance=entrance, options=_OPTIONS)
        self.bootstrap = self.broker.bootstrap
        self._admin: AdminClient | None = None

    def __enter__(self) -> SecuredBroker:
        self.broker.__enter__()
        self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0, **self.as_admin})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin = None
        self.broker.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def topics(self) -> Topics:
        """Names that no other test has, and topics under them that the administrator makes."""
        return Topics(self.bootstrap, self.as_admin)

    @property
    def as_admin(self) -> dict[str, str]:
        """librdkafka properties of the administrator, who may do everything."""
        return self.client("admin", self.password)

    def client(self, user: str, password: str) -> dict[str, str]:
        """librdkafka properties of a user; for `bootstrap` or `expired`."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": _MECHANISM,
            "sasl.username": user,
            "sasl.password": password,
            "ssl.ca.location": str(self.authority.ca),
        }

    def user(self, name: str) -> dict[str, str]:
        """Make a user who may do nothing yet; librdkafka properties of theirs, `sasl.password` among them."""
        password = secrets.token_urlsafe(16)
        information = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        wish = UserScramCredentialUpsertion(name, information, password.encode())
        [future] = self._client.alter_user_scram_credentials([wish], request_timeout=_ANSWER_S).values()
        future.result(_ANSWER_S)
        return self.client(name, password)

    def certificate(self, name: str) -> dict[str, str]:
        """librdkafka properties of `User:CN={name}`, whom a certificate names; for `by_certificate`."""
        certificate, key = self.authority.issue(name)
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.authority.ca),
            "ssl.certificate.location": str(certificate),
            "ssl.key.location": str(key),
        }

    def grant(self, user: str, rights: Iterable[Right]) -> None:
        """Let a user do these things, from now on."""
        acls = [_binding(user, right) for right in rights]
        if acls:
            for future in self._client.create_acls(acls, request_timeout=_ANSWER_S).values():
                future.result(_ANSWER_S)

    def revoke(self, user: str, rights: Iterable[Right]) -> None:
        """Forbid a user these things, from now on; even in the middle of them."""
        filters = [_filter(user, right) for right in rights]
        for future in self._client.delete_acls(filters, request_timeout=_ANSWER_S).values():
            assert len(future.result(_ANSWER_S)) == 1

    @property
    def _client(self) -> AdminClient:
        assert self._admin is not None, "the broker has not been started"
        return self._admin

    def _settings(self) -> dict[str, str]:
        """The broker's own settings: its identity, whom it trusts, and that nothing is allowed unless granted."""
        return {
            "listener.security.protocol.map": "CONTROLLER:SSL,SASL:SASL_SSL,MUTUAL:SSL,EXPIRED:SASL_SSL",
            "inter.broker.listener.name": "MUTUAL",
            **_store("", *self.authority.issue("broker")),
            **_store("listener.name.expired.", *self.authority.issue("over", until_days=-1)),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.ca),
            "listener.name.controller.ssl.client.auth": "required",
            "listener.name.mutual.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": _MECHANISM,
            **{
                f"listener.name.{door}.scram-sha-512.sasl.jaas.config": _SCRAM for door in ("sasl", "expired")
            },
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": "User:admin;User:CN=broker",
        }


def _store(prefix: str, certificate: Path, key: Path) -> dict[str, str]:
    """A PEM store that holds a key and its certificate."""
    both = certificate.with_suffix(".store")
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return {f"{prefix}ssl.keystore.type": "PEM", f"{prefix}ssl.keystore.location": str(both)}


def _binding(user: str, right: Right) -> AclBinding:
    return AclBinding(*_place(right), f"User:{user}", "*", _operation(right), AclPermissionType.ALLOW)


def _filter(user: str, right: Right) -> AclBindingFilter:
    return AclBindingFilter(*_place(right), f"User:{user}", "*", _operation(right), AclPermissionType.ALLOW)


def _place(right: Right) -> tuple[ResourceType, str, ResourcePatternType]:
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    return _RESOURCES[right.resource], right.name, pattern


def _operation(right: Right) -> AclOperation:
    """`DescribeConfigs` → DESCRIBE_CONFIGS."""
    return AclOperation[re.sub(r"(?<=.)(?=[A-Z])", "_", right.operation).upper()]
