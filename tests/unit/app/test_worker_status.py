"""Whether a worker is ready: what the broker last said, and when."""

from __future__ import annotations

from stream.app.worker_status import Probe, Rate, state_name
from stream.worker import State


class TestProbe:
    """The broker's last answer."""

    def test_never_answered_is_not_reachable(self) -> None:
        """Before its first answer the broker is not reachable."""
        assert not Probe().reachable(0.0)

    def test_answer_counts_for_a_while(self) -> None:
        """A broker that answered lately is reachable; one that has been silent for long is not."""
        probe = Probe()
        probe.note(100.0, ())

        assert [True, False] == [probe.reachable(110.0), probe.reachable(116.0)]

    def test_missing_topic_is_timed_from_when_it_was_first_missed(self) -> None:
        """A topic that stays away is gone since the first look; once it is back nothing is."""
        probe = Probe()
        probe.note(100.0, ("in",))
        probe.note(105.0, ("in",))

        assert (("in",), 8.0) == (probe.missing, probe.gone_s(108.0))

        probe.note(110.0, ())

        assert 0.0 == probe.gone_s(111.0)


class TestTold:
    """The state's name."""

    def test_member_without_partitions_stands_by(self) -> None:
        """Only once the group has answered; and a worker that is stopping is not standing by."""
        assert ["joining", "standing by", "running", "stopping"] == [
            state_name(State.JOINING, False, 0, ready=False),
            state_name(State.JOINING, True, 0, ready=True),
            state_name(State.RUNNING, True, 2, ready=True),
            state_name(State.STOPPING, True, 0, ready=True),
        ]

    def test_member_that_lost_its_partitions_and_is_not_ready_waits(self) -> None:
        """No broker answers, or the topic is gone: it looked like one worker too many."""
        assert ["waiting", "waiting", "running", "stopping"] == [
            state_name(State.RUNNING, True, 0, ready=False),
            state_name(State.JOINING, True, 0, ready=False),
            state_name(State.RUNNING, True, 2, ready=False),
            state_name(State.STOPPING, True, 0, ready=False),
        ]


class TestRate:
    """Events per second over a window."""

    def test_first_look_has_no_rate(self) -> None:
        """A single count is not enough for a rate."""
        assert 0.0 == Rate()(10.0, 500)

    def test_rate_is_over_the_window(self) -> None:
        """Only what is within the window counts."""
        rate = Rate(window_s=10.0)
        for second in range(30):
            found = rate(float(second), 100.0 * min(second, 15))

        assert 0.0 == found
