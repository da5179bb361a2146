"""How long each step of the loop may take."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """
    The engine's budgets, in seconds.

    Attributes:
        idle_s: how long a poll waits for a first record; a stop is noticed after this.
        company_s: how long at most a batch that is not full waits for more because that is worth it.
        ready_s: how long at most it waits because the transaction before has not ended: it could not be published.
        span_s: a span ends when it is this old. What a kill -9 makes others do again.
        quiet_s: how long an open transaction waits for what follows a full batch, which is mostly there already.
        span_records: a span ends when it has this many records.
        span_bytes: a span ends when its input values take this much memory.
        hold_s: for records in hand to be published again; bounded as `answer_s` is.
        settle_s: for outputs to be acknowledged; librdkafka gives up on a record after 300 s.
        revoke_s: to finish when partitions go; the group waits for it, and it waits 300 s at most.
        answer_s: for a service that scoring needs, a schema registry, to answer; a member that does
            not poll for 300 s is removed from its group.
        pause_s: scoring a batch should take no longer: a stop and a rebalance wait for it.
        first_s: at most for a batch of a model of which too little is known to expect how long it takes.
        stop_s: to finish when asked to stop; the process must end within 10 s.
    """

    idle_s: float = 0.1
    company_s: float = 0.005
    ready_s: float = 0.1
    span_s: float = 0.1
    quiet_s: float = 0.005
    span_records: int = 50_000
    span_bytes: int = 32 * 1024 * 1024
    hold_s: float = 240.0
    settle_s: float = 120.0
    revoke_s: float = 20.0
    answer_s: float = 240.0
    pause_s: float = 0.5
    first_s: float = 240.0
    stop_s: float = 7.0
