"""The lines that a worker's log has about the worker as a whole."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from stream.app.worker_parts import Parts
from stream.log_events import tell
from stream.transport import client_version

__all__ = ["WorkerLog"]

log = logging.getLogger(__name__)

LETTERS_S = 60.0
"""Between two lines about dead letters of one reason."""


@dataclass(slots=True)
class WorkerLog:
    """
    Used by one thread at a time.

    Attributes:
        parts: the worker.
        clock: monotonic seconds.
    """

    parts: Parts
    clock: Callable[[], float] = time.monotonic
    _since: float | None = None
    _away_since: float | None = None
    _said: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def started(self) -> None:
        """What runs, and on what."""
        parts, settings = self.parts, self.parts.settings
        self._since = self.clock()
        model, group = parts.package.manifest.model, settings.kafka.group
        own, librdkafka = version("prediction-stream"), client_version()
        python, sklearn = platform.python_version(), version("scikit-learn")
        tell(
            log,
            logging.INFO,
            "worker_started",
            "%s reads %s as group %s, instance %s, %s, and writes %s and %s (prediction-stream %s, Python %s, "
            "scikit-learn %s, librdkafka %s)",
            *(model, settings.input.topic, group, parts.instance, settings.delivery.guarantee),
            *(settings.output.topic, settings.dead_letters.topic, own, python, sklearn, librdkafka),
            version=own,
            python=python,
            scikit_learn=sklearn,
            librdkafka=librdkafka,
            model=model,
            input=settings.input.topic,
            output=settings.output.topic,
            dead_letter_topic=settings.dead_letters.topic,
            group=group,
            instance=parts.instance,
            guarantee=settings.delivery.guarantee,
        )

    def broker_away(self, reason: str) -> None:
        """No broker has answered; said once."""
        if self._away_since is None:
            self._away_since = self.clock()
            tell(log, logging.WARNING, "broker_away", "no broker answers: %s", reason, reason=reason)

    def broker_back(self) -> None:
        """A broker has answered."""
        if self._away_since is not None:
            seconds = round(self.clock() - self._away_since, 1)
            self._away_since = None
            tell(
                log,
                logging.INFO,
                "broker_back",
                "a broker answers again, after %g s",
                seconds,
                seconds=seconds,
            )

    def topics_missing(self, topics: tuple[str, ...]) -> None:
        """Topics are gone."""
        names = ", ".join(topics)
        tell(log, logging.ERROR, "topics_missing", "topics are gone: %s", names, topics=list(topics))

    def letters(self, *, last: bool = False) -> None:
        """
        Say how many records went to the dead-letter topic since the last line about their reason.

        Args:
            last: also where that was less than `LETTERS_S` ago.
        """
        now = self.clock()
        for (reason, stage), total in self.parts.metrics.by_each("stream_dead_letters_total"):
            then, before = self._said.get((reason, stage), (None, 0))
            if total <= before or (then is not None and now - then < LETTERS_S and not last):
                continue
            self._said[reason, stage] = (now, int(total))
            seconds = None if then is None else round(now - then)
            span = "" if seconds is None else f" in the last {seconds} s"
            tell(
                log,
                logging.WARNING,
                "dead_letters",
                "%d dead letters%s: %s (stage %s), %d in all; see `stream deadletters list --reason %s`",
                *(total - before, span, reason, stage, total, reason),
                reason=reason,
                stage=stage,
                count=int(total) - before,
                total=int(total),
                seconds=seconds,
            )

    def stopped(self) -> None:
        """It has ended as asked."""
        self.letters(last=True)
        metrics, since = self.parts.metrics, self._since
        counts = {
            "records": int(metrics.value("stream_records_total")),
            "predictions": int(metrics.value("stream_predictions_total")),
            "dead_letters": int(metrics.value("stream_dead_letters_total")),
            "skips": int(metrics.value("stream_skips_total")),
        }
        seconds = None if since is None else round(self.clock() - since, 1)
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        after = "" if seconds is None else f" after {seconds:g} s"
        message = "the worker has stopped as asked%s: %s"
        tell(log, logging.INFO, "worker_stopped", message, after, told, **counts, seconds=seconds)

    def failed(self, reason: BaseException) -> None:
        """It ends with an error."""
        tell(
            log,
            logging.CRITICAL,
            "worker_failed",
            "the worker stops: %s",
            reason,
            error=type(reason).__name__,
            reason=str(reason),
        )
