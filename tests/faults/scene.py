"""One row's stage: topics, workers, a feed, an onlooker; and the count at the end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from tests.acceptance import visits
from tests.acceptance.feed import Feed
from tests.acceptance.process import Setup, Spawn, Worker
from tests.acceptance.reader import Origin, Outputs, ends, high_of
from tests.faults.mix import Mix
from tests.faults.plan import VARIABLE, Action, Client, Fault, When, marks, spelled
from tests.faults.row import Result, Row
from tests.kafka.process import wait_for

__all__ = ["FOLLOW_S", "Scene"]

FOLLOW_S = 150.0
"""For everything that was sent to come out; recoveries take 5-20 s alone on two cores."""

END_S = 30.0
"""For a worker to end when asked: 10 s are promised, and this machine has other work."""

LOOK_S = 0.05

ADMIN_S = 60.0

PER_SECOND = 700
"""Events of a feed: a row of 15 s has some 10,000, and a worker on half a core keeps up."""


@dataclass
class Scene:
    """
    Attributes:
        row: what is broken.
        setup: topics, group and configuration.
        outputs: what is committed, as an onlooker reads it.
        launch: starts a worker that ends with the test.
        spawn: forks its process.
        mix: events by number.
        admin: the operator's client.
    """

    row: Row
    setup: Setup
    outputs: Outputs
    launch: Callable[..., Worker]
    spawn: Spawn
    mix: Mix = field(init=False)
    admin: AdminClient = field(init=False)
    result: Result | None = None
    sent: int = 0
    """Events that `send` wrote."""
    gone: int = 0
    """Events that the fault itself took from the input topic."""
    _lives: Counter[str] = field(default_factory=Counter)
    _latest: Worker | None = None
    _fired: list[str] = field(default_factory=list)
    _struck_at: float | None = None
    _before: set[Origin] = field(default_factory=set)
    _recovery_s: float | None = None

    def __post_init__(self) -> None:
        self.mix = Mix(self.row.seed)
        self.admin = AdminClient({"bootstrap.servers": self.setup.bootstrap, "log_level": 0})

    # ---- what goes in ----

    def send(self, count: int) -> None:
        """Write the next so many events, and wait until they are acknowledged."""
        numbers = range(self.sent, self.sent + count)
        visits.send(self.setup.bootstrap, self.setup.input, map(self.mix.event, numbers))
        self.sent += count

    def feed(self, per_second: int = PER_SECOND, transactional_id: str | None = None) -> Feed:
        """A feed that goes on with the next event; give what it sent to `settle`, by `fed`."""
        first, setup = self.sent, self.setup
        return Feed(
            setup.bootstrap, setup.input, per_second, lambda n: self.mix.event(first + n), transactional_id
        )

    def fed(self, feed: Feed) -> None:
        """Stop a feed and count its events as sent."""
        self.sent += feed.stop()

    def alter(self, topic: str, key: str, value: str) -> None:
        """Set a setting of a topic."""
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self.admin.incremental_alter_configs([resource])[resource].result(ADMIN_S)

    # ---- who works ----

    def plant(
        self,
        step: str,
        when: When,
        nth: int,
        action: Action,
        *,
        client: Client = "Producer",
        number: float = 0.0,
        times: int = 1,
    ) -> Fault:
        """A fault for `start`, with a mark of its own."""
        mark = str(self.setup.folder / f"mark-{step}-{when}-{nth}-{action}")
        return Fault(client, step, when, nth, action, mark, number, times)

    def start(
        self,
        instance: str = "a",
        faults: Sequence[Fault] = (),
        *,
        environ: Mapping[str, str] | None = None,
    ) -> Worker:
        """
        Start a worker.

        Args:
            instance: `[delivery] instance`; the same again is the same worker, restarted by its supervisor.
            faults: planted in it.
            environ: variables of its own.
        """
        self._lives[instance] += 1
        name = f"{instance}-{self._lives[instance]}"
        config = str(self.setup.folder / f"{name}.toml")
        module = "tests.faults.launch" if faults else "stream"
        command = [sys.executable, "-m", module, "worker", "--config", config]
        variables = {"STREAM_DELIVERY__INSTANCE": instance, **(environ or {})}
        if faults:
            variables[VARIABLE] = spelled(faults)
        # What is preloaded must be there before the first import.
        spawn = None if "LD_PRELOAD" in variables else self.spawn
        self._latest = self.launch(self.setup, name, command=command, environ=variables, spawn=spawn)
        return self._latest

    def current(self) -> Worker | None:
        """The worker that was started last, if it is at work."""
        return self._latest if self._latest is not None and self._latest.running else None

    # ---- what happens ----

    def warm(self, worker: Worker, count: int = 300) -> None:
        """Block until so many inputs more have an output: the worker is at work."""
        self.outputs.inputs(len(self.outputs.count) + count, worker, FOLLOW_S)

    def keep_reading(self, seconds: float) -> None:
        """Let so much time pass; the onlooker reads on."""
        end = time.monotonic() + seconds
        self.keep_reading_until(lambda: time.monotonic() >= end, f"{seconds:g} s", seconds + 30)

    def keep_reading_until(
        self, condition: Callable[[], bool], what: str, timeout_s: float = FOLLOW_S
    ) -> None:
        """Block until `condition()`; the onlooker reads on."""

        def met() -> bool:
            self.outputs.poll(LOOK_S)
            return condition()

        wait_for(met, timeout_s, what)

    def fires(self, fault: Fault, worker: Worker, evidence: str = "", timeout_s: float = 60.0) -> None:
        """Block until a planted fault has left its mark; fails when it does not."""

        def marked() -> bool:
            self.outputs.poll(LOOK_S)
            return bool(marks(Path(fault.mark)))

        def or_ended() -> bool:
            return marked() or (not worker.running and not marked())

        wait_for(or_ended, timeout_s, f"{fault.action} {fault.when} {fault.step} number {fault.nth}")
        found = marks(Path(fault.mark))
        assert found, f"the fault did not fire, and the worker ended\n{worker.tail()}"
        words = f"mark of the process: {fault.action} {fault.when} call {found[0]['call']} of {fault.step}"
        self.struck(f"{words}; {evidence}" if evidence else words, found[0]["at"])

    def strikes(self) -> None:
        """Note that the fault begins now; `struck` says later how that is known."""
        self._struck_at = time.monotonic()
        self._before = set(self.outputs.count)

    def struck(self, evidence: str, at: float | None = None, *, drain: bool = True) -> None:
        """
        Note that the fault has taken place.

        Args:
            evidence: how that is known.
            at: monotonic seconds; now when None. Of several, the first counts.
            drain: take in what is committed by now; False where no broker answers.
        """
        self._fired.append(evidence)
        if self._struck_at is None:
            self._struck_at = time.monotonic() if at is None else at
            if drain:
                self.outputs.to_end()
            self._before = set(self.outputs.count)

    def recovers(self, partitions: Iterable[int] | None = None, timeout_s: float = FOLLOW_S) -> float:
        """
        Block until there is an output that was not there when the fault struck; the seconds between.

        Args:
            partitions: of these input partitions; any when None.
            timeout_s: for that.
        """
        assert self._struck_at is not None, "nothing has struck yet"
        wanted = None if partitions is None else set(partitions)
        what = f"the first output after the fault, of {wanted or 'any partition'}"
        self.keep_reading_until(lambda: self._is_new(wanted), what, timeout_s)
        return self._recovered()

    def recovers_by(self, worker: Worker) -> Worker:
        """
        `recovers`, under a supervisor: a worker that ends with exit 1 and its reason is started again.

        Returns: the worker that is at work now.
        """
        current = worker

        def new() -> bool:
            nonlocal current
            if not current.running:
                current = self._restarted(current)
            return self._is_new(None)

        self.keep_reading_until(new, "the first output after the fault")
        self._recovered()
        return current

    def _restarted(self, worker: Worker) -> Worker:
        assert 1 == worker.end(), worker.tail()
        reason = worker.text().split("the worker stops:")[1].strip().splitlines()[0]
        self._fired.append(f"the worker ended with exit 1 and was started again: {reason}")
        return self.start(worker.name.rpartition("-")[0])

    def _is_new(self, partitions: set[int] | None) -> bool:
        new = self.outputs.count.keys() - self._before
        return any(partitions is None or origin[0] in partitions for origin in new)

    def _recovered(self) -> float:
        assert self._struck_at is not None
        if self._recovery_s is None:
            self._recovery_s = time.monotonic() - self._struck_at
        return self._recovery_s

    # ---- what is counted ----

    def settle(self, *workers: Worker, stopped: bool = False, doubled_at_most: int | None = None) -> Result:
        """
        Wait for the last output, end the workers, and count.

        Args:
            workers: those at work; each must end with exit 0 when asked.
            stopped: the worker has ended by itself, and was not to go on: what is committed is counted, and
                what is not done must still be there for the next.
            doubled_at_most: None = as the row's guarantee has it: 0, or any number with at-least-once.
        """
        assert self._fired, "a row asserts that its fault took place"
        good, junk, skipped = self.mix.split(self.sent)
        if not stopped:
            self.follow(*workers)
        for worker in workers:
            worker.terminate()
            assert 0 == worker.end(END_S), worker.tail()
        self.closed()
        self.outputs.to_end()
        scored = {seen.fields["id"] for seen in self.outputs.predictions}
        buried = {seen.value for seen in self.outputs.letters}
        assert (set(), set()) == (scored - good, buried - junk), "outputs of nothing that was sent"
        done = len(scored) + len(buried) + skipped + self.gone
        self.result = Result(
            self.row.id,
            self.row.fault,
            self.row.guarantee,
            self.sent,
            len(scored),
            len(buried),
            skipped,
            self.gone,
            0 if stopped else self.sent - done,
            self.outputs.doubled,
            None if self._recovery_s is None else round(self._recovery_s, 1),
            "; ".join(self._fired),
        )
        sys.stdout.write(f"{self.result}\n{self._doubles()}")
        self._judge(stopped=stopped, doubled_at_most=doubled_at_most)
        return self.result

    def _judge(self, *, stopped: bool, doubled_at_most: int | None) -> None:
        assert self.result is not None
        assert 0 == self.result.lost, self.result
        if doubled_at_most is None and self.row.guarantee == "exactly-once":
            doubled_at_most = 0
        if doubled_at_most is not None:
            assert self.result.doubled <= doubled_at_most, self.result
        self.in_order()
        if not stopped:
            self._committed()

    def _doubles(self) -> str:
        """The outputs of inputs that have more than one: for whoever looks for the reason."""
        all_of = [("prediction", seen) for seen in self.outputs.predictions if seen.fields]
        all_of += [("dead letter", seen) for seen in self.outputs.letters]
        return "".join(
            f"{kind} of {seen.origin}: at {seen.partition}, {seen.offset}\n"
            for kind, seen in all_of
            if self.outputs.count[seen.origin] > 1
        )

    def follow(self, *workers: Worker) -> None:
        """Wait until all that was sent has an output. What is missing after that will be counted as lost."""
        good, junk, _ = self.mix.split(self.sent)
        count = len(good) + len(junk) - self.gone

        def there() -> bool:
            ended = [worker for worker in workers if not worker.running]
            assert not ended, f"{ended[0].name} ended\n{ended[0].tail()}"
            return len(self.outputs.count) >= count

        try:
            self.keep_reading_until(there, "")
        except TimeoutError:
            sys.stdout.write(f"after {FOLLOW_S:g} s {len(self.outputs.count)} of {count} have an output\n")

    def reasons(self, stage: str) -> Counter[str]:
        """The reasons of a stage's dead letters so far."""
        return Counter(
            letter.header("stream.error.reason")
            for letter in self.outputs.letters
            if letter.header("__connect.errors.stage") == stage
        )

    def closed(self) -> None:
        """Block until no transaction is open on the outputs: readers of committed records see all that is there."""
        consumers = [
            Consumer(
                {
                    "bootstrap.servers": self.setup.bootstrap,
                    "group.id": "onlooker",
                    "isolation.level": f"read_{kind}",
                    "log_level": 0,
                }
            )
            for kind in ("committed", "uncommitted")
        ]

        def end(consumer: Consumer) -> list[int]:
            return [high_of(consumer, TopicPartition(tp.topic, tp.partition)) for tp in self.outputs.places]

        try:
            wait_for(lambda: end(consumers[0]) == end(consumers[1]), 30, "open transactions to end")
        finally:
            for consumer in consumers:
                consumer.close()

    def in_order(self) -> None:
        """Per partition in, partition out and key, the first outputs of the inputs are in the inputs' order."""
        last: dict[tuple[int, int, bytes | None], int] = {}
        met: set[Origin] = set()
        for seen in self.outputs.predictions:  # as they were read: a partition's in its order
            if not seen.fields or seen.origin in met:
                continue
            met.add(seen.origin)
            source, offset = seen.origin
            place = (seen.partition, source, seen.key)
            assert last.get(place, -1) < offset, f"key {seen.key!r} of {place}: {offset} after {last[place]}"
            last[place] = offset

    def _committed(self) -> None:
        def at_end() -> bool:
            found, high = ends(self.setup.bootstrap, self.setup.group, self.setup.input)
            return all(found[p] == high[p] or (high[p] == 0 and found[p] < 0) for p in high)

        wait_for(at_end, FOLLOW_S, "the group's offsets to be the input's end")
