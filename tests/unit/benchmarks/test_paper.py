"""What figures of a race mean for large rates."""

from __future__ import annotations

import pytest

from benchmarks.race.paper import Assumptions, Sizes, brokers, cores, dollars

GIVEN = Assumptions(vcpu_hour=0.05, use=0.5, replicas=3, broker_cores=8, broker_mb_s=600.0)


def test_a_microsecond_an_event_is_a_core_for_a_million_a_second() -> None:
    """Two, when each is used to a half."""
    assert (1.0, 2.0) == (cores(1.0, 1e6, 1.0), cores(1.0, 1e6, 0.5))


def test_a_billion_predictions_cost_their_vcpu_hours() -> None:
    """3.6 µs an event are a thousand hours of a billion seconds: one hour, two at half use."""
    assert 0.10 == pytest.approx(dollars(3.6, 1e9, GIVEN))


def test_brokers_are_as_many_as_the_larger_need_asks() -> None:
    """100 + 100 bytes, three replicas, written and read: 1,200 MB a second of a million events."""
    needed = brokers(Sizes(100, 100, 1.0), 1e6, GIVEN)

    assert 1_200 == needed["mb_s"]
    assert (1.5, 4.0, 4) == (needed["by_cpu"], needed["by_mb_s"], needed["brokers"])


@pytest.mark.parametrize("broker_us", [None, 0.001])
def test_brokers_are_no_fewer_than_the_replicas(broker_us: float | None) -> None:
    """However little there is to do, and where the broker's CPU was not seen."""
    assert 3 == brokers(Sizes(1, 1, broker_us), 1_000, GIVEN)["brokers"]
