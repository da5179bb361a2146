"""deploy/kubernetes: what is written from the code. Topics, users with their rights, rules for an operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from docs.reference.alerts import RULES
from docs.reference.rights import USERS
from stream.configuration import load_settings
from stream.rights import RIGHTS, Right, rights_of
from stream.settings import Settings
from stream.tasks.topic_setup import wanted_topics

__all__ = ["BASE", "rules", "settings", "topics", "users"]

BASE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "base"

CLUSTER = "kafka"
"""The name of Strimzi's Kafka resource; a patch of the kustomization changes the label."""

_VERSION = "kafka.strimzi.io/v1"
_RESOURCES = {"transactional-id": "transactionalId"}

_BY_THE_OPERATOR = "topics --create"
"""Strimzi makes the topics itself: nobody of ours has to be allowed to."""


def settings() -> Settings:
    """What the manifests' stream.toml says; its secrets are in files of the cluster alone."""
    return load_settings(BASE / "stream.toml", {"STREAM_KAFKA__PROPERTIES": "{}", "STREAM_WEB__TOKEN": "-"})


def topics() -> str:
    """A KafkaTopic for each topic, as `stream topics --create` would make it."""
    return _written(
        "stream/tasks/topic_setup.py",
        [
            {
                **_head("KafkaTopic", topic.name),
                "spec": {
                    "partitions": topic.partitions,
                    **({"replicas": topic.replication} if topic.replication else {}),
                    **({"config": topic.config} if topic.config else {}),
                },
            }
            for topic in wanted_topics(settings(), None)
        ],
    )


def users() -> str:
    """A KafkaUser for each of those that docs/security.md names, with the rights of the commands that it runs."""
    given: dict[str, list[Right]] = {}
    for command in RIGHTS:
        if command != _BY_THE_OPERATOR:
            given.setdefault(USERS[command], []).extend(rights_of(command, settings()))
    return _written("stream/rights.py", [_user(name, rights) for name, rights in given.items()])


def rules() -> str:
    """The alerts as a PrometheusRule."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "prediction-stream"},
        "spec": {"groups": groups},
    }
    return _written("deploy/prometheus/alerts.yml", [rule])


def _user(name: str, rights: list[Right]) -> dict[str, Any]:
    operations: dict[tuple[str, str, bool], list[str]] = {}
    for right in rights:
        held = operations.setdefault((right.resource, right.name, right.prefixed), [])
        if right.operation not in held:
            held.append(right.operation)
    return {
        **_head("KafkaUser", name),
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    {
                        "resource": {
                            "type": _RESOURCES.get(kind, kind),
                            "name": named,
                            "patternType": "prefix" if prefixed else "literal",
                        },
                        "operations": held,
                    }
                    for (kind, named, prefixed), held in operations.items()
                ],
            },
        },
    }


def _head(kind: str, name: str) -> dict[str, Any]:
    labels = {"strimzi.io/cluster": CLUSTER}
    return {"apiVersion": _VERSION, "kind": kind, "metadata": {"name": name, "labels": labels}}


def _written(source: str, resources: list[dict[str, Any]]) -> str:
    text = yaml.safe_dump_all(resources, sort_keys=False, width=110, allow_unicode=True)
    return f"# Written from {source} by scripts/docs.\n{text}"
