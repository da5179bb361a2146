"""The fakes that this package is tested with, for tests of yours: a topic in memory, read and written."""

from stream.testing.memory import MemorySink, Sent
from stream.testing.records import batch_of
from stream.testing.script import ScriptedSource

__all__ = ["MemorySink", "ScriptedSource", "Sent", "batch_of"]
