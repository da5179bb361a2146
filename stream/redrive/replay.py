"""`stream deadletters replay`: what it would do today, and doing it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace

from stream.deadline import Deadline
from stream.errors import Retriable, SettingsError, StartupTimeout, Stopped
from stream.first_opening import FirstOpening
from stream.redrive.header_dialects import StoredLetter
from stream.redrive.letter_chunks import chunks_of
from stream.redrive.letter_filter import LetterFilter
from stream.redrive.letter_reading import LetterScan, opened_scan
from stream.redrive.repairing import Repairs, Workshop, opened_workshop
from stream.redrive.replay_marks import Replayed, TopicId, marks_topic
from stream.redrive.resending import Resending, Topics
from stream.redrive.retention import Retention
from stream.redrive.selection import Home, Selection
from stream.redrive.trial import Trial, opened_pipeline, try_letters
from stream.rights import rights_of
from stream.settings import Settings
from stream.transport import Cluster, TransactionalSink, read_whole

__all__ = ["Replay", "Wish", "opened_replay"]

CHUNK = 1_000
"""Letters of one transaction, which takes some tens of milliseconds."""

PER_SECOND = 10
"""Transactions, where a rate is asked for: what is sent comes evenly."""

LEADER_S = 15.0
"""For a topic that was just made to have a leader."""

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What is asked for.

    Attributes:
        wanted: which letters.
        rate: letters a second; None = no limit.
        again: send those that came back and failed again, too.
        repairs: what to make of them first; None = they go as they are.
    """

    wanted: LetterFilter = field(default_factory=LetterFilter)
    rate: float | None = None
    again: bool = False
    repairs: Repairs | None = None


@dataclass(slots=True)
class Replay:
    """
    One replay.

    Attributes:
        settings: the configuration.
        wish: what is asked for.
        scan: the letters.
        selection: those of them that are sent.
        retention: of the input topic.
        trial: what would become of them today, as far as they were tried.
        resending: sends them; None in a dry run.
        workshop: repairs them; None where nothing is to be repaired.
    """

    settings: Settings
    wish: Wish
    scan: LetterScan
    selection: Selection
    retention: Retention
    trial: Trial = field(default_factory=Trial)
    resending: Resending | None = None
    workshop: Workshop | None = None

    def _chosen(self) -> Iterator[StoredLetter]:
        return self.selection.of(self.scan.letters())

    def rehearse(self, opening: FirstOpening | None, progress: Progress) -> None:
        """
        Score the letters with today's package and schemas; no topic is changed.

        Args:
            opening: lets a child process open the package first.
            progress: called with the number of letters looked at.
        Raises: Refused, Stopped; Retriable when the registry does not answer.
        """
        with opened_pipeline(self.settings, opening) as pipeline:
            for chunk in chunks_of(self._chosen(), CHUNK):
                repaired = chunk if self.workshop is None else self.workshop.repaired(chunk, self.trial)
                try_letters(self.settings, pipeline, repaired, self.trial)
                progress(self.scan.seen)

    def send(
        self,
        opening: FirstOpening | None,
        progress: Progress,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Send the letters, each once.

        Args:
            opening: lets a child process open the package first, where letters are repaired.
            progress: called with the number of letters looked at.
            pause: waits for the given number of seconds.
            clock: monotonic seconds.
        Raises: as `Resending.send`, and as `rehearse` where letters are repaired.
        """
        assert self.resending is not None
        started, rate = clock(), self.wish.rate
        with ExitStack() as stack:
            check = self._checked(stack, opening)
            for chunk in chunks_of(self._chosen(), _chunk_size(rate)):
                if ready := check(chunk):
                    self.resending.send(ready)
                progress(self.scan.seen)
                if rate is not None:
                    pause(max(0.0, started + self.resending.sent / rate - clock()))

    def _checked(
        self, stack: ExitStack, opening: FirstOpening | None
    ) -> Callable[[list[StoredLetter]], list[StoredLetter]]:
        """Letters as they are; or as the repair makes them, those of them that a worker would score today."""
        workshop = self.workshop
        if workshop is None:
            return lambda chunk: chunk
        pipeline = stack.enter_context(opened_pipeline(self.settings, opening))

        def check(chunk: list[StoredLetter]) -> list[StoredLetter]:
            repaired = workshop.repaired(chunk, self.trial)
            return try_letters(self.settings, pipeline, repaired, self.trial)

        return check


def _chunk_size(rate: float | None) -> int:
    return CHUNK if rate is None else max(1, min(CHUNK, int(rate / PER_SECOND)))


@contextmanager
def opened_replay(settings: Settings, wish: Wish, *, dry: bool) -> Iterator[Replay]:
    """
    A replay that is ready to go.

    Args:
        settings: the configuration.
        wish: what is asked for.
        dry: only `rehearse` will be called: no topic is made or changed, and no other replay is disturbed.
    Raises: Stopped when a topic is not there, or the broker does not answer, or has no transactions; SettingsError on
        the embedded broker; InputError for a partition that is not there.
    """
    command = "deadletters replay --dry-run" if dry else "deadletters replay"
    cluster = Cluster(settings.kafka, rights_of(command, settings))
    partitions = cluster.require(settings.input.topic)
    cluster.require(settings.dead_letters.topic)
    with cluster.naming_refusals(), ExitStack() as stack:
        retention = _retention(settings, cluster)
        sender = None if dry else _Sender(settings, cluster, stack)
        replayed = _known(settings, cluster) if sender is None else sender.replayed
        repairs = wish.repairs
        workshop = None if repairs is None else stack.enter_context(opened_workshop(settings, repairs))
        # The limit counts letters that are sent: a second replay of a hundred sends the next hundred.
        scan = stack.enter_context(opened_scan(settings, replace(wish.wanted, limit=None), command))
        home = _home(settings, wish.wanted, retention)
        selection = Selection(replayed, home, again=wish.again, limit=wish.wanted.limit)
        resending = None if sender is None else sender.resending(partitions, scan.ends)
        yield Replay(settings, wish, scan, selection, retention, resending=resending, workshop=workshop)


def _retention(settings: Settings, cluster: Cluster) -> Retention:
    # The embedded broker keeps no settings of topics, and deletes by size only.
    return Retention.of({} if cluster.is_embedded() else cluster.settings_of(settings.input.topic))


def _home(settings: Settings, wanted: LetterFilter, retention: Retention) -> Home:
    """The configuration's own letters, unless others are asked for by name."""
    return Home(
        None if wanted.topic is not None else settings.input.topic,
        None if wanted.group is not None else settings.kafka.group,
        retention.oldest_ms(time.time_ns() // 1_000_000),
    )


class _Sender:
    """The producer of a replay, which has taken its transactional id, and what was replayed before that."""

    def __init__(self, settings: Settings, cluster: Cluster, stack: ExitStack) -> None:
        if cluster.is_embedded():
            raise SettingsError(
                "[kafka] bootstrap_servers: the embedded broker only pretends transactions: letters might go twice",
                hint="replay on a real Kafka; `--dry-run` works here too",
            )
        [self._marks] = cluster.create([marks_topic(settings)])
        self._settings = settings
        self._channel = stack.enter_context(
            closing(TransactionalSink(settings.kafka, settings.replay_id, reports_all=True))
        )
        try:
            self._channel.start(Deadline.after(settings.kafka.startup_timeout))
        except Retriable as error:
            raise StartupTimeout(
                error.message, hint="start the broker, or see whether it has transactions"
            ) from error
        self._ids = _topic_ids(settings, cluster)
        self.replayed = _first_read(self._read, fresh=self._marks.created)

    def _read(self) -> Replayed:
        return _read_marks(self._settings, Replayed(*self._ids))

    def resending(self, partitions: int, ends: Mapping[int, int]) -> Resending:
        """What sends chunks to an input topic of so many partitions."""
        topics = Topics(self._marks.name, partitions, ends, self._read)
        return Resending(self._channel, topics, self.replayed)


def _topic_ids(settings: Settings, cluster: Cluster) -> tuple[TopicId, TopicId]:
    names = settings.dead_letters.topic, settings.input.topic
    ids = cluster.topic_ids(names)
    source, target = (TopicId(name, ids[name]) for name in names)
    return source, target


def _known(settings: Settings, cluster: Cluster) -> Replayed:
    """What was replayed, as far as there are marks."""
    if cluster.is_embedded():
        return Replayed(*(TopicId(name, "") for name in (settings.dead_letters.topic, settings.input.topic)))
    replayed = Replayed(*_topic_ids(settings, cluster))
    if settings.dead_letters.marks not in cluster.partitions():
        return replayed
    # Of a replay that is under way, what it has committed by now.
    return _read_marks(settings, replayed, settled=False)


def _first_read(read: Callable[[], Replayed], *, fresh: bool) -> Replayed:
    """A topic that was just made has no leader for a moment."""
    deadline = Deadline.after(LEADER_S if fresh else 0.0)
    while True:
        try:
            return read()
        except Stopped:
            if deadline.over:
                raise
            time.sleep(0.1)


def _read_marks(settings: Settings, replayed: Replayed, *, settled: bool = True) -> Replayed:
    batches = read_whole(
        settings.kafka,
        settings.dead_letters.marks,
        "marks",
        "what was replayed is not known",
        "letters may be sent a second time then",
        settled=settled,
    )
    for batch in batches:
        replayed.add(batch)
    return replayed
