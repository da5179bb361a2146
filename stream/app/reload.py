"""Looks for a new version of the model, opens it while the current one serves, and hands it over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from stream.codec import RecordSchema, compare
from stream.errors import BrokerRefused, PackageError, Retriable, SettingsError, StreamError
from stream.first_opening import FirstOpening
from stream.log_events import tell
from stream.mlflow import end_fetching
from stream.resources import log_origin, open_configured, version_wanted
from stream.scoring import raised_by
from stream.settings import Settings
from stream.store import Package
from stream.telemetry import Metrics

__all__ = ["Reload", "Reloader"]

log = logging.getLogger(__name__)

PASSING_LOOKS = 5
"""Looks to skip before retrying a version that was refused for a reason outside it; opening takes seconds."""


@dataclass(frozen=True, slots=True)
class Reload:
    """
    The last result of looking for a new version.

    Attributes:
        version: that was tried; None before the first.
        error: why it was refused; empty when it serves.
        at: RFC 3339, UTC.
        seconds: how long opening it took.
    """

    version: int | None = None
    error: str = ""
    at: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Reloader:
    """
    Looks for versions on behalf of one process. `look` is called by one thread at a time; `last` may be read by any.

    Attributes:
        settings: the configuration.
        package: the one that answers.
        open_it: opens the current version as the settings ask.
        hand_over: takes a package that is fit to serve; raises Refused when it is not after all.
        metrics: count the results.
        opening: lets a child process open each version first.
        last: the result of the last look that found something.
        since_ms: since when the package answers, in milliseconds since the epoch.
        previous: `name@version` of the one that answered before; None = none did.
    """

    settings: Settings
    package: Package
    open_it: Callable[[], Package]
    hand_over: Callable[[Package], None]
    metrics: Metrics
    opening: FirstOpening
    last: Reload = field(default_factory=Reload)
    since_ms: int = field(default_factory=lambda: round(time.time() * 1_000))
    previous: str | None = None
    _refused: int | None = None
    _passing: int | None = None
    _looks_left: int = 0

    @classmethod
    def of(
        cls,
        settings: Settings,
        package: Package,
        hand_over: Callable[[Package], None],
        metrics: Metrics,
        opening: FirstOpening,
    ) -> Reloader:
        """One that opens versions as the settings ask; the metrics name the model that answers."""
        _show(metrics, package)
        open_it = partial(open_configured, settings, opening=opening)
        return cls(settings, package, open_it, hand_over, metrics, opening)

    def stop(self) -> None:
        """End a child process that opens or fetches a version: the process is about to end. Any thread may call it."""
        self.opening.stop()
        end_fetching()

    def look(self) -> bool:
        """
        See whether `current`, or the alias at an MLflow server, names another version; if so, open it and hand it over.

        Returns: whether another version answers now. A version that can't be opened, or whose predictions
            downstream could not read, does not replace the one that answers; it is tried again only once another was
            named in between. One that waits for something else, such as a registry that knows
            its prediction schema or a disk that can be read, is tried again after some looks.
        Blocks while the server is asked, and while the version is copied and opened.
        """
        try:
            version = version_wanted(self.settings)
        except StreamError as error:
            if not self.opening.stopped:
                self._note(None, error)
            return False
        except OSError as error:
            # The folder may not be listed, its disk is gone, or no file can be opened just now.
            text = f"{self.settings.path(self.settings.model.uri)}: can't be looked at: {error.strerror or error}"
            self._note(
                None, PackageError(text, hint="see to its disk, its rights, or the limit of open files")
            )
            return False
        if version is None:
            return False
        if version == self.package.manifest.version:
            self._refused = None
            if self.last.error:
                # Rolled back, or corrected: the version that was refused is no longer named.
                log.info("%s, which serves, is the current version again", self.package.manifest.model)
                self.last = Reload(version, "", _now())
            return False
        if version == self._refused:
            return False
        if version == self._passing and self._looks_left > 0:
            self._looks_left -= 1
            return False
        return self._try(version)

    def _try(self, version: int) -> bool:
        started = time.monotonic()
        try:
            package = self.open_it()
            self._fits(package)
            self.hand_over(package)
        except StreamError as error:
            if self.opening.stopped:
                return False
            return self._postpone(version, error) if _is_passing(error) else self._refuse(version, error)
        except OSError as error:
            text = f"opening it raised {type(error).__name__}: {error}"
            return self._postpone(
                version, PackageError(text, hint="see to its disk, or the limit of open files")
            )
        # Opening runs the version's own code, which may raise KeyboardInterrupt, too (Ctrl-C is the main thread's):
        # nothing it does may end the worker.
        except BaseException as error:  # noqa: BLE001
            raised = raised_by(error)
            text = f"opening it raised {raised.exception}: {raised.message}"
            return self._refuse(
                version, PackageError(text, hint="`stream models verify` it, and pack it again")
            )
        self._refused = None
        self.previous, self.since_ms = self.package.manifest.model, round(time.time() * 1_000)
        self.package = package
        seconds = time.monotonic() - started
        self.last = Reload(package.manifest.version, "", _now(), round(seconds, 3))
        self.metrics.add("stream_reloads_total", result="ok")
        _show(self.metrics, package)
        log.info("%s was opened in %.1f s and takes over", package.manifest.model, seconds)
        log_origin(package, self.settings.model)
        return True

    def _postpone(self, version: int, error: StreamError) -> bool:
        self._passing, self._looks_left = version, PASSING_LOOKS
        self._note(version, error)
        return False

    def _refuse(self, version: int, error: StreamError) -> bool:
        self._refused = version
        self._note(version, error)
        return False

    def _fits(self, package: Package) -> None:
        """Consumers of today's predictions must be able to read the new ones."""
        if package.manifest.name != self.package.manifest.name:
            raise PackageError(
                f"the new version is of model {package.manifest.name!r}, but {self.package.manifest.name!r} is served",
                hint="pack it under the name that is served, or start a worker for it",
            )
        today = RecordSchema(self.package.prediction)
        new = RecordSchema(package.prediction)
        differences = compare(new, today, [leaf.path for leaf in today.leaves()])
        broken = [d.message for d in differences if d.kind != "promoted"]
        if broken:
            raise PackageError(
                f"{package.manifest.model} would change prediction.avsc incompatibly: {'; '.join(broken)}",
                hint="pack it with the carried fields and options of the version that is served",
            )

    def _note(self, version: int | None, error: StreamError) -> None:
        """Report it once, in log, status and metrics; the current version keeps serving."""
        step = getattr(error, "step", "")
        reason = f"step {step}: {error.message}" if step else error.message
        if self.last.error != reason:
            what = f"version {version} is refused" if version else "no new version can be looked for"
            tell(
                log,
                logging.ERROR,
                "model_kept",
                "%s, %s keeps serving: %s",
                *(what, self.package.manifest.model, error),
                model=self.package.manifest.model,
                refused_version=version,
                reason=reason,
            )
            self.metrics.add("stream_reloads_total", result="refused" if version else "failed")
        self.last = Reload(version, reason, _now())


def _is_passing(error: BaseException) -> bool:
    """
    Whether a refusal is not the version's fault.

    A registry does not answer, refuses us, or does not know the prediction schema or the model yet; or a file could not
    be read: its disk fails, no more files can be opened, or the version is still being copied or uploaded.
    """
    if isinstance(error, Retriable | SettingsError | BrokerRefused):
        return True
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__
    return cause is not None


def _show(metrics: Metrics, package: Package) -> None:
    """Which model answers from now on."""
    metrics.clear("stream_model_info")
    metrics.set("stream_model_info", 1, model=package.manifest.model)
    metrics.set("stream_model_created_timestamp_seconds", _epoch_s(package.manifest.created))
    metrics.set("stream_model_loaded_timestamp_seconds", time.time())


def _epoch_s(created: str) -> float:
    """RFC 3339, which also has leap seconds and lower case, as seconds since the epoch."""
    return datetime.fromisoformat(created.upper().replace(":60", ":59")).timestamp()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
