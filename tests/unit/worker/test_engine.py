"""The engine's loop, on a scripted source and a sink in memory."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

import pytest

from stream.deadline import Deadline
from stream.errors import (
    DeadLetterRefused,
    DeliveryFailed,
    MovedOn,
    OffsetOutOfRange,
    Retriable,
    TooManyDeadLetters,
)
from stream.records import Batch, Outcome, Partition
from stream.testing import batch_of
from stream.transport import Refusal
from stream.worker import State
from tests.unit.worker.rig import P0, P1, Echo
from tests.unit.worker.rig import AtLeastOnceRig as Rig


class TestDelivery:
    """Outputs first, offsets after."""

    def test_batches_are_published_in_order_and_committed(self) -> None:
        """Everything read is published, in order, and the next offset is committed."""
        rig = Rig(batch_of([b"a", b"b"]), batch_of([b"c"], first_offset=2)).run()

        assert [b"a", b"b", b"c"] == rig.values("out")
        assert {P0: 3} == rig.source.offsets
        assert rig.engine.life.state is State.STOPPED
        assert rig.source.closed

    def test_key_and_timestamp_of_the_input_are_kept(self) -> None:
        """A prediction has its record's key and timestamp."""
        rig = Rig(batch_of([b"a"], first_offset=7)).run()

        assert (b"k7", 1_007) == (rig.sink.on("out")[0].key, rig.sink.on("out")[0].timestamp_ms)

    def test_no_commit_while_outputs_are_not_acknowledged(self) -> None:
        """A failed flush ends the worker with nothing committed."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.failure = DeliveryFailed("the broker is gone")

        with pytest.raises(DeliveryFailed):
            rig.run()

        assert {} == rig.source.offsets
        assert rig.engine.life.state is State.FAILED
        assert rig.source.closed
        assert {} == rig.source.offsets

    def test_passing_commit_error_is_tried_again(self) -> None:
        """A commit that fails for now is repeated until it counts."""
        rig = Rig(batch_of([b"a"]))
        rig.source.commit_errors = [Retriable("coordinator loads")]

        assert {P0: 1} == rig.run().source.offsets

    def test_commit_in_a_rebalance_is_made_up_for(self) -> None:
        """When the group has moved on, what stays ours is committed later, without a new record."""
        rig = Rig(batch_of([b"a"]))
        rig.source.commit_errors = [MovedOn("rebalancing")]

        assert {P0: 1} == rig.run().source.offsets

    def test_skips_are_counted_and_send_nothing(self) -> None:
        """A skip is neither prediction nor dead letter, and its offset is committed."""
        rig = Rig(batch_of([b"s", b"a"])).run()

        assert [b"a"] == rig.values("out")
        assert 1 == rig.metrics.value("stream_skips_total", reason="asked")
        assert {P0: 2} == rig.source.offsets

    def test_counts_add_up(self) -> None:
        """Records = predictions + dead letters + skips."""
        rig = Rig(batch_of([b"a", b"x", b"s", None])).run()

        assert 4 == rig.metrics.value("stream_records_total")
        assert 2 == rig.metrics.value("stream_predictions_total")
        assert 1 == rig.metrics.value("stream_dead_letters_total", reason="bad", stage="decode")


class TestLookUps:
    """What scoring needs beyond the records: a schema registry."""

    def test_batch_waits_for_an_answer_and_is_done_once(self) -> None:
        """While it waits the engine says for what, stays alive, and has published and committed nothing."""
        rig = Rig(batch_of([b"a"]))
        seen: list[tuple[str, bool, int]] = []

        class Away(Echo):
            def process(self, batch: Batch) -> list[Outcome]:
                if len(seen) < 2:
                    seen.append((rig.engine.blocked, rig.engine.progress.stuck, len(rig.sink.on("out"))))
                    raise Retriable("registry: no answer")
                return super().process(batch)

        rig.engine.swap(Away())
        rig.run()

        assert [("", False, 0), ("registry: no answer", False, 0)] == seen
        assert ([b"a"], "") == (rig.values("out"), rig.engine.blocked)
        assert {P0: 1} == rig.source.offsets

    def test_what_waits_is_counted_while_a_batch_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A registry was away, and the lag stayed at what it had been before."""
        rig = Rig(batch_of([b"a"]))
        seen: list[dict[Partition, int]] = []

        class Away(Echo):
            def process(self, batch: Batch) -> list[Outcome]:
                if len(seen) < 2:
                    seen.append(rig.engine.backlog.lag)
                    monkeypatch.setattr(rig.source, "unread", lambda: {P0: range(1, 3_121)})
                    rig.clock_s += 2.0
                    raise Retriable("registry: no answer")
                return super().process(batch)

        rig.engine.swap(Away())
        rig.run()

        assert {P0: 3_120} == seen[1]
        assert {P0: 3_120} != seen[0]

    def test_stop_while_waiting_commits_nothing(self) -> None:
        """The batch is read again by whoever comes next."""
        rig = Rig(batch_of([b"a"]))

        class Away(Echo):
            def process(self, batch: Batch) -> list[Outcome]:
                rig.engine.stop()
                raise Retriable("registry: no answer")

        rig.engine.swap(Away())
        rig.run()

        assert ([], {}) == (rig.values("out"), rig.source.offsets)
        assert rig.engine.life.state is State.STOPPED


class TestDeadLetters:
    """What can't be scored, and what can't be published."""

    def test_original_bytes_and_place_are_kept(self) -> None:
        """A dead letter is the original record with headers that say where it was and why it is here."""
        rig = Rig(batch_of([b"a", b"x!"], first_offset=5)).run()

        [sent] = rig.sink.on("dead")
        headers = dict(sent.headers)
        assert (b"k6", b"x!", 1_006) == (sent.key, sent.value, sent.timestamp_ms)
        assert (b"in", b"0", b"6") == tuple(
            headers[f"__connect.errors.{name}"] for name in ("topic", "partition", "offset")
        )
        assert b"bad" == headers["stream.error.reason"]

    def test_refused_prediction_becomes_dead_letter(self) -> None:
        """An output that the broker refuses late goes to the dead-letter topic with the original bytes."""
        rig = Rig(batch_of([b"a", b"big"]))
        rig.sink.refuse = lambda sent: (
            "message_too_large" if sent.topic == "out" and sent.value == b"big" else None
        )
        rig.run()

        [sent] = rig.sink.on("dead")
        assert b"big" == sent.value
        assert b"publish" == dict(sent.headers)["__connect.errors.stage"]
        assert {P0: 2} == rig.source.offsets
        assert 1 == rig.metrics.value("stream_predictions_total")

    def test_refused_timestamp_is_stamped_now(self) -> None:
        """A record whose timestamp the broker refuses becomes a dead letter stamped now, never a loop."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.refuse = lambda sent: "timestamp_refused" if sent.timestamp_ms else None
        rig.run()

        assert [0] == [sent.timestamp_ms for sent in rig.sink.on("dead")]

    def test_two_forwarded_nulls_of_one_key_are_both_kept(self) -> None:
        """Refused tombstones that look alike become one dead letter each."""
        batch = batch_of([None, None])
        batch.keys = [b"k", b"k"]
        rig = Rig(batch)
        rig.sink.refuse = lambda sent: "record_refused" if sent.topic == "out" else None
        rig.run()

        offsets = [dict(sent.headers)["__connect.errors.offset"] for sent in rig.sink.on("dead")]
        assert [b"0", b"1"] == offsets

    def test_refused_dead_letter_stops_with_its_place(self) -> None:
        """A record that fits nowhere stops the worker, uncommitted, naming topic, partition and offset."""
        rig = Rig(batch_of([b"a", b"x"], first_offset=3))
        rig.sink.refuse = lambda sent: "message_too_large" if sent.topic == "dead" else None

        with pytest.raises(DeadLetterRefused, match=r"in\[0\]@4"):
            rig.run()

        assert {} == rig.source.offsets

    def test_brake_stops_before_the_batch_is_published(self) -> None:
        """A batch of nearly nothing but dead letters is not published: it is a bad deploy."""
        rig = Rig(batch_of([b"x"] * 1_000), stop_above=0.5)

        with pytest.raises(TooManyDeadLetters, match="1000 of the last 1000"):
            rig.run()

        assert [] == rig.sink.on("dead") + rig.sink.waiting
        assert {} == rig.source.offsets


class TestRebalance:
    """Partitions come and go."""

    def test_revoked_partition_is_committed_first(self) -> None:
        """What was published is committed before the partition goes."""
        rig = Rig(batch_of([b"a"]), span_s=60.0)
        seen: list[dict[Partition, int]] = []

        def revoke() -> None:
            rig.source.revoke([P0])
            seen.append(dict(rig.source.offsets))

        rig.source.then(revoke)
        rig.run()

        assert [{P0: 1}] == seen

    def test_lost_partition_is_not_committed(self) -> None:
        """A partition that others own already is left alone; the rest of the span is committed."""
        rig = Rig(span_s=60.0)
        rig.source.then(lambda: rig.source.assign([P1]), batch_of([b"a"]), batch_of([b"b"], partition=1))
        rig.source.then(lambda: rig.source.lose([P0]))
        rig.run()

        assert {P1: 1} == rig.source.offsets

    def test_source_error_ends_the_worker(self) -> None:
        """What the source can't go on from reaches the caller, and the state says so."""
        rig = Rig(batch_of([b"a"]), OffsetOutOfRange("gone"), span_s=60.0)

        with pytest.raises(OffsetOutOfRange):
            rig.run()

        assert rig.engine.life.state is State.FAILED
        assert rig.source.closed
        assert {} == rig.source.offsets


class TestSwap:
    """Another model takes over between two batches."""

    def test_next_batch_is_judged_by_the_new_model(self) -> None:
        """A dead letter names the model that scored it, even when it is settled after the swap."""
        rig = Rig(batch_of([b"x"]), span_s=60.0)
        rig.source.then(lambda: rig.engine.swap(Echo("m@2")))
        rig.source.then(batch_of([b"x"], first_offset=1))
        rig.run()

        assert [b"m@1", b"m@2"] == [dict(sent.headers)["stream.model"] for sent in rig.sink.on("dead")]
        assert "m@2" == rig.engine.model

    def test_offsets_are_committed_by_the_thread_that_reads(self) -> None:
        """A commit from another thread would never return while partitions move, so there is none."""
        rig = Rig(
            batch_of([b"a"]), lambda: None, batch_of([b"b"], first_offset=1), lambda: rig.source.revoke([P0])
        )
        threads: set[str] = set()
        commit = rig.source.commit

        def watched(offsets: Mapping[Partition, int], *, wait: bool) -> None:
            threads.add(threading.current_thread().name)
            commit(offsets, wait=wait)

        rig.source.commit = watched  # type: ignore[method-assign]
        rig.run()

        assert {threading.current_thread().name} == threads
        assert {P0: 2} == rig.source.offsets

    def test_lost_partition_is_not_committed_with_the_span_that_ends(self) -> None:
        """A span whose outputs are still awaited forgets a lost partition too."""
        rig = Rig(batch_of([b"a"]), lambda: rig.source.lose([P0]))
        released = threading.Event()
        flush = rig.sink.flush

        def slow(deadline: Deadline) -> list[Refusal]:
            released.wait(10)
            return flush(deadline)

        rig.sink.flush = slow  # type: ignore[method-assign]
        rig.source.then(released.set)
        rig.run()

        assert {} == rig.source.offsets


class TestCommit:
    """Commits that are not waited for, and the last one, which is."""

    def test_failed_commit_is_made_up_for_without_a_new_record(self) -> None:
        """What a commit could not make known is committed again by itself."""
        rig = Rig(batch_of([b"a"]), *[lambda: None] * 5)
        rig.source.commit_errors = [Retriable("coordinator loads")]
        rig.run()

        assert {P0: 1} == rig.source.offsets

    def test_older_offset_never_follows_a_newer_one(self) -> None:
        """An old commit that fails late does not take the group back."""
        rig = Rig(batch_of([b"a"]), lambda: None, batch_of([b"b"], first_offset=1), lambda: None)
        rig.source.then(lambda: rig.source.failed.update({P0: 1}))
        rig.source.then(*[lambda: None] * 3)
        rig.run()

        assert [1, 2, 2] == [offsets[P0] for offsets in rig.source.commits][:3]
        assert {P0: 2} == rig.source.offsets

    def test_last_commit_is_waited_for(self) -> None:
        """Before the worker leaves, the coordinator has answered; until then nobody waits."""
        rig = Rig(batch_of([b"a"]), *[lambda: None] * 3).run()

        assert (False, True) == (rig.source.waited[0], rig.source.waited[-1])

    def test_revoked_partition_s_commit_is_waited_for(self) -> None:
        """The next owner must find what was done: the commit before a partition goes is answered."""
        rig = Rig(batch_of([b"a"]), *[lambda: None] * 3)
        seen: list[bool] = []

        def revoke() -> None:
            rig.source.revoke([P0])
            seen.append(rig.source.waited[-1])

        rig.source.then(revoke)
        rig.run()

        assert [True] == seen


class Unhurried(Echo):
    """Takes as long for each record as it is told, on the rig's own clock."""

    def __init__(self, rig: Rig, record_s: float) -> None:
        super().__init__()
        self._rig, self._record_s = rig, record_s
        self.golden_s = record_s
        self.stuck: list[bool] = []

    def process(self, batch: Batch) -> list[Outcome]:
        """Time goes by; the probe looks at the end of it."""
        self._rig.clock_s += self._record_s * len(batch)
        self.stuck.append(self._rig.engine.progress.stuck)
        return super().process(batch)


class TestSlowModels:
    """Batches are as large as is scored in half a second."""

    def test_backlog_comes_in_slices_and_all_of_it_is_published(self) -> None:
        """200 ms a record: two at a time, in order."""
        values = [b"%d" % n for n in range(30)]
        rig = Rig(batch_of(values))
        rig.source.splits = True
        rig.engine.swap(Unhurried(rig, 0.2))
        rig.run()

        assert values == rig.values("out")
        assert {P0: 30} == rig.source.offsets
        assert max(rig.source.asked) <= 3

    def test_stop_between_slices_leaves_the_rest_to_the_next_start(self) -> None:
        """What was scored is committed, nothing after it."""
        rig = Rig(batch_of([b"a", b"b", b"c"]))
        rig.source.splits = True
        model = Unhurried(rig, 20.0)
        rig.engine.swap(model)
        rig.source.before_poll = lambda: rig.engine.stop() if len(model.stuck) == 1 else None
        rig.run()

        assert rig.source.offsets[P0] == len(rig.values("out")) < 3
        assert rig.engine.life.state is State.STOPPED

    def test_model_that_is_known_to_take_a_minute_is_not_stuck(self) -> None:
        """Its golden rows took as long."""
        rig = Rig(batch_of([b"a"]))
        model = Unhurried(rig, 60.0)
        rig.engine.swap(model)
        rig.run()

        assert [False] == model.stuck

    def test_quick_model_that_takes_a_minute_is_stuck(self) -> None:
        """Nothing that is known of it would take so long."""
        rig = Rig(batch_of([b"a"]))
        model = Unhurried(rig, 60.0)
        model.golden_s = 0.01
        rig.engine.swap(model)
        rig.run()

        assert [True] == model.stuck

    def test_slow_model_is_named_once_with_what_a_record_costs(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """One line, however long it goes on."""
        rig = Rig(batch_of([b"a"] * 40))
        rig.source.splits = True
        rig.engine.swap(Unhurried(rig, 0.2))
        rig.run()

        told = re.findall(r"m@1 takes about ([0-9.]+) s a record", caplog.text)
        assert [0.2] == [round(float(record_s), 1) for record_s in told]  # the machine's own time counts, too

    def test_new_version_begins_with_one_record(self) -> None:
        """Nothing is known of it: the one before may have been a thousand times as quick."""
        rig = Rig(*[batch_of([b"a"] * 512, first_offset=512 * n) for n in range(6)])
        rig.source.splits = True
        swapped_at: list[int] = []

        def swap() -> None:
            swapped_at.append(len(rig.source.asked))
            rig.engine.swap(Echo("m@2"))

        rig.source.then(swap, batch_of([b"a"], first_offset=3_072))
        rig.run()

        assert max(rig.source.asked) >= 512
        assert 1 == rig.source.asked[swapped_at[0]]
