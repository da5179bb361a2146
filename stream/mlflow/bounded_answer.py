"""
A question to a server whose answer has a time and a size as a whole: MLflow's client waits on for one that comes in
drops, and keeps in memory whatever comes.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, TypeVar

from stream.errors import Retriable

if TYPE_CHECKING:
    from requests import Response

__all__ = ["answered", "bound_answers"]

T = TypeVar("T")

_MOST_BYTES = 16 * 1024**2
"""Of an answer; the longest, a folder of 10,000 files, has 2 MB."""

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


def bound_answers() -> None:
    """
    Let MLflow's client read no more than `_MOST_BYTES` of an answer, unpacked; files are bounded as they are written.

    To be called while its environment is as the settings have it: its connections are kept by their options.
    """
    from mlflow.environment_variables import (
        MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
        MLFLOW_HTTP_REQUEST_BACKOFF_JITTER,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES,
        MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER,
    )
    from mlflow.utils import request_utils

    session = request_utils._get_request_session(
        MLFLOW_HTTP_REQUEST_MAX_RETRIES.get(),
        MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR.get(),
        MLFLOW_HTTP_REQUEST_BACKOFF_JITTER.get(),
        request_utils._TRANSIENT_FAILURE_RESPONSE_CODES,
        True,
        MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER.get(),
    )
    hooks = session.hooks["response"]
    if _bounded not in hooks:
        hooks.append(_bounded)


def _bounded(response: Response, *, stream: bool = False, **_: Any) -> None:
    """Called before the body is read."""
    from requests.exceptions import ContentDecodingError

    read = response.raw.stream

    def pieces(*arguments: Any, **options: Any) -> Iterator[bytes]:
        total = 0
        for piece in read(*arguments, **options):
            total += len(piece)
            if total > _MOST_BYTES:
                response.close()
                raise ContentDecodingError(
                    f"its answer has more than {_MOST_BYTES:,} bytes", response=response
                )
            yield piece

    if not stream:
        response.raw.stream = pieces
