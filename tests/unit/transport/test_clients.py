"""Properties that librdkafka refuses."""

from __future__ import annotations

import pytest

from stream.errors import SettingsError
from stream.settings import InputSettings, KafkaSettings
from stream.transport import Limits, Sink, Source
from stream.transport.topics import Cluster

BOGUS = KafkaSettings("127.0.0.1:1", properties={"bogus.property": 1})


class Deaf:
    """A listener that does nothing."""

    def assigned(self, partitions: object) -> None:
        """See Listener."""

    def revoked(self, partitions: object, *, lost: bool) -> None:
        """See Listener."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sink(BOGUS),
        lambda: Cluster(BOGUS),
        lambda: Source(BOGUS, InputSettings(), Limits(1, 1, 0.0), Deaf()),
    ],
)
def test_misspelt_property_is_a_settings_error(make: object) -> None:
    """It is named, in the file's terms, whichever client meets it first."""
    assert callable(make)

    with pytest.raises(SettingsError, match="bogus.property"):
        make()
