"""What the transactional sink makes of a client that misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream import background
from stream.deadline import Deadline
from stream.errors import Aborted, MovedOn, OutcomeUnknown
from stream.records import Partition
from stream.settings import KafkaSettings
from stream.transport import GroupMetadata, TransactionalSink, outbox

MEMBER = GroupMetadata(GroupMetadata.MAGIC + (7).to_bytes(4, "little"))


class Client:
    """In the producer's place: the one call that is looked at."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.error: KafkaError | None = None
        self.calls = 0
        self.waiting = 0
        self.flush_error: Exception | None = None

    def __len__(self) -> int:
        return self.waiting

    def flush(self, wait_s: float) -> None:
        """All is written, or it fails as told; the broker answers the other call only then."""
        self.waiting = 0
        self.release.set()
        if self.flush_error is not None:
            raise self.flush_error

    def send_offsets_to_transaction(self, offsets: object, group: object, timeout: float) -> None:
        """Fails as told, or hangs until it is released."""
        self.calls += 1
        if self.error is not None:
            raise KafkaException(self.error)
        self.release.wait()


@pytest.fixture
def client() -> Iterator[Client]:
    """One that hangs; released at the end."""
    client = Client()
    yield client
    client.release.set()


@pytest.fixture
def sink(client: Client, monkeypatch: pytest.MonkeyPatch) -> TransactionalSink:
    """A sink over it."""
    monkeypatch.setattr(background, "GRACE_S", 0.05)
    monkeypatch.setattr(outbox, "Producer", lambda properties: client)
    return TransactionalSink(KafkaSettings("127.0.0.1:1", "group"), "id")


def add(sink: TransactionalSink, seconds: float = 0.05, group: GroupMetadata = MEMBER) -> None:
    """Add an offset, with so much time."""
    sink.add_offsets({Partition("in", 0): 5}, group, Deadline.after(seconds))


class TestAddOffsets:
    """The call of librdkafka that may never come back."""

    def test_call_that_hangs_makes_the_outcome_unknown(self, sink: TransactionalSink, client: Client) -> None:
        """The producer is given up; the call is made once."""
        with pytest.raises(OutcomeUnknown, match="did not come back"):
            add(sink)
        assert 1 == client.calls

    def test_passing_fault_that_does_not_pass_aborts(self, sink: TransactionalSink, client: Client) -> None:
        """Nothing was committed, so the failure can be reported."""
        client.error = KafkaError(KafkaError._TRANSPORT)

        with pytest.raises(Aborted, match="_TRANSPORT"):
            add(sink, 0.2)
        assert 1 < client.calls

    @pytest.mark.parametrize(
        "error",
        [None, KafkaException(KafkaError(KafkaError._FATAL)), SystemError("NULL without an exception")],
    )
    def test_records_that_wait_are_sent_meanwhile(
        self, sink: TransactionalSink, client: Client, error: Exception | None
    ) -> None:
        """What goes wrong with them is told where they are waited for."""
        client.waiting, client.flush_error = 3, error

        add(sink, 10.0)

        assert (0, 1) == (client.waiting, client.calls)

    def test_no_member_adds_nothing(self, sink: TransactionalSink, client: Client) -> None:
        """They are not sent, since the broker would take a stranger's offsets unchecked."""
        with pytest.raises(MovedOn):
            add(sink, group=GroupMetadata(b""))
        assert 0 == client.calls
