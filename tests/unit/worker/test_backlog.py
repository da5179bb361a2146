"""What waits in the partitions, and since when."""

from __future__ import annotations

from stream.records import Batch, Partition
from stream.worker.backlog import Backlog

P0, P1 = Partition("in", 0), Partition("in", 1)


class Wall:
    """The time of day, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


def _batch(*records: tuple[int, float]) -> Batch:
    """Records as partition and seconds since the epoch."""
    count = len(records)
    return Batch(
        "in",
        [index for index, _ in records],
        list(range(count)),
        [round(seconds * 1000) for _, seconds in records],
        [None] * count,
        [None] * count,
        [None] * count,
    )


def test_nothing_waits_where_all_is_committed() -> None:
    """Both numbers are 0 for each partition that is owned, however long ago its last record was."""
    wall = Wall()
    backlog = Backlog(wall)
    backlog.look({P0: range(0)}, [_batch((0, 990.0))])
    wall.now += 500
    backlog.look({P0: range(0), P1: range(0)}, [])

    assert ({P0: 0, P1: 0}, {P0: 0.0, P1: 0.0}) == (backlog.consumable, backlog.wait_s())


def test_record_in_hand_waits_since_its_own_time() -> None:
    """The oldest batch's first record of the partition counts, not its neighbours."""
    wall = Wall()
    backlog = Backlog(wall)
    unread = {P0: range(5), P1: range(0)}
    backlog.look(unread, [_batch((1, 999.0), (0, 990.0), (0, 995.0)), _batch((0, 980.0), (1, 970.0))])
    wall.now += 2

    assert {P0: 12.0, P1: 3.0} == backlog.wait_s()


def test_record_that_nobody_read_yet_waits_since_it_was_seen() -> None:
    """A topic that was quiet for an hour does not wait for an hour at its next record."""
    wall = Wall()
    backlog = Backlog(wall)
    backlog.look({P0: range(0)}, [_batch((0, 999.0))])
    backlog.look({P0: range(0)}, [])
    wall.now += 3600
    backlog.look({P0: range(7)}, [])
    wall.now += 30
    backlog.look({P0: range(9)}, [])

    assert {P0: 30.0} == backlog.wait_s()


def test_backlog_that_is_worked_off_is_as_old_as_its_last_record_known() -> None:
    """Where a partition has nothing in hand at a look, its age goes on from what was in hand before."""
    wall = Wall()
    backlog = Backlog(wall)
    backlog.look({P0: range(900)}, [])
    wall.now += 600
    backlog.look({P0: range(500)}, [_batch((0, 1_400.0))])
    wall.now += 1
    backlog.look({P0: range(400)}, [])

    assert {P0: 201.0} == backlog.wait_s()


def test_batch_that_a_model_hangs_over_grows_old() -> None:
    """Also while the loop does not look any more."""
    wall = Wall()
    backlog = Backlog(wall)
    backlog.look({P0: range(0)}, [])
    backlog.working(_batch((0, 1_000.0)))
    wall.now += 60
    assert {P0: 60.0} == backlog.wait_s()
    backlog.working(None)

    assert {P0: 0.0} == backlog.wait_s()


def test_records_of_open_transactions_do_not_wait() -> None:
    """They can't be read yet: neither counted as consumable nor timed."""
    wall = Wall()
    backlog = Backlog(wall)
    backlog.stable_ends = {P0: 10}
    backlog.look({P0: range(10, 15), P1: range(3)}, [])
    wall.now += 5

    assert ({P0: 5, P1: 3}, {P0: 0, P1: 3}) == (backlog.lag, backlog.consumable)
    assert {P0: 0.0, P1: 5.0} == backlog.wait_s()


def test_records_without_timestamp_and_from_the_future_have_no_age() -> None:
    """0 means that there is none; a clock that is ahead makes no negative age."""
    wall = Wall()
    backlog = Backlog(wall)
    backlog.look({P0: range(1), P1: range(1)}, [_batch((0, 0.0), (1, 2_000.0))])

    assert {P0: 0.0, P1: 0.0} == backlog.wait_s()
