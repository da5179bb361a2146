"""The exactly-once delivery on a scripted source and transactions in memory."""

from __future__ import annotations

import time

import pytest

from stream.deadline import Deadline
from stream.errors import (
    Aborted,
    DeadLetterRefused,
    Fenced,
    MovedOn,
    OutcomeUnknown,
    Retriable,
    Stopped,
)
from stream.records import Partition
from stream.testing import Sent, batch_of
from stream.transport import Refusal
from stream.worker import State
from stream.worker.phases import Phase
from tests.unit.worker.rig import P0, P1
from tests.unit.worker.rig import ExactlyOnceRig as Rig


class TestUsualWay:
    """Outputs and offsets together."""

    def test_outputs_and_offsets_are_committed_together(self) -> None:
        """Everything read is committed with its next offset, in order; the group's own commit is not used."""
        rig = Rig(batch_of([b"a", b"x"]), batch_of([b"c"], first_offset=2)).run()

        assert ([b"a", b"c"], [b"x"]) == (rig.values(), rig.values("dead"))
        assert {P0: 3} == rig.sink.offsets
        assert [] == rig.source.commits
        assert rig.engine.life.state is State.STOPPED

    def test_transactional_id_is_taken_before_anything_is_read(self) -> None:
        """An older producer's open transaction is ended before offsets are asked for."""
        rig = Rig(batch_of([b"a"])).run()

        assert "start" == rig.sink.calls[0]

    def test_one_transaction_holds_what_comes_within_its_time(self) -> None:
        """Batches of a tenth of a second share a transaction."""
        rig = Rig(batch_of([b"a"]), batch_of([b"b"], first_offset=1), span_s=30.0).run()

        assert [2] == rig.sink.sizes

    def test_skips_alone_commit_their_offsets(self) -> None:
        """A batch without outputs moves the offset all the same."""
        assert {P0: 1} == Rig(batch_of([b"s"])).run().sink.offsets

    def test_commit_takes_as_long_as_it_takes_not_until_it_is_noticed(self) -> None:
        """The loop waits for a record meanwhile; the next transaction must not be paced by that."""

        def an_hour_passes() -> None:
            while rig.delivery.settling:
                time.sleep(0.01)
            rig.clock_s += 3_600.0

        rig = Rig(batch_of([b"a"]), an_hour_passes, batch_of([b"b"], first_offset=1))
        rig.run()
        seconds = rig.metrics.registry.get_sample_value("stream_commit_seconds_sum")

        assert [1, 1] == rig.sink.sizes
        assert seconds is not None
        assert 60.0 > seconds

    def test_coordinator_is_waited_for_at_start(self) -> None:
        """A missing answer is not an error at first."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.errors["start"] = [Retriable("no coordinator"), Retriable("no coordinator")]

        assert [b"a"] == rig.run().values()


@pytest.mark.parametrize("step", ["send", "flush", "add_offsets", "commit"])
class TestAborts:
    """A transaction that can't be committed, whatever the step it fails at."""

    def test_records_are_sent_again_in_order(self, step: str) -> None:
        """Nothing is lost, nothing doubled, later records come behind."""
        rig = Rig(batch_of([b"a", b"b"]), batch_of([b"c"], first_offset=2))
        rig.sink.errors[step] = [Aborted("not now")]  # type: ignore[index]
        rig.run()

        assert [b"a", b"b", b"c"] == rig.values()
        assert {P0: 3} == rig.sink.offsets

    def test_unknown_outcome_takes_a_new_producer(self, step: str) -> None:
        """The offsets tell that it was not committed, so it is done again."""
        rig = Rig(batch_of([b"a"]), batch_of([b"b"], first_offset=1))
        rig.sink.errors[step] = [OutcomeUnknown("no answer")]  # type: ignore[index]
        rig.source.group_offsets = {}
        rig.run()

        assert "renew" in rig.sink.calls
        assert [b"a", b"b"] == rig.values()

    def test_failure_that_stops_commits_nothing(self, step: str) -> None:
        """The worker ends, and the open transaction with it."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.errors[step] = [Stopped("a bug")]  # type: ignore[index]

        with pytest.raises(Stopped, match="a bug"):
            rig.run()

        assert ([], {}) == (rig.values(), rig.sink.offsets)
        assert "abort" == rig.sink.calls[-1]
        assert rig.delivery.phases.now is Phase.ENDED


class TestUnknownOutcomes:
    """No answer, or a producer that can't go on."""

    def test_commit_that_counted_is_not_done_again(self) -> None:
        """The group's offsets say that it was committed."""
        rig = Rig(batch_of([b"a", b"b"]))
        rig.sink.errors["commit"] = [OutcomeUnknown("the answer got lost")]
        rig.sink.counted = True
        rig.source.group_offsets = {P0: 2}
        rig.run()

        assert [b"a", b"b"] == rig.values()
        assert "renew" in rig.sink.calls

    def test_young_transaction_that_is_fenced_stops(self) -> None:
        """Not the broker's time-out, so another worker has this one's name."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.errors["commit"] = [OutcomeUnknown("fenced", fenced=True)]

        with pytest.raises(Fenced, match="transactional id"):
            rig.run()

        assert [] == rig.values()

    def test_fence_soon_after_a_renewal_is_not_a_twin(self) -> None:
        """A discarded producer of this worker's own may have asked for it: a new one, and the records again."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.errors["commit"] = [OutcomeUnknown("no answer"), OutcomeUnknown("fenced", fenced=True)]
        rig.source.group_offsets = {}

        assert [b"a"] == rig.run().values()
        assert 2 == rig.sink.calls.count("renew")

    def test_old_transaction_that_is_fenced_goes_on(self) -> None:
        """The broker ended it for its age: a new producer, and the records again."""
        rig = Rig(batch_of([b"a"]), span_s=0.0)
        rig.sink.errors["commit"] = [OutcomeUnknown("fenced", fenced=True)]
        flush = rig.sink.flush

        def slow(*given: object) -> object:
            rig.clock_s += rig.sink.timeout_s + 1
            rig.sink.flush = flush  # type: ignore[method-assign]
            return flush(*given)  # type: ignore[arg-type]

        rig.sink.flush = slow  # type: ignore[method-assign, assignment]
        rig.source.group_offsets = {}

        assert [b"a"] == rig.run().values()

    def test_abort_that_fails_takes_a_new_producer(self) -> None:
        """It ends what is open, whatever became of the abort."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.errors["commit"] = [Aborted("not now")]
        rig.sink.errors["abort"] = [OutcomeUnknown("nor this")]
        rig.source.group_offsets = {}

        assert [b"a"] == rig.run().values()

    def test_producers_that_all_fail_stop_the_worker(self) -> None:
        """The worker ends, so that its supervisor takes over."""
        rig = Rig(batch_of([b"a"]))
        rig.sink.errors["commit"] = [OutcomeUnknown("broken")] * 20
        rig.source.group_offsets = {}

        with pytest.raises(Stopped, match="in a row"):
            rig.run()


class TestGroup:
    """The group moves on, partitions come and go."""

    def test_records_wait_for_the_group_without_reading_more(self) -> None:
        """While the group moves on, rebalances are served and nothing is published."""
        rig = Rig(batch_of([b"a"]), lambda: None, batch_of([b"b"], first_offset=1))
        rig.sink.errors["add_offsets"] = [MovedOn("generation"), MovedOn("generation")]
        rig.run()

        assert [b"a", b"b"] == rig.values()
        assert rig.source.served > 0

    def test_consumer_that_is_not_a_member_commits_nothing(self) -> None:
        """The broker would take a zombie's offsets unchecked, so they are not sent."""
        rig = Rig(batch_of([b"a"]))
        rig.source.generation = -1
        rig.source.then(lambda: rig.source.lose([P0]))
        rig.run()

        assert ([], {}) == (rig.values(), rig.sink.offsets)

    def test_lost_partition_s_open_transaction_is_aborted(self) -> None:
        """What others own is left to them; the rest of the transaction is sent again."""
        rig = Rig(span_s=30.0)
        rig.source.then(lambda: rig.source.assign([P1]), batch_of([b"a"]), batch_of([b"b"], partition=1))
        rig.source.then(lambda: rig.source.lose([P0]))
        rig.run()

        assert [b"b"] == rig.values()
        assert {P1: 1} == rig.sink.offsets
        assert [b"a", b"b"] == [sent.value for sent in rig.sink.aborted]

    def test_revoked_partition_is_committed_first(self) -> None:
        """What was published is committed before the partition goes."""
        rig = Rig(batch_of([b"a"]), span_s=30.0)
        seen: list[dict[Partition, int]] = []

        def revoke() -> None:
            rig.source.revoke([P0])
            seen.append(dict(rig.sink.offsets))

        rig.source.then(revoke)
        rig.run()

        assert [{P0: 1}] == seen

    def test_partition_that_goes_takes_its_records_in_hand_with_it(self) -> None:
        """They are its next owner's; those of other partitions are sent again."""
        rig = Rig(span_s=30.0)
        rig.source.then(lambda: rig.source.assign([P1]), batch_of([b"a"]), batch_of([b"b"], partition=1))
        rig.source.then(lambda: rig.source.lose([P1]))
        rig.sink.errors["flush"] = [Aborted("not now")]
        rig.run()

        assert [b"a"] == rig.values()

    def test_partition_that_went_and_came_back_is_this_worker_s_again(self) -> None:
        """Records read after the partition's return are not mistaken for those that left with it."""
        rig = Rig()

        def go_and_come() -> None:
            rig.source.revoke([P0])
            rig.source.assign([P0])
            rig.sink.errors["send"] = [Aborted("not now")]

        rig.source.then(batch_of([b"a"]), go_and_come, batch_of([b"b"], first_offset=1))

        assert [b"a", b"b"] == rig.run().values()


class TestRefusals:
    """Outputs that a broker refuses abort their transaction, and come back as what they can be."""

    def test_refused_prediction_becomes_dead_letter(self) -> None:
        """With its reason and the original bytes; its neighbours are predictions."""
        rig = Rig(batch_of([b"a", b"big", b"c"]))
        rig.sink.refuse = lambda s: "message_too_large" if (s.topic, s.value) == ("out", b"big") else None
        rig.run()

        assert ([b"a", b"c"], [b"big"]) == (rig.values(), rig.values("dead"))
        assert b"message_too_large" == dict(rig.sink.on("dead")[0].headers)["stream.error.reason"]
        assert {P0: 3} == rig.sink.offsets

    def test_refused_timestamp_is_stamped_now(self) -> None:
        """On the dead-letter topic too."""
        rig = Rig(batch_of([b"a", b"x"]))
        rig.sink.refuse = lambda sent: "timestamp_refused" if sent.timestamp_ms else None
        rig.run()

        assert [0, 0] == [sent.timestamp_ms for sent in rig.sink.on("dead")]
        assert [] == rig.values()

    def test_doubtful_refusals_are_asked_again_singly(self) -> None:
        """A batch refused as a whole loses no sound record, order stays, and it takes three transactions."""
        values: list[bytes | None] = [b"a%d" % i for i in range(9)]
        rig = Rig(batch_of(values))

        def refuse(sent: Sent) -> str | None:
            together = rig.sink.pending or []
            guilty = [s for s in together if s.topic == "out" and s.value == b"a5"]
            if not guilty or sent.topic != "out":
                return None
            singly = rig.sink.calls.count("abort") > 0
            return (
                "message_too_large" if singly and sent in guilty else None if singly else "message_too_large?"
            )

        rig.sink.refuse = refuse
        rig.run()

        assert [v for v in values if v != b"a5"] == rig.values()
        assert [b"a5"] == rig.values("dead")
        assert 2 == rig.sink.calls.count("abort")

    def test_what_is_larger_than_a_record_too_large_is_too(self) -> None:
        """It is not sent again to be found; what is smaller in any part is."""
        rig = Rig(batch_of([b"a", b"large", b"larger", b"larg", b"largest"]))
        rig.sink.larger_too = True
        rig.sink.refuse = lambda s: "message_too_large" if (s.topic, s.value) == ("out", b"large") else None
        rig.run()

        assert ([b"a", b"larg"], [b"large", b"larger", b"largest"]) == (rig.values(), rig.values("dead"))
        assert 1 == rig.sink.calls.count("abort")

    def test_larger_ones_that_were_refused_as_well_are_no_others_records(self) -> None:
        """The answers for several come together: the first makes dead letters of those that are larger."""
        rig = Rig(batch_of([b"a", b"large", b"larger", b"larg", b"largest", b"large"]))
        rig.sink.larger_too = True
        rig.sink.refuse = lambda s: (
            "message_too_large" if s.topic == "out" and len(s.value or b"") > 4 else None
        )
        rig.run()

        assert [b"a", b"larg"] == rig.values()
        assert [b"large", b"larger", b"largest", b"large"] == rig.values("dead")

    def test_refused_dead_letter_stops_with_its_place(self) -> None:
        """A record that fits nowhere stops the worker, uncommitted, naming topic, partition and offset."""
        rig = Rig(batch_of([b"a", b"x"], first_offset=3))
        rig.sink.refuse = lambda sent: "message_too_large" if sent.topic == "dead" else None

        with pytest.raises(DeadLetterRefused, match=r"in\[0\]@4"):
            rig.run()

        assert ([], {}) == (rig.values(), rig.sink.offsets)

    def test_two_forwarded_nulls_of_one_key_are_both_kept(self) -> None:
        """Refused tombstones that look alike become one dead letter each."""
        batch = batch_of([None, None])
        batch.keys = [b"k", b"k"]
        rig = Rig(batch)
        rig.sink.refuse = lambda sent: "record_refused" if sent.topic == "out" else None
        rig.run()

        offsets = [dict(sent.headers)["__connect.errors.offset"] for sent in rig.sink.on("dead")]
        assert [b"0", b"1"] == offsets


class TestEnd:
    """Budgets."""

    def test_records_that_stay_in_hand_too_long_stop_the_worker(self) -> None:
        """A worker that can't commit does not look alive for ever."""
        rig = Rig(batch_of([b"a"]), hold_s=0.0)
        rig.sink.errors["commit"] = [Aborted("never")] * 200

        with pytest.raises(Stopped, match="could not be committed"):
            rig.run()

    def test_producer_that_does_not_come_back_is_replaced(self) -> None:
        """What nobody knows the outcome of is looked up in the group's offsets, and published again."""
        rig = Rig(batch_of([b"a"]), batch_of([b"b"], first_offset=1))
        rig.sink.errors["add_offsets"] = [OutcomeUnknown("the Kafka client did not come back")]

        assert [b"a", b"b"] == rig.run().values()
        assert 1 == rig.sink.calls.count("renew")

    def test_pause_of_the_whole_process_is_not_held_against_the_client(self) -> None:
        """After SIGCONT an hour may have passed; the transaction that was ending then still ends."""
        rig = Rig(batch_of([b"a"]), batch_of([b"b"], first_offset=1))
        flush = rig.sink.flush

        def an_hour_passes(deadline: Deadline) -> list[Refusal]:
            rig.clock_s += 3_600.0
            time.sleep(0.3)
            return flush(deadline)

        rig.sink.flush = an_hour_passes  # type: ignore[method-assign]

        assert [b"a", b"b"] == rig.run().values()
