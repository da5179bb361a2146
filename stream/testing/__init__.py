"""The fakes that this package is tested with, for tests of yours: a topic in memory, read and written."""

from stream.testing.batches import batch_of
from stream.testing.memory import MemorySink, MemoryTransactions, Sent
from stream.testing.script import ScriptedSource

__all__ = ["MemorySink", "MemoryTransactions", "ScriptedSource", "Sent", "batch_of"]
