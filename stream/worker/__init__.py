"""The engine: poll, score, publish, commit, in one thread that owns the clients."""

from stream.worker.at_least_once import AtLeastOnce
from stream.worker.brake import Brake
from stream.worker.delivery import Delivery, Outlets
from stream.worker.engine import Engine
from stream.worker.exactly_once import ExactlyOnce
from stream.worker.own_file import check_own, open_own
from stream.worker.progress import Progress
from stream.worker.protocols import Measured, Process
from stream.worker.publisher import Publisher, Topics
from stream.worker.startup import wait_for_topics
from stream.worker.state import State
from stream.worker.state_place import state_folder
from stream.worker.suspects import NOTE, Guarded, OtherProcess, Suspects
from stream.worker.tally import Tally
from stream.worker.timing import Timing

__all__ = [
    "NOTE",
    "AtLeastOnce",
    "Brake",
    "Delivery",
    "Engine",
    "ExactlyOnce",
    "Guarded",
    "Measured",
    "OtherProcess",
    "Outlets",
    "Process",
    "Progress",
    "Publisher",
    "State",
    "Suspects",
    "Tally",
    "Timing",
    "Topics",
    "check_own",
    "open_own",
    "state_folder",
    "wait_for_topics",
]
