"""What the commands do, a module each: called by the command line, which parses, prints and chooses exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.tasks.contract_check import check_contract
    from stream.tasks.event_sending import Message, replay
    from stream.tasks.file_events import RowFile, check_file, event_messages, send_file
    from stream.tasks.file_scoring import (
        BatchOptions,
        check_inputs,
        check_share,
        planned,
        reasons_of,
        run_batch,
        title_of,
    )
    from stream.tasks.findings import Finding, Severity, compared
    from stream.tasks.group_status import GroupStatus, observe_group
    from stream.tasks.keyed_run import answered, once
    from stream.tasks.memory_needs import MEMORY_HINT, MemoryNeeds, allowed_memory, memory_bound
    from stream.tasks.topic_setup import DEAD_LETTER_ROOM, register_prediction, set_up_topics, wanted_topics
    from stream.tasks.topic_watching import watch_topic
    from stream.tasks.worker_answers import (
        NoStatus,
        WorkerStatus,
        ask_worker,
        own_page,
        status_of,
        statuses,
        web_url,
    )
    from stream.tasks.worker_summary import summary_of

__all__ = [
    "DEAD_LETTER_ROOM",
    "MEMORY_HINT",
    "BatchOptions",
    "Finding",
    "GroupStatus",
    "MemoryNeeds",
    "Message",
    "NoStatus",
    "RowFile",
    "Severity",
    "WorkerStatus",
    "allowed_memory",
    "answered",
    "ask_worker",
    "check_contract",
    "check_file",
    "check_inputs",
    "check_share",
    "compared",
    "event_messages",
    "memory_bound",
    "observe_group",
    "once",
    "own_page",
    "planned",
    "reasons_of",
    "register_prediction",
    "replay",
    "run_batch",
    "send_file",
    "set_up_topics",
    "status_of",
    "statuses",
    "summary_of",
    "title_of",
    "wanted_topics",
    "watch_topic",
    "web_url",
]

__getattr__ = lazy_face(__name__)
