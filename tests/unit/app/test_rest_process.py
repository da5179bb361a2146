"""The process of `stream serve`."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stream.app.rest_process import Rest, server_of, shows_traceback
from stream.errors import SettingsError
from stream.settings import ServeSettings, Settings
from tests.authority import Authority


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


def test_key_with_a_password_is_refused(tmp_path: Path) -> None:
    """OpenSSL would ask for it on the terminal, and the service would wait for ever."""
    certificate, key = Authority(tmp_path).issue("rest", b"sealed")
    settings = Settings(serve=ServeSettings(certificate=certificate, key=key))
    service = cast(Any, SimpleNamespace(metrics=None))

    with pytest.raises(SettingsError, match=r"\[serve\] certificate: .*rest.key"):
        server_of(settings, Rest(None, service, service))
