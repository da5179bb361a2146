"""Which subject a schema is kept under. Source: Confluent's subject name strategies."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Strategy", "subject_name"]

Strategy: TypeAlias = Literal["topic", "record", "topic-record"]
"""TopicNameStrategy, RecordNameStrategy, TopicRecordNameStrategy."""


def subject_name(strategy: Strategy, topic: str, record: str) -> str:
    """
    The subject of a topic's values.

    Args:
        strategy: how subjects are named.
        topic: the topic.
        record: the schema's full name.
    """
    return {"topic": f"{topic}-value", "record": record, "topic-record": f"{topic}-{record}"}[strategy]
