"""What each command may do on a broker that forbids by default: the least that works, one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from shlex import quote
from typing import Literal, TypeAlias

from stream.settings import Settings

__all__ = ["RIGHTS", "Resource", "Right", "named", "rights_of"]

Resource: TypeAlias = Literal["topic", "group", "transactional-id", "cluster"]
"""A kind of thing that rights are granted on; Kafka's own names."""


@dataclass(frozen=True, slots=True)
class Right:
    """
    One thing that a principal may do.

    Attributes:
        operation: Kafka's name: `Read`, `Write`, `Create`, `Describe`, `DescribeConfigs`. Read and Write
            include Describe.
        resource: the kind of thing.
        name: which one; in `RIGHTS` its part in the configuration.
        prefixed: everything that begins with the name.
    """

    operation: str
    resource: Resource
    name: str
    prefixed: bool = False

    def __str__(self) -> str:
        if self.prefixed:
            return f"{self.operation} on every {self.resource} that begins with {self.name}"
        return f"{self.operation} on {self.resource} {self.name}"

    def acl(self, principal: str) -> str:
        """The arguments of `kafka-acls.sh --add` that grant it, such as `User:scorer`'s."""
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        who = f"--allow-principal {quote(principal)} --operation {self.operation}"
        return f"{who} --{self.resource} {quote(self.name)}{pattern}"


_LOOK = tuple(Right("Describe", "topic", name) for name in ("input", "output", "dead letters"))

RIGHTS: Mapping[str, tuple[Right, ...]] = {
    "worker": (
        Right("Read", "topic", "input"),
        Right("Write", "topic", "output"),
        Right("Write", "topic", "dead letters"),
        Right("Read", "group", "group"),
        Right("Write", "transactional-id", "group.", prefixed=True),
    ),
    "topics --create": (
        *(replace(right, operation="Create") for right in _LOOK),
        *_LOOK,
        Right("DescribeConfigs", "topic", "input"),
    ),
    "topics": _LOOK,
    "produce": (Right("Write", "topic", "input"),),
    "watch": (Right("Read", "topic", "output"),),
    "status": (
        Right("Describe", "topic", "input"),
        Right("Describe", "topic", "dead letters"),
        Right("Describe", "group", "group"),
    ),
    "explain": tuple(Right("Read", "topic", name) for name in ("output", "input", "dead letters")),
    "deadletters": (Right("Read", "topic", "dead letters"),),
    "deadletters replay --dry-run": (
        Right("Read", "topic", "dead letters"),
        Right("Describe", "topic", "input"),
        Right("Read", "topic", "marks"),
    ),
    "deadletters replay": (
        Right("Read", "topic", "dead letters"),
        Right("Write", "topic", "input"),
        Right("Create", "topic", "marks"),
        Right("Read", "topic", "marks"),
        Right("Write", "topic", "marks"),
        Right("Write", "transactional-id", "replay"),
    ),
    "backfill --dry-run": (
        Right("Read", "topic", "input"),
        Right("Describe", "topic", "output"),
        Right("Describe", "topic", "dead letters"),
        Right("Describe", "topic", "backfill output"),
        Right("Read", "topic", "backfills"),
        Right("Describe", "group", "backfill.", prefixed=True),
    ),
    "backfill": (
        Right("Read", "topic", "input"),
        Right("DescribeConfigs", "topic", "input"),
        Right("Describe", "topic", "output"),
        Right("Describe", "topic", "dead letters"),
        *(
            Right(operation, "topic", name)
            for name in ("backfill output", "backfill dead letters")
            for operation in ("Create", "Write", "DescribeConfigs")
        ),
        Right("Create", "topic", "backfills"),
        Right("Read", "topic", "backfills"),
        Right("Write", "topic", "backfills"),
        Right("Read", "group", "backfill.", prefixed=True),
        Right("Write", "transactional-id", "backfill.", prefixed=True),
    ),
}
"""Command → its rights; names are parts of the configuration. docs/security.md is written from this table."""


def rights_of(command: str, settings: Settings) -> list[Right]:
    """
    A command's rights under a configuration's own names.

    Args:
        command: a key of RIGHTS.
        settings: the configuration; at-least-once needs no right on a transactional id.
    """
    transactional = command != "worker" or str(settings.delivery.guarantee) == "exactly-once"
    rights = RIGHTS[command]
    return [
        named(right, settings) for right in rights if right.resource != "transactional-id" or transactional
    ]


def named(right: Right, settings: Settings) -> Right:
    """A right of the table under a configuration's own names."""
    names = {
        "input": settings.input.topic,
        "output": settings.output.topic,
        "dead letters": settings.dead_letters.topic,
        "group": settings.kafka.group,
        "group.": f"{settings.kafka.group}.",
        "marks": settings.dead_letters.marks,
        "replay": settings.replay_id,
        "backfill output": settings.output.backfill,
        "backfill dead letters": settings.dead_letters.backfill,
        "backfills": settings.input.backfills,
        "backfill.": settings.backfill_prefix,
    }
    return replace(right, name=names[right.name])
