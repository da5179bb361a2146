"""
The live page: what a worker or the REST service is doing, as people see it in a browser.

One *snapshot* a second is made for all viewers together, and only while there are some; nothing of records is kept
otherwise. What goes on without viewers is a tick every ten seconds, for the last quarter of an hour. No socket, and no
file but the page's own: the doors are in `stream.app` and `stream.rest`.
"""

from stream.live.audience import Audience
from stream.live.counters import Counters
from stream.live.distribution import Distribution, distribution_of
from stream.live.latest import LATEST, Latest, Truth
from stream.live.letter_reasons import letters_by_reason
from stream.live.letter_views import Examination, letter_view
from stream.live.page_files import EVENT_HEADERS, PageFile, page_files
from stream.live.seen import LETTERS, Seen, SeenLetter, SeenPrediction
from stream.live.snapshot import FlowView, ModelView, Snapshot, TopicView, written
from stream.live.trail import OF_SERVICE, OF_WORKER, STEP_S, Trail

__all__ = [
    "EVENT_HEADERS",
    "LATEST",
    "LETTERS",
    "OF_SERVICE",
    "OF_WORKER",
    "STEP_S",
    "Audience",
    "Counters",
    "Distribution",
    "Examination",
    "FlowView",
    "Latest",
    "ModelView",
    "PageFile",
    "Seen",
    "SeenLetter",
    "SeenPrediction",
    "Snapshot",
    "TopicView",
    "Trail",
    "Truth",
    "distribution_of",
    "letter_view",
    "letters_by_reason",
    "page_files",
    "written",
]
