"""What a backfill is asked to do, and the configuration that is made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stream.backfill.backfill_wish import BackfillWish, aimed, member
from stream.backfill.bounds import Bound
from stream.errors import SettingsError
from stream.settings import InputSettings, Settings

WISH = BackfillWish(Bound(offset=0), Bound(offset=9))


@pytest.mark.parametrize(
    "topic",
    [
        "flights.features",
        "flights.features.backfills",
        "flights.deadletters",
        "flights.deadletters.replayed",
        "flights.deadletters.backfill",
        "__consumer_offsets",
        "__transaction_state",
        "__share_group_state",
        "__cluster_metadata",
    ],
)
def test_output_where_something_else_is_kept_is_refused(topic: str) -> None:
    """Predictions on the input topic would be scored again and again."""
    with pytest.raises(SettingsError, match=f"--output {topic}: is "):
        aimed(Settings(), replace(WISH, output=topic))


@pytest.mark.parametrize("topic", ["", "a b", "a/b", "..", "x" * 250, "ü"])
def test_name_that_no_topic_has_is_refused(topic: str) -> None:
    """Before anything is made."""
    with pytest.raises(SettingsError, match="no topic can be called so"):
        aimed(Settings(), replace(WISH, output=topic))


def test_topics_are_the_backfills_own() -> None:
    """Its predictions' schema is registered, but for the live topic's."""
    found = aimed(Settings(), WISH)
    live = aimed(Settings(), replace(WISH, output="flights.predictions"))

    assert (
        "flights.features",
        "flights.predictions.backfill",
        "flights.deadletters.backfill",
    ) == found.topics
    assert (True, False) == (found.schema_registry.register, live.schema_registry.register)


@pytest.mark.parametrize(
    ("asked", "expected"), [("stop", "stop"), ("earliest", "earliest"), ("latest", "stop")]
)
@pytest.mark.parametrize(("rate", "records"), [(None, 2_000), (0.5, 1), (500.0, 50), (1e9, 2_000)])
def test_process_works_by_the_range_alone(
    asked: Any, expected: str, rate: float | None, records: int
) -> None:
    """Never at the latest record, which is behind the range; with a rate, some records at a time."""
    package: Any = SimpleNamespace(path=Path("models/m/versions/3"))
    settings = replace(Settings(), input=InputSettings(on_out_of_range=asked))

    found = member(settings, "g.backfill.x", package, rate)

    assert (expected, records) == (found.input.on_out_of_range, found.batching.max_records)
    assert ("exactly-once", None, "g.backfill.x") == (
        found.delivery.guarantee, found.model.reload, found.kafka.group,
    )  # fmt: skip
