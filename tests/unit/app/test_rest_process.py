"""The process of `stream serve`."""

from __future__ import annotations

import asyncio
import logging

from stream.app.rest_process import shows_traceback


def _record(error: BaseException) -> logging.LogRecord:
    return logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "", (), (type(error), error, None))


def test_only_requests_that_are_cut_off_have_no_traceback() -> None:
    """A bug's traceback is always logged, those of other errors only with the log at debug."""
    log = logging.getLogger("stream.app.rest_process")
    log.setLevel(logging.INFO)
    try:
        found = [shows_traceback(_record(error)) for error in (asyncio.CancelledError(), KeyError("bug"))]
        log.setLevel(logging.DEBUG)
        found.append(shows_traceback(_record(asyncio.CancelledError())))
    finally:
        log.setLevel(logging.NOTSET)

    assert [False, True, True] == found
