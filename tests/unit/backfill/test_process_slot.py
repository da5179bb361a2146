"""The name of each process of a backfill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stream.backfill.process_slot import claimed, forget_slots
from stream.settings import DeliverySettings, KafkaSettings, Settings


def test_processes_of_one_machine_have_names_of_their_own(tmp_path: Path) -> None:
    """The first free number; one that ended leaves its own to the next, and with it the transactional id."""
    settings = Settings(kafka=KafkaSettings(group="g"), delivery=DeliverySettings(state=tmp_path / "state"))
    with claimed(settings, "host") as first:
        with claimed(settings, "host") as second:
            ids = [each.transactional_id("host") for each in (first, second)]
        with claimed(
            replace(settings, delivery=replace(settings.delivery, instance="pod-1")), "host"
        ) as third:
            ids.append(third.transactional_id("host"))

    assert ["g.host.0", "g.host.1", "g.pod-1.1"] == ids
    assert tmp_path / "state" / "g-1" == second.delivery.state
    forget_slots(settings)
    assert [] == [*(tmp_path / "state").iterdir()]
