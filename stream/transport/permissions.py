"""Which rights the broker gives this client: asked before the work, and named when it refuses."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from stream.errors import BrokerRefused
from stream.rights import Resource, Right
from stream.settings import Properties
from stream.transport.faults import unwrap

__all__ = ["Permissions", "is_secured", "principal_of"]

ANSWER_S = 5.0
"""For one answer; without one the work starts, and a refusal is reported when it comes."""

AGAIN_S = 0.2

_WITH_DESCRIBE = ("Describe", "Read", "Write")
"""Each includes Describe; so where Describe is refused, all of these are missing."""

_RESOURCES: Mapping[str, Resource] = {
    "TOPIC_AUTHORIZATION_FAILED": "topic",
    "GROUP_AUTHORIZATION_FAILED": "group",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": "transactional-id",
    "CLUSTER_AUTHORIZATION_FAILED": "cluster",
}
"""Kafka's name of a refusal → what it is about."""


def is_secured(properties: Properties) -> bool:
    """Whether the broker knows its clients by name, so that rights are worth asking for."""
    return str(properties.get("security.protocol", "plaintext")).lower() != "plaintext"


def principal_of(properties: Properties) -> str:
    """Whom the broker takes this client for, in the words of ACLs; as far as the settings tell."""
    protocol = str(properties.get("security.protocol", "plaintext")).lower()
    if protocol == "plaintext":
        return "User:ANONYMOUS"
    if protocol.startswith("sasl") and "sasl.username" in properties:
        return f"User:{properties['sasl.username']}"
    if "ssl.certificate.location" in properties:
        return f"the user of {properties['ssl.certificate.location']}"
    return "this client's user"


class Permissions:
    """Asks with an admin client what its user may do."""

    def __init__(
        self,
        admin: AdminClient,
        rights: Sequence[Right],
        properties: Properties,
        answer_s: float = ANSWER_S,
    ) -> None:
        """
        Args:
            admin: confluent_kafka's AdminClient; kept.
            rights: what the work needs.
            properties: the client's own, for its name.
            answer_s: for one answer.
        """
        self._answer_s = answer_s
        self._admin = admin
        self._rights = rights
        self.principal = principal_of(properties)

    def require(self) -> None:
        """
        Look at everything that can be looked at.

        Raises: BrokerRefused that names every missing right. What the broker does not tell does not count as missing.
        """
        lacking = [right for right, held in self.held().items() if held is False]
        if lacking:
            raise self._refused(f"{self.principal} may not {_listed(lacking)}", lacking)

    def named(self, error: BrokerRefused) -> BrokerRefused:
        """
        The error with the rights to grant, where it is about rights; else the error itself.

        Args:
            error: as `decide` made it.
        Blocks for some seconds at most: the broker is asked which rights are missing.
        """
        resource = _RESOURCES.get(error.code)
        if resource is None:
            return error
        about = {right: held for right, held in self.held().items() if right.resource == resource}
        if not about:
            return error  # a right that the table does not know of
        lacking = [right for right, held in about.items() if held is False]
        unknown = [right for right, held in about.items() if held is None]
        told = [right for right in unknown if _is_named(right.name, error.message)]
        return self._refused(error.message, lacking or told or unknown or list(about), error.code)

    def _refused(self, message: str, rights: Sequence[Right], code: str = "") -> BrokerRefused:
        grants = "; ".join(f"grant {right} to {self.principal}" for right in rights)
        return BrokerRefused(message, hint=f"{grants}; docs/security.md has the commands", code=code)

    def held(self) -> dict[Right, bool | None]:
        """Each right and whether it is held; None = the broker does not tell. Blocks for some seconds at most."""
        topics = [right.name for right in self._rights if right.resource == "topic"]
        of_topics = self._of_topics(list(dict.fromkeys(topics)))
        found: dict[Right, bool | None] = {}
        for right in self._rights:
            if right.resource == "topic" and right.operation != "Create":
                # What is there can't be created, and whether what is not there may be is not told.
                found[right] = _holds(of_topics.get(right.name), right)
            elif right.resource == "group":
                found[right] = _holds(self._of_group(right.name), right)
            else:
                found[right] = None
        return found

    def _of_topics(self, names: list[str]) -> dict[str, frozenset[str] | None]:
        """What is allowed on each topic."""
        if not names:
            return {}
        answers = self._admin.describe_topics(
            TopicCollection(names), include_authorized_operations=True, request_timeout=self._answer_s
        )
        no = KafkaError.TOPIC_AUTHORIZATION_FAILED
        return {name: _held(future, no) for name, future in answers.items()}

    def _of_group(self, group: str) -> frozenset[str] | None:
        """
        What is allowed on a group.

        Asked again while the broker looks for the group's coordinator: after a start it says so for a moment.
        """
        over = time.monotonic() + self._answer_s
        while True:
            [future] = self._admin.describe_consumer_groups(
                [group], include_authorized_operations=True, request_timeout=self._answer_s
            ).values()
            held = _held(future, KafkaError.GROUP_AUTHORIZATION_FAILED)
            if held is not None or time.monotonic() > over or not _passing(future):
                return held
            time.sleep(AGAIN_S)


def _passing(future: Any) -> bool:
    """Whether a question that failed is worth asking again."""
    error = future.exception()
    return isinstance(error, KafkaException) and unwrap(error).code() in (
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    )


def _held(future: Any, no: int) -> frozenset[str] | None:
    """The allowed operations; empty when not even Describe is allowed; None when the broker does not tell."""
    try:
        allowed = future.result().authorized_operations
    except KafkaException as error:
        return frozenset() if unwrap(error).code() == no else None
    return frozenset(operation.name for operation in allowed) if allowed else None


def _holds(held: frozenset[str] | None, right: Right) -> bool | None:
    if held is None or (not held and right.operation not in _WITH_DESCRIBE):
        return None
    return right.operation.upper() in {name.replace("_", "") for name in held}


def _is_named(name: str, message: str) -> bool:
    """Whether a message has this name whole: `flights` is not in `writing to flights.predictions`."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", message) is not None


def _listed(rights: Sequence[Right]) -> str:
    return ", ".join(f"{right.operation} {right.resource} {right.name}" for right in rights)
