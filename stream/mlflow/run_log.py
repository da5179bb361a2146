"""One run of an MLflow server, with the runs nested in it: what there is to log goes into a backlog."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from stream.errors import SettingsError
from stream.mlflow.answers import translated
from stream.mlflow.backlog import Backlog, Entry
from stream.mlflow.experiments import Begun
from stream.mlflow.run_values import Figure, Noted, batches, tag_text
from stream.mlflow.server import Server

if TYPE_CHECKING:
    from mlflow.entities import Dataset

__all__ = ["DataNote", "RunLog", "Status"]

Status: TypeAlias = Literal["FINISHED", "FAILED", "KILLED"]
"""How a run can end."""

_PARENT = "mlflow.parentRunId"
_CONTEXT = "mlflow.data.context"


@dataclass(frozen=True, slots=True)
class DataNote:
    """
    What a run learned from, as MLflow shows datasets.

    Attributes:
        name: of the data.
        digest: by which two can be told apart.
        source: where it is, JSON.
        schema: of its columns, JSON.
        profile: how large it is, JSON.
    """

    name: str
    digest: str
    source: str
    schema: str
    profile: str


@dataclass(slots=True)
class _Nested:
    """A nested run; its id is known once the server has begun it."""

    name: str
    began_ms: int
    id: str = ""
    asked: bool = False
    ended: bool = False


class RunLog:
    """
    Writes one run. Its methods return at once and never raise, but for `close`, which waits.

    Args:
        server: in use as long as this object is.
        begun: the run.
    """

    def __init__(self, server: Server, begun: Begun) -> None:
        self.begun = begun
        self._api = server.api
        self._runs: dict[int, _Nested] = {}
        self._backlog = Backlog(lambda: self._ask(lambda: self._api.get_run(begun.id)))

    def note(
        self,
        what: str,
        params: Mapping[str, object] | None = None,
        figures: Sequence[Figure] = (),
        tags: Mapping[str, object] | None = None,
        nested: int | None = None,
    ) -> None:
        """
        Log values.

        Args:
            what: they are, for a message that they could not be logged.
            params: by name.
            figures: of metrics; their time is now.
            tags: by name.
            nested: the nested run's number; None for the run itself.
        """
        now = _now_ms()
        for noted in batches(params or {}, figures, tags or {}):
            self._put(what, partial(self._log, noted, now), nested)

    def file(self, path: str, content: bytes) -> None:
        """
        Log a file of the run.

        Args:
            path: in the run's artifacts.
            content: its bytes.
        """
        self._put(path, lambda run: self._upload(run, path, content))

    def store(self, path: str, content: bytes) -> None:
        """
        Log a file now, unlike all else: where the server can't store files, it is better known early.

        Args:
            path: in the run's artifacts.
            content: its bytes.
        Raises: Retriable, BrokerRefused or SettingsError. Blocks for the server's timeout.
        """
        try:
            self._ask(lambda: self._upload(self.begun.id, path, content))
        except (ImportError, OSError) as error:
            raise SettingsError(
                f"files of runs at {self.begun.place} can't be stored: {error}",
                hint="install what the client of that storage needs, or let the server store them itself "
                "(mlflow server --artifacts-destination)",
            ) from error

    def rename(self, name: str) -> None:
        """Give the run another name."""
        self._put("the run's name", lambda run: self._api.update_run(run, name=name))

    def data(self, data: DataNote) -> None:
        """Log what the run learned from."""

        def do(run: str) -> None:
            from mlflow.entities import DatasetInput, InputTag

            self._api.log_inputs(run, [DatasetInput(_dataset(data), [InputTag(_CONTEXT, "training")])])

        self._put("the dataset", do)

    def begin(self, number: int, name: str, tags: Mapping[str, object]) -> None:
        """
        Begin a nested run.

        Args:
            number: by which it is logged to.
            name: for people.
            tags: of it.
        """
        nested = self._runs[number] = _Nested(name, _now_ms())
        marks = {key: tag_text(value) for key, value in tags.items()}
        self._backlog.put(name, lambda: self._ask(lambda: self._begin(nested, marks)))

    def end(self, number: int, status: Status) -> None:
        """End a nested run; its time is now."""
        nested, now = self._runs[number], _now_ms()

        def do(run: str) -> None:
            self._api.set_terminated(run, status, now)
            nested.ended = True

        self._put(nested.name, do, number)

    def close(self, status: Status, patience_s: float, idle_s: float) -> Mapping[tuple[str, str], int]:
        """
        Wait until all is logged, then end the run, and those nested in it that are still open.

        Args:
            status: the run's; an open nested run of one that is FINISHED has FAILED.
            patience_s: the longest wait.
            idle_s: the longest wait in which the server takes nothing.
        Returns: how many things could not be logged, by what they were and why.
        """
        now = _now_ms()

        def end_nested() -> None:
            for nested in self._runs.values():
                if nested.id and not nested.ended:
                    self._api.set_terminated(nested.id, "FAILED" if status == "FINISHED" else status, now)

        def end() -> None:
            self._api.set_terminated(self.begun.id, status, now)

        last = [
            Entry("the end of a candidate's run", lambda: self._ask(end_nested)),
            Entry("the end of the run", lambda: self._ask(end)),
        ]
        return self._backlog.close(last, patience_s, idle_s)

    @property
    def waiting(self) -> int:
        """Things that the server has not taken yet."""
        return self._backlog.waiting

    def _put(self, what: str, do: Callable[[str], None], number: int | None = None) -> None:
        """Queue something; `do` gets the id of its run when its turn has come."""
        nested = None if number is None else self._runs[number]

        def give() -> None:
            if nested is not None and not nested.id:
                raise SettingsError(f"{nested.name} was not begun", hint="see what the server says of it")
            self._ask(lambda: do(self.begun.id if nested is None else nested.id))

        self._backlog.put(what, give, urgent=nested is None)

    def _ask(self, do: Callable[[], object]) -> None:
        with translated(f"run {self.begun.id}", self.begun.place):
            do()

    def _begin(self, nested: _Nested, tags: Mapping[str, str]) -> None:
        """Begin it, unless an earlier try did and the answer was lost."""
        marks = {**tags, _PARENT: self.begun.id}
        if nested.asked:
            here = f"tags.`{_PARENT}` = '{self.begun.id}'"
            found = self._api.search_runs([self.begun.experiment_id], here, max_results=1_000)
            nested.id = next((str(run.info.run_id) for run in found if run.info.run_name == nested.name), "")
        nested.asked = True
        if not nested.id:
            run = self._api.create_run(self.begun.experiment_id, nested.began_ms, marks, nested.name)
            nested.id = str(run.info.run_id)

    def _log(self, noted: Noted, now: int, run: str) -> None:
        from mlflow.entities import Metric, Param, RunTag

        self._api.log_batch(
            run,
            [Metric(one.name, one.value, now, one.step) for one in noted.figures],
            [Param(name, text) for name, text in noted.params.items()],
            [RunTag(name, text) for name, text in noted.tags.items()],
        )

    def _upload(self, run: str, path: str, content: bytes) -> None:
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary) / name
            place.write_bytes(content)
            self._api.log_artifact(run, str(place), folder or None)


def _dataset(data: DataNote) -> Dataset:
    from mlflow.entities import Dataset

    return Dataset(data.name[:500], data.digest[:36], "local", data.source, data.schema, data.profile)


def _now_ms() -> int:
    return int(time.time() * 1000)
