"""What the live page shows of a worker, put together each second for as long as somebody looks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import version

from stream.app.live_answers import LiveAnswers
from stream.app.live_look import Look
from stream.app.live_model import model_view
from stream.app.worker_status import Status
from stream.live import (
    OF_WORKER,
    Counters,
    FlowView,
    Snapshot,
    TopicView,
    Trail,
    Truth,
    letter_view,
    letters_by_reason,
    written,
)
from stream.records import Partition
from stream.shown import VALUE_CHARS, shown
from stream.transport import WORKER_CLIENT, GroupLayout

__all__ = ["WorkerLive"]


class WorkerLive:
    """The worker's side of the live page. `snapshot` and `tick` are called by one thread at a time each."""

    def __init__(self, status: Status, look: Look, truth: Truth | None = None) -> None:
        """
        Args:
            status: of the worker.
            look: at what must be asked for.
            truth: who knows what turned out; None = nobody.
        """
        self._status = status
        self._parts = parts = status.parts
        self._version = version("prediction-stream")
        self._started_ms = _now_ms()
        self._trail = Trail(OF_WORKER)
        self._answers = LiveAnswers(parts.settings, parts.tally.seen, truth)
        self._look = look

    def watch(self, watched: bool) -> None:
        """Somebody begins to look, or nobody does any longer."""
        self._parts.tally.seen.watch(watched)
        if watched:
            self._look.start()
        else:
            self._look.stop()

    def tick(self) -> None:
        """A step of the trail is over; called whether anybody looks or not."""
        counters = Counters.read(self._parts.metrics, time.monotonic())
        self._trail.tick(counters, _sum(self._parts.engine.backlog.lag))

    def snapshot(self) -> bytes:
        """The worker at this moment, as one line of JSON."""
        self._status.refresh()
        self._answers.take_in(self._parts.package)
        return written(self._snapshot(Counters.read(self._parts.metrics, time.monotonic())))

    def _snapshot(self, counters: Counters) -> Snapshot:
        parts, settings = self._parts, self._parts.settings
        lacking = self._status.lacking()
        waits = parts.engine.backlog.wait_s()
        return Snapshot(
            kind="worker",
            at_ms=_now_ms(),
            started_ms=self._started_ms,
            group=settings.kafka.group,
            instance=parts.instance,
            version=self._version,
            state=self._status.state(not lacking),
            ready=not lacking,
            lacking=[shown(each) for each in lacking],
            guarantee=str(settings.delivery.guarantee),
            redacted=settings.dead_letters.redact,
            model=model_view(parts.reloader),
            flow=self._flow(self._look.layout),
            now={
                **self._trail.now(counters),
                "lag_records": _sum(parts.engine.backlog.lag),
                "lag_seconds": round(max(waits.values()), 3) if waits else None,
            },
            history=self._trail.history(),
            totals={
                "records": int(counters.total("stream_records_total")),
                "predictions": int(counters.total("stream_predictions_total")),
                "dead_letters": int(counters.total("stream_dead_letters_total")),
                "skips": int(counters.total("stream_skips_total")),
            },
            scores=self._answers.scores(),
            latest=self._answers.latest.rows(),
            dead_letters=self._letters(counters),
            partitions=self._partitions(self._look.layout, waits),
            transactions=_transactions(counters),
            requests=None,
        )

    def _flow(self, layout: GroupLayout) -> FlowView:
        settings = self._parts.settings
        topics = (settings.input.topic, settings.output.topic, settings.dead_letters.topic)
        return FlowView(*(TopicView(topic, layout.partitions.get(topic)) for topic in topics))

    def _letters(self, counters: Counters) -> dict[str, object]:
        examined = self._look.examined
        recent = reversed(self._look.letters or list(self._parts.tally.seen.letters))
        return {
            "by_reason": letters_by_reason(counters.by("stream_dead_letters_total", "reason", "stage")),
            "recent": [letter_view(letter, examined.get(letter)) for letter in recent],
        }

    def _partitions(
        self, layout: GroupLayout, waits: Mapping[Partition, float]
    ) -> list[dict[str, object]] | None:
        """All partitions of the input; this worker's own as it knows them, the others as the brokers say."""
        own, owners = {p.index for p in self._parts.source.owned}, layout.owners or {}
        lag = {p.index: records for p, records in self._parts.engine.backlog.lag.items()}
        wait = {p.index: round(seconds, 3) for p, seconds in waits.items()}
        indices = sorted({*range(layout.partitions.get(self._parts.settings.input.topic, 0)), *own})
        return [
            {
                "partition": index,
                "owner": self._parts.instance if index in own else _owner(owners.get(index)),
                "owner_known": index in own or layout.owners is not None,
                "mine": index in own,
                "committed": layout.committed.get(index),
                "end": layout.ends.get(index),
                "lag": lag[index] if index in own and index in lag else _behind(layout, index),
                "lag_seconds": wait.get(index) if index in own else None,
            }
            for index in indices
        ] or None


def _owner(client: str | None) -> str | None:
    """A worker by its instance, another member by its client's name."""
    return None if client is None else shown(client.removeprefix(WORKER_CLIENT), VALUE_CHARS)


def _behind(layout: GroupLayout, index: int) -> int | None:
    """Offsets that the group has not committed; None where it is not known where it stands."""
    end, committed = layout.ends.get(index), layout.committed.get(index)
    return None if end is None or committed is None else max(0, end - committed)


def _transactions(counters: Counters) -> dict[str, int | None]:
    by_result = counters.by("stream_commits_total", "result")
    counts = {result: int(count) for (result,), count in by_result.items()}
    last_s = counters.known("stream_last_commit_timestamp_seconds")
    return {
        "committed": counts.get("ok", 0),
        "aborted": counts.get("aborted", 0),
        "moved_on": counts.get("moved_on", 0),
        "unknown": counts.get("unknown", 0),
        "uncommitted_records": int(counters.total("stream_unacknowledged_records")),
        "last_commit_ms": round(1_000 * last_s) if last_s else None,
    }


def _sum(lag: Mapping[Partition, int]) -> int | None:
    return sum(lag.values()) if lag else None


def _now_ms() -> int:
    return round(time.time() * 1_000)
