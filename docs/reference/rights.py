"""The rights of each command → a Markdown table, and the commands that grant them."""

from __future__ import annotations

from stream.rights import RIGHTS, Right, named
from stream.settings import KafkaSettings, Settings

__all__ = ["USERS", "grants", "table"]

USERS = {
    "worker": "scorer",
    "topics --create": "operator",
    "topics": "operator",
    "produce": "producer",
    "watch": "reader",
    "status": "monitor",
    "explain": "auditor",
    "deadletters": "operator",
    "deadletters replay --dry-run": "operator",
    "deadletters replay": "operator",
    "backfill --dry-run": "operator",
    "backfill": "operator",
}
"""Who runs what in the example."""

_SETTINGS = Settings(KafkaSettings(group="flights-scorer"))

_WHY = {
    ("Read", "topic"): "reads its records",
    ("Write", "topic"): "writes records",
    ("Create", "topic"): "creates it if it does not exist",
    ("Describe", "topic"): "sees its partitions and offsets",
    ("DescribeConfigs", "topic"): "reads `max.message.bytes`: the dead-letter topic must take more",
    ("retention", "topic"): "reads `retention.ms`: records of long ago must not be deleted at once",
    ("Read", "group"): "is a member, and commits offsets",
    ("Describe", "group"): "sees the committed offsets",
    ("replay", "transactional-id"): "sends originals and marks in transactions",
    ("Write", "transactional-id"): "writes, and commits offsets, in transactions: exactly-once only",
}


def table() -> str:
    """Every right of every command."""
    lines = ["| command | operation | on | why |", "|---|---|---|---|"]
    for command, rights in RIGHTS.items():
        for right in rights:
            why = _WHY[_what(right), right.resource]
            lines.append(f"| `stream {command}` | {right.operation} | {_place(right)} | {why} |")
    return "\n".join(lines)


def _what(right: Right) -> str:
    if right.operation == "DescribeConfigs" and right.name != "input":
        return "retention"
    return "replay" if right.name == "replay" else right.operation


_BACKFILL = {
    "backfill output": "the topic `{output topic}.backfill`, or that of `--output`",
    "backfill dead letters": "the topic `{dead-letter topic}.backfill`",
    "backfills": "the topic `{input topic}.backfills`",
}


def _place(right: Right) -> str:
    kind = right.resource.replace("-", " ")
    if right.name in _BACKFILL:
        return _BACKFILL[right.name]
    if right.prefixed:
        begin = "{group}.backfill." if right.name == "backfill." else "{group}."
        return f"every {kind} that begins with `{begin}`"
    if right.resource == "group":
        return "the group"
    if right.name == "replay":
        return "the transactional id `{group}.deadletters-replay`"
    if right.name == "marks":
        return "the topic `{dead-letter topic}.replayed`"
    return f"the {right.name.replace('dead letters', 'dead-letter')} topic"


def grants() -> str:
    """A command of Kafka's own for each right, each once for a user."""
    lines = ["```text"]
    lines.append(
        'acls() { kafka-acls.sh --bootstrap-server broker-1:9093 --command-config admin.properties --add "$@"; }'
    )
    said: set[str] = set()
    for command, rights in RIGHTS.items():
        for right in rights:
            line = _grant(USERS[command], named(right, _SETTINGS))
            if line not in said:
                lines.append(line)
            said.add(line)
    return "\n".join([*lines, "```"])


def _grant(user: str, right: Right) -> str:
    return f"acls {right.acl(f'User:{user}')}"
