"""`stream explain`: one prediction back to its event and its model, asked for again and compared; for auditors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.explain.account import Explanation, Wanted, explain
    from stream.explain.claims import CLAIMS, Claim
    from stream.explain.kept_versions import VersionView
    from stream.explain.published_value import Published
    from stream.explain.record_lookup import KafkaRecord, opened_topic
    from stream.explain.rescoring import Attempt, Rescoring
    from stream.explain.seen_features import SeenFeature
    from stream.explain.source_event import EventView

__all__ = [
    "CLAIMS",
    "Attempt",
    "Claim",
    "EventView",
    "Explanation",
    "KafkaRecord",
    "Published",
    "Rescoring",
    "SeenFeature",
    "VersionView",
    "Wanted",
    "explain",
    "opened_topic",
]

__getattr__ = lazy_face(__name__)
