"""`stream serve` as a SageMaker multi-model endpoint: packages are opened as for one model, when they are asked for."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

from stream.app.container import package_in
from stream.app.reports import reporting_of, request_spans
from stream.app.rest_process import claimed_for, report_on, run_front, served_of
from stream.errors import PackageError, Retriable, SettingsError
from stream.first_opening import FirstOpening
from stream.resources import log_origin, open_configured
from stream.rest import LoadedModels, Problem, Served, create_models_app, room_for_models
from stream.scoring import raised_by
from stream.settings import Settings
from stream.store import import_usual
from stream.telemetry import Metrics

__all__ = ["Opener", "run_models"]

log = logging.getLogger(__name__)

_REFUSED = 500
"""Of a package that can't be served: whoever asks for it is not at fault, and the endpoint's alarms are to see it."""

_LATER = 503
"""Of a package that could not be read just now."""


class Opener:
    """Opens packages as the settings ask, by a child process first. `stop` may be called by any thread."""

    def __init__(self, settings: Settings) -> None:
        """
        Args:
            settings: the configuration.
        """
        self._settings = settings
        self._lock = threading.Lock()
        self._opening: FirstOpening | None = None
        self._stopped = False

    def __call__(self, folder: Path) -> Served:
        """See `Loader`."""
        with self._lock, FirstOpening() as opening:
            self._opening = opening
            if self._stopped:
                opening.stop()
            return self._open(folder, opening)

    def stop(self) -> None:
        """See `Loader`."""
        self._stopped = True
        if self._opening is not None:
            self._opening.stop()

    def _open(self, folder: Path, opening: FirstOpening) -> Served:
        try:
            package = open_configured(self._settings, str(package_in(folder)), opening=opening)
            log_origin(package, self._settings.model)
            return served_of(self._settings, package)
        except (Retriable, PackageError, SettingsError) as error:
            absent = isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)
            later = isinstance(error, Retriable) or (isinstance(error.__cause__, OSError) and not absent)
            raise _refusal(_LATER if later else _REFUSED, folder, error.message) from error
        except OSError as error:
            raise _refusal(_LATER, folder, str(error)) from error
        # Opening runs the package's own code: nothing it does may end the process or the loading of others.
        except MemoryError:
            raise
        except BaseException as error:
            raised = raised_by(error)
            raise _refusal(
                _REFUSED, folder, f"opening it raised {raised.exception}: {raised.message}"
            ) from error


def _refusal(status: int, folder: Path, why: str) -> Problem:
    log.error("%s is not loaded: %s", folder, why)
    return Problem(status, why)


def run_models(settings: Settings, folder: Path) -> None:
    """
    Serve until SIGTERM or Ctrl-C, then answer what is in flight.

    Args:
        settings: the configuration; its model is not read.
        folder: packages below it may be loaded.
    Raises, Blocks: as `run_rest`.
    """
    claimed = claimed_for(settings)
    import_usual()  # before the memory is looked at that a model takes
    metrics = Metrics("serve")
    name = f"{socket.gethostname()}.{settings.serve.port}"
    reporting = reporting_of(settings, metrics, "multi-model", name, worker=False)
    models = LoadedModels(
        settings.serve,
        metrics,
        Opener(settings),
        room=room_for_models(settings.serve),
        spans=request_spans(reporting, settings),
        redact=settings.dead_letters.redact,
    )
    beside = [] if reporting is None else [report_on(reporting.reporter)]
    run_front(settings, create_models_app(models, folder, beside), models, claimed)
