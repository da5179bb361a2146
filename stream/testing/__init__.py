"""The fakes that this package is tested with, for tests of yours: a topic in memory, read and written."""

from stream.testing.memory import MemorySink, MemoryTransactions, Sent
from stream.testing.script import ScriptedSource, batch_of

__all__ = ["MemorySink", "MemoryTransactions", "ScriptedSource", "Sent", "batch_of"]
