"""Ends of partitions past their last record are committed, by either delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from stream.errors import Aborted, MovedOn, OutcomeUnknown, Retriable, StreamError
from stream.records import Batch, Outcome, Partition
from stream.testing import batch_of
from stream.worker.positions import ALONE_S, Positions
from tests.unit.worker.rig import P0, P1, AtLeastOnceRig, ExactlyOnceRig

Rig = AtLeastOnceRig | ExactlyOnceRig

LONG_S = ALONE_S + 0.1


def committed(rig: Rig) -> Mapping[Partition, int]:
    """The group's offsets."""
    return rig.sink.offsets if isinstance(rig, ExactlyOnceRig) else rig.source.offsets


def commits(rig: Rig) -> int:
    """How often offsets were committed."""
    return len(rig.sink.sizes) if isinstance(rig, ExactlyOnceRig) else len(rig.source.commits)


def reached(rig: Rig, **ends: int) -> Callable[[], None]:
    """A step: the source has read these partitions to their ends; some time passes afterwards."""

    def step() -> None:
        rig.source.reached_ends = {Partition("in", int(name[1:])): offset for name, offset in ends.items()}

    return step


def idle(rig: Rig) -> Callable[[], None]:
    """A step: nothing comes for a while."""

    def step() -> None:
        rig.clock_s += LONG_S

    return step


RIGS: list[Callable[..., Rig]] = [AtLeastOnceRig, ExactlyOnceRig]


@pytest.fixture(params=RIGS)
def make(request: pytest.FixtureRequest) -> Callable[..., Rig]:
    """A rig of each guarantee."""
    return request.param  # type: ignore[no-any-return]


class TestEndsOfPartitions:
    """What a read_committed reader has passed is committed, though no record is there."""

    def test_idle_worker_commits_the_end_past_the_last_record(self, make: Callable[..., Rig]) -> None:
        """A marker behind the records is committed, alone, once nothing has come for a while."""
        rig = make(batch_of([b"a", b"b"]))
        seen: list[Mapping[Partition, int]] = []

        def look() -> None:
            seen.append(dict(committed(rig)))

        rig.source.then(reached(rig, p0=3), idle(rig), look, look)
        rig.run()

        assert {P0: 3} == seen[-1]

    def test_partition_without_records_is_committed_too(self, make: Callable[..., Rig]) -> None:
        """Aborted transactions alone move the group."""
        rig = make()
        rig.source.then(reached(rig, p0=11), idle(rig), lambda: None)

        assert {P0: 11} == committed(rig.run())

    def test_end_goes_along_with_the_next_span(self, make: Callable[..., Rig]) -> None:
        """No commit is made for it alone while records come."""
        rig = make(batch_of([b"a"]))
        rig.source.then(reached(rig, p0=2, p1=5), batch_of([b"b"], first_offset=2))

        assert {P0: 3, P1: 5} == committed(rig.run())
        assert 2 >= commits(rig)

    def test_end_at_the_last_record_costs_nothing(self, make: Callable[..., Rig]) -> None:
        """Where there are no markers an idle worker commits nothing more."""
        rig = make(batch_of([b"a"]))
        counted: list[int] = []

        def count() -> None:
            counted.append(commits(rig))

        rig.source.then(count, count, reached(rig, p0=1), idle(rig), count, count)
        rig.run()

        assert [1] * 3 == counted[1:]

    def test_end_is_committed_when_the_worker_stops(self, make: Callable[..., Rig]) -> None:
        """Without waiting until nothing comes."""
        rig = make(batch_of([b"a"]))
        rig.source.then(reached(rig, p0=2))

        assert {P0: 2} == committed(rig.run())

    def test_end_is_committed_before_its_partition_goes(self, make: Callable[..., Rig]) -> None:
        """The next owner starts behind the markers."""
        rig = make(batch_of([b"a"]))
        found: list[Mapping[Partition, int]] = []

        def revoked() -> None:
            rig.source.revoke([P0])
            found.append(dict(committed(rig)))

        rig.source.then(reached(rig, p0=2), revoked)
        rig.run()

        assert [{P0: 2}] == found

    def test_end_of_a_lost_partition_is_not_committed(self, make: Callable[..., Rig]) -> None:
        """It is its next owner's to commit."""
        rig = make(batch_of([b"a"], partition=1))
        rig.source.then(reached(rig, p0=7), lambda: rig.source.lose([P0]), idle(rig), lambda: None)

        assert P0 not in committed(rig.run())

    def test_older_end_never_takes_an_offset_back(self, make: Callable[..., Rig]) -> None:
        """An end that was told before later records came is behind what is committed."""
        rig = make(batch_of([b"a"]))
        rig.source.then(reached(rig, p0=2), batch_of([b"b", b"c"], first_offset=2), idle(rig), lambda: None)

        assert {P0: 4} == committed(rig.run())

    def test_end_of_a_partition_that_was_made_anew_replaces_the_old_one(
        self, make: Callable[..., Rig]
    ) -> None:
        """An end of before must not carry the group past records of the new partition."""
        rig = make(batch_of([b"z"], first_offset=99))
        rig.source.then(lambda: None, reached(rig, p0=101), reached(rig, p0=0), batch_of([b"a", b"b"]))

        assert {P0: 2} == committed(rig.run())

    def test_end_behind_a_batch_that_was_not_published_is_not_committed(
        self, make: Callable[..., Rig]
    ) -> None:
        """A stop while scoring waits for a registry leaves the batch to the next start, and the end behind it too."""
        rig = make(batch_of([b"a"]))

        class Waits:
            """Has no answer."""

            name = "m@1"
            golden_s = 0.0

            def process(self, batch: Batch) -> list[Outcome]:
                """The registry is away, and the worker is asked to stop."""
                rig.engine.stop()
                raise Retriable("the registry does not answer")

        rig.engine.swap(Waits())
        rig.source.reached_ends = {P0: 2}

        assert {} == committed(rig.run())


class TestTransactions:
    """A transaction for positions alone that can't be committed."""

    @pytest.mark.parametrize(
        ("step", "error"),
        [
            ("begin", Aborted("no")),
            ("begin", OutcomeUnknown("no")),
            *[
                (step, kind("no"))
                for step in ("add_offsets", "commit")
                for kind in (Aborted, MovedOn, OutcomeUnknown)
            ],
        ],
    )
    def test_position_is_committed_by_a_later_attempt(self, step: str, error: StreamError) -> None:
        """It is not forgotten: the client tells an end once."""
        rig = ExactlyOnceRig()
        rig.sink.errors[step] = [error]  # type: ignore[index]
        rig.source.then(reached(rig, p0=11), idle(rig), lambda: None, idle(rig), lambda: None, lambda: None)

        assert {P0: 11} == committed(rig.run())

    def test_position_that_can_t_be_committed_waits_again(self) -> None:
        """A group that is being rebalanced for a while does not cost a transaction a round."""
        rig = ExactlyOnceRig()
        rig.sink.errors["add_offsets"] = [MovedOn("no")] * 100
        counts: list[int] = []
        steps = [lambda: None] * 10
        rig.source.then(
            reached(rig, p0=11), idle(rig), *steps, lambda: counts.append(rig.sink.calls.count("begin"))
        )
        rig.run()

        assert [1] == counts

    def test_position_waits_for_records_in_hand(self) -> None:
        """What was aborted before it is committed first."""
        rig = ExactlyOnceRig(batch_of([b"a"]))
        rig.sink.errors["commit"] = [Aborted("no"), Aborted("no"), None]
        rig.source.then(reached(rig, p0=2), idle(rig), lambda: None, lambda: None)
        rig.run()

        assert ([b"a"], {P0: 2}) == (rig.values(), rig.sink.offsets)

    @pytest.mark.parametrize("error", [Aborted("no"), MovedOn("no"), OutcomeUnknown("no")])
    def test_position_of_a_worker_that_stops_with_records_in_hand_is_committed_after_them(
        self, error: StreamError
    ) -> None:
        """Else the group would say for ever that something is left to read."""
        rig = ExactlyOnceRig(batch_of([b"a"]), span_s=10.0)
        rig.sink.errors["commit"] = [error]
        rig.source.group_offsets = rig.sink.offsets
        rig.source.then(reached(rig, p0=3))
        rig.run()

        assert ([b"a"], {P0: 3}) == (rig.values(), rig.sink.offsets)

    @pytest.mark.parametrize(
        ("error", "counted"),
        [(Aborted("no"), False), (OutcomeUnknown("no"), False), (OutcomeUnknown("no"), True)],
    )
    def test_position_before_records_that_were_sent_again_is_not_committed_after_them(
        self, error: StreamError, counted: bool
    ) -> None:
        """The group's offset never goes back: whoever read from there would score them twice."""
        rig = ExactlyOnceRig(batch_of([b"a"]), span_s=10.0)
        rig.sink.errors["commit"] = [error]
        rig.sink.counted = counted
        seen: list[int] = []

        def look() -> None:
            seen.append(rig.sink.offsets.get(P0, 0))

        rig.source.group_offsets = rig.sink.offsets
        rig.source.then(reached(rig, p0=1), batch_of([b"b"], first_offset=1), *[idle(rig), look] * 8)
        rig.run()

        assert sorted(seen) == seen
        assert ([b"a", b"b"], {P0: 2}) == (rig.values(), rig.sink.offsets)


def test_positions_are_due_after_a_while_and_once() -> None:
    """Not at once, so that a span may take them along; and no longer once they are committed."""
    now = 0.0
    positions = Positions(lambda: now)
    positions.reached({P0: 3})
    early = positions.due
    now = ALONE_S
    late = positions.due
    positions.committed({P0: 3})
    positions.reached({P0: 3})

    assert (False, True, False) == (early, late, bool(positions))
