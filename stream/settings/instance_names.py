"""
Names under which commands take transactional ids of a group.

A worker that had one of them, and the command, would end each other's transactions.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DOCTOR_INSTANCE", "REPLAY_INSTANCE", "TAKEN_INSTANCES"]

REPLAY_INSTANCE = "deadletters-replay"

DOCTOR_INSTANCE = "stream doctor"
"""A blank is in no name of a machine or a pod."""

TAKEN_INSTANCES: Mapping[str, str] = {
    REPLAY_INSTANCE: "stream deadletters replay",
    DOCTOR_INSTANCE: "stream doctor",
}
"""Name → the command that has it; `[delivery] instance` may be none of them."""
