"""The fakes that this package is tested with, for your own tests: an input and outputs in memory."""

from stream.testing.memory import MemorySink, MemoryTransactions, Sent
from stream.testing.script import ScriptedSource, batch_of

__all__ = ["MemorySink", "MemoryTransactions", "ScriptedSource", "Sent", "batch_of"]
