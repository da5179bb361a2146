"""The engine: poll, score, publish, commit, in one thread that owns the clients."""

from stream.worker.brake import Brake
from stream.worker.engine import Engine
from stream.worker.progress import Progress
from stream.worker.publisher import Publisher, Topics
from stream.worker.startup import wait_for_topics
from stream.worker.state import State
from stream.worker.tally import Tally
from stream.worker.timing import Timing

__all__ = [
    "Brake",
    "Engine",
    "Progress",
    "Publisher",
    "State",
    "Tally",
    "Timing",
    "Topics",
    "wait_for_topics",
]
