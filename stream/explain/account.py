"""One prediction, traced back to its event and its model, and asked for again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from stream.errors import InputError, RecordError
from stream.explain.claims import Claim, claims_of
from stream.explain.kept_versions import KeptVersions, VersionView
from stream.explain.published_value import Published, read_published
from stream.explain.record_lookup import Gone, KafkaRecord, TopicRecords, opened_topic
from stream.explain.rescoring import Rescoring, carried_equal, rescore
from stream.explain.seen_features import SeenFeature, seen_features
from stream.explain.source_event import EventView, same_record, view_event
from stream.first_opening import FirstOpening
from stream.records import Place
from stream.settings import Settings

__all__ = ["Explanation", "Wanted", "explain"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Which prediction is asked about: by its place, or by its key.

    Attributes:
        place: partition and offset on the output topic; None = by the key.
        key: as it is on the wire; None = by the place.
        every: look for all predictions with the key, not only for the newest.
    """

    place: tuple[int, int] | None = None
    key: bytes | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    A prediction, looked at from every side that is still there.

    Attributes:
        place: of the prediction.
        record: it; None where it is gone.
        gone: why it is gone; None where it is there.
        others: predictions with the same key that were met on the way, the newest first.
        published: the value as it was read, or why it can't be; None for a null value.
        event: the record that it names; None where it names none, or that is gone.
        event_gone: why the event is gone.
        strange: what the event does not share with the prediction (`same_record`).
        version: the version that it names; None where it names none.
        carried: by the name of each carried field, whether it is the event's; None where that can't be said.
        features: as the model saw them; empty where the event can't be read as the version reads it.
        rescoring: the version asked again; None where it can't be asked.
        claims: what is proven, and what is not.
    """

    place: Place
    record: KafkaRecord | None = None
    gone: Gone | None = None
    others: tuple[KafkaRecord, ...] = ()
    published: Published | RecordError | None = None
    event: EventView | None = None
    event_gone: Gone | None = None
    strange: tuple[str, ...] = ()
    version: VersionView | None = None
    carried: dict[str, bool] | None = None
    features: tuple[SeenFeature, ...] = ()
    rescoring: Rescoring | None = None
    claims: tuple[Claim, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether nothing differs, and nothing that was asked is unproven."""
        return all(claim.standing in ("proven", "not asked") for claim in self.claims)


def explain(
    settings: Settings,
    wanted: Wanted,
    opening: FirstOpening,
    tell: Callable[[int], None] = lambda done: None,
) -> Explanation:
    """
    Trace a prediction back, and ask for it again.

    Args:
        settings: the configuration.
        wanted: which prediction.
        opening: opens the version in a child process first.
        tell: called with how many offsets a search by key has gone through.
    Returns: the prediction and all that is still known of it.
    Raises: InputError where there is no such prediction; Stopped when the broker does not answer or refuses; Retriable
        when the registry does not answer; SettingsError. Blocks while it reads and opens.
    """
    with opened_topic(settings, settings.output.topic, required=True) as output:
        seen = _found(settings, output, wanted, tell)
    if seen.record is not None and seen.record.value is not None:
        seen = _traced(settings, seen, seen.record, opening)
    return replace(seen, claims=claims_of(seen))


def _found(
    settings: Settings, output: TopicRecords, wanted: Wanted, tell: Callable[[int], None]
) -> Explanation:
    if wanted.place is not None:
        place = Place(output.topic, *wanted.place)
        record = output.at(*wanted.place)
        if isinstance(record, KafkaRecord):
            return Explanation(place, record)
        if record.never:
            raise InputError(f"{wanted.place[0]}:{wanted.place[1]}: {record.why}", hint="see `stream watch`")
        return Explanation(place, gone=record)
    assert wanted.key is not None
    records = output.newest_of(wanted.key, every=wanted.every, tell=tell)
    if not records:
        raise _no_prediction(settings, wanted.key)
    return Explanation(records[0].place, records[0], others=tuple(records[1:]))


def _no_prediction(settings: Settings, key: bytes) -> InputError:
    """What else has the key, and what to do next."""
    shown = key.decode("utf-8", "replace")
    with opened_topic(settings, settings.dead_letters.topic) as dead:
        letters = dead.newest_of(key)
    with opened_topic(settings, settings.input.topic) as events:
        found = events.newest_of(key)
    if letters:
        place = letters[0].place
        return InputError(
            f"no prediction has the key {shown!r}; a dead letter has: {place}",
            hint=f"stream deadletters show {place.partition}:{place.offset}",
        )
    if found:
        return InputError(
            f"no prediction has the key {shown!r}, and no dead letter; an event has: {found[0].place}",
            hint="see `stream status`: the group may not have read it yet",
        )
    return InputError(
        f"no prediction has the key {shown!r}, no dead letter, and no event",
        hint="keys are compared byte by byte: see those that `stream watch --json` shows; --hex takes any bytes",
    )


def _traced(settings: Settings, seen: Explanation, record: KafkaRecord, opening: FirstOpening) -> Explanation:
    """1 the value, 2 the version that it names, 3 the event, 4 the version asked again."""
    kept = KeptVersions(settings)
    published = read_published(settings, record, kept.schemas())  # 1
    if isinstance(published, RecordError):
        return replace(seen, published=kept.searched(published))
    seen = replace(seen, published=published)
    version = kept.view(published.model, opening)  # 2
    seen = replace(seen, version=version)
    if published.source is None:
        return seen
    with opened_topic(settings, settings.input.topic) as events:  # 3
        source = events.at(*published.source)
    if isinstance(source, Gone):
        return replace(seen, event_gone=source)
    event = view_event(settings, source, version.package)
    seen = replace(seen, event=event, strange=same_record(record, source))
    if seen.strange or event.columns is None or version.package is None:
        return seen
    return _asked(seen, event, published, version)  # 4


def _asked(seen: Explanation, event: EventView, published: Published, version: VersionView) -> Explanation:
    package, columns, place = version.package, event.columns, event.record.place
    assert package is not None
    assert columns is not None
    assert event.writer is not None
    return replace(
        seen,
        carried=carried_equal(package, columns, published),
        features=tuple(seen_features(package, columns, event.writer, event.fields)),
        rescoring=rescore(package, columns, published, (place.partition, place.offset)),
    )
