"""The fakes that this package is tested with, for tests of yours: a topic in memory, read and written."""

from stream.testing.memory import MemorySink, Sent
from stream.testing.records import batch_of
from stream.testing.script import ScriptedSource
from stream.testing.transactions import MemoryTransactions

__all__ = ["MemorySink", "MemoryTransactions", "ScriptedSource", "Sent", "batch_of"]
