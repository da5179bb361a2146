"""Before the first poll: wait until the broker answers and the topics are there, and log what is missing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from stream.deadline import Deadline
from stream.errors import Retriable, StartupTimeout

__all__ = ["Looking", "wait_for_topics"]

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""For one look; then what is missing is logged."""


class Looking(Protocol):
    """What is needed of `stream.transport.topic_admin.Cluster`."""

    def topics(self, timeout_s: float) -> Collection[str]:
        """See `Cluster.topics`."""


def wait_for_topics(
    cluster: Looking, wanted: Sequence[str], servers: str, budget_s: float, pause: Callable[[float], bool]
) -> bool:
    """
    Block until the topics exist.

    Args:
        cluster: a client of the cluster.
        wanted: topic names.
        servers: for the messages.
        budget_s: how long at most (`[kafka] startup_timeout`).
        pause: waits so many seconds; True = the worker is asked to stop.
    Returns: False when it was asked to stop meanwhile.
    Raises: StartupTimeout with the last reason; BrokerRefused at once when credentials are wrong.
    """
    deadline = Deadline.after(budget_s)
    logged = ""
    while True:
        reason = _missing(cluster, wanted, servers, deadline)
        if not reason:
            return True
        if reason != logged:
            log.warning("waiting: %s (at most %g s)", reason, budget_s)
            logged = reason
        if deadline.over:
            raise StartupTimeout(
                f"{reason} (waited {budget_s:g} s)",
                hint="start the broker or correct `[kafka] bootstrap_servers` or `security.protocol`; make topics with"
                " `stream topics --create`",
            )
        if pause(deadline.left_s(0.3)):
            return False


def _missing(cluster: Looking, wanted: Sequence[str], servers: str, deadline: Deadline) -> str:
    """What is not there yet; empty when nothing is missing."""
    try:
        found = cluster.topics(max(0.1, deadline.left_s(LOOK_S)))
    except Retriable as error:
        return f"no broker answers at {servers} ({error.message})"
    missing = [topic for topic in wanted if topic not in found]
    return f"topics missing on {servers}: {', '.join(missing)}" if missing else ""
