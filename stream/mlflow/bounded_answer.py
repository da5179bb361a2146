"""A question to a server whose answer has a time as a whole: MLflow's client waits on for one that comes in drops."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from stream.errors import Retriable

__all__ = ["answered"]

T = TypeVar("T")

_UNANSWERED: dict[str, threading.Thread] = {}
"""By server: what still waits for an answer that was given up. At most one of each, since it may never come."""


def answered(question: Callable[[], T], what: str, address: str, limit_s: float) -> T:
    """
    Ask a question, in a thread.

    Args:
        question: asks, and translates what MLflow's client raises.
        what: is asked for, for messages.
        address: of the server.
        limit_s: within which the whole answer must be here.
    Returns, Raises: as the question; Retriable when it took longer, or when the answer before is still coming.
    Blocks for that time at most.
    """
    late = Retriable(
        f"{what}: the MLflow server at {address} does not answer: its answer took more than {limit_s:g} s",
        hint="see to the server, or correct [mlflow] tracking_uri",
    )
    if address in _UNANSWERED and _UNANSWERED[address].is_alive():
        raise late
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            answer.set_exception(error)

    thread = threading.Thread(target=ask, name="question to MLflow", daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # here: the filters are the process's, and that thread may never end
        thread.start()
        if not wait([answer], limit_s).done:
            _UNANSWERED[address] = thread
            raise late
    return answer.result()
