"""What both operators are: a `stream` command, run here or waited for by a trigger, and its end in Airflow's terms."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.sdk import BaseOperator, conf
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred
from airflow.sdk.log import mask_secret

from stream.airflow.child_run import ChildRun, Outcome
from stream.airflow.command_line import (
    OWN,
    Order,
    as_text,
    passwords,
    start_of,
    surroundings,
    without_passwords,
)
from stream.airflow.detached_run import ask_to_stop, begin, log_lines, outcome_of
from stream.airflow.links import OutputLink
from stream.airflow.run_trigger import StreamRunTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["ChildOperator", "NotGiven", "plain"]

REFUSED = 2
"""Exit code of `stream` for bad usage, configuration, schema or model: another attempt would be refused as well."""

DETACHED = ".airflow"
"""The folder of the commands that deferred tasks wait for."""


def plain(place: Any) -> Any:
    """A `Path` as text, which Airflow can show and store; another task's result is not known yet, and stays."""
    return fspath(place) if isinstance(place, PathLike) else place


class NotGiven:
    """In the place of an argument that was left out: None is what another task returned."""

    def __repr__(self) -> str:
        return "what stream.toml names"


class ChildOperator(BaseOperator):
    """
    Runs a `stream` command.

    Exit code 2 fails the task for good (`AirflowFailException`), any other failure is retried (`AirflowException`).

    Args:
        arguments: further arguments of the command, as they are.
        stream_command: how `stream` is started: `/opt/stream/bin/stream`, or a list; None for `[prediction_stream]
            command` of Airflow's configuration, else the interpreter that runs Airflow.
        env: variables of the command, over those of the task.
        cwd: the folder that relative paths refer to, and in which `stream.toml` is looked for.
        deferrable: give the worker's place back while the command runs. It goes on by itself: the worker must not be
            a container that ends with the task, and the triggerer must be able to read the folder that is written.
        poll_s: seconds between two looks of the trigger.
        options: of `BaseOperator`.
    """

    template_fields: ClassVar[Sequence[str]] = ("arguments", "stream_command", "env", "cwd")
    template_fields_renderers: ClassVar[dict[str, str]] = {"env": "json"}
    operator_extra_links: ClassVar[Sequence[Any]] = (OutputLink(),)

    def __init__(
        self,
        *,
        arguments: Sequence[object] = (),
        stream_command: str | PathLike[str] | Sequence[str] | None = None,
        env: Mapping[str, object] | None = None,
        cwd: str | PathLike[str] | None = None,
        deferrable: bool = False,
        poll_s: float = 10.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.arguments = arguments
        self.stream_command = stream_command
        self.env = env
        self.cwd = plain(cwd)
        self.deferrable = deferrable
        self.poll_s = poll_s
        self.needed: tuple[str, ...] = ()
        self.written: str | None = None
        self.printed: Mapping[str, Any] | None = None
        self._child: ChildRun | None = None
        self._detached: Path | None = None

    def command_arguments(self) -> tuple[str, ...]:
        """The arguments after `stream`."""
        raise NotImplementedError

    def folder_beside(self) -> Path:
        """Where a deferred command's own folder may be."""
        raise NotImplementedError

    def finish(self, printed: Mapping[str, Any] | None, context: Context) -> dict[str, Any]:
        """
        Args:
            printed: the object that the command printed; None if it printed nothing.
            context: of the task.
        Returns: for XCom.
        """
        raise NotImplementedError

    def place(self, path: str) -> Path:
        """A path as the command sees it."""
        return Path(self.cwd or Path.cwd()) / path

    def tell_asset(self, context: Context, extra: Mapping[str, Any]) -> None:
        """What the events of the task's assets say."""
        for asset in self.outlets:
            context["outlet_events"][asset].extra.update(extra)

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Also: what is secret in them is known before Airflow shows them."""
        super().render_template_fields(context, jinja_env)
        self._check()
        self._mask()

    def _check(self) -> None:
        """What was given must have come: nothing in its place would silently mean another model, or no key."""
        for name in self.needed:
            value = getattr(self, name)
            for each in value if isinstance(value, (list, tuple)) else [value]:
                if each is None or (isinstance(each, str) and not each.strip()):
                    raise AirflowFailException(
                        f"{name} is {value!r}: where it comes from, such as another task or a variable, there is "
                        "nothing; see to that, or leave the argument out"
                    )

    def _mask(self) -> None:
        words = (*start_of(self.stream_command, ""), *self.command_arguments(), *(self.env or {}).values())
        for secret in passwords(map(as_text, words)):
            mask_secret(secret)

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the command and wait, or start it and defer."""
        self._check()
        self._mask()  # of a mapped task's too
        order = self._order()
        # Hidden here, too: LocalExecutor repeats a task's log on the scheduler's own output, where nothing is masked.
        self.log.info("%s", shlex.join(map(without_passwords, order.command)))
        try:
            if self.deferrable:
                self._defer(order)
            self._child = ChildRun(order)
        except OSError as error:
            raise AirflowFailException(f"{error}; see stream_command and cwd") from error
        return self._settle(self._child.wait(self._tell), context)

    def _defer(self, order: Order) -> NoReturn:
        self._detached = self.folder_beside() / DETACHED / secrets.token_hex(8)
        begin(self._detached, order)
        trigger = StreamRunTrigger(str(self._detached), self.poll_s)
        raise TaskDeferred(trigger=trigger, method_name=self.resume.__name__)

    def resume(self, context: Context, event: Mapping[str, str]) -> dict[str, Any]:
        """After the trigger has fired."""
        folder = Path(event["folder"])
        if event["state"] not in ("done", "lost"):
            raise AirflowException(f"{folder}: the command can't be looked at: {event['state']}")
        for line in log_lines(folder):
            self._tell(line)
        if event["state"] == "lost":
            shutil.rmtree(folder, ignore_errors=True)
            raise AirflowException("the command is gone: it was killed, or its machine was started anew")
        outcome = outcome_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
        return self._settle(outcome, context)

    def on_kill(self) -> None:
        """End the command: the task was cleared, marked, or took too long."""
        if self._child is not None:
            self._child.end()
        if self._detached is not None:
            ask_to_stop(self._detached)

    def _order(self) -> Order:
        start = start_of(self.stream_command, conf.get("prediction_stream", "command", fallback=""))
        if start == OWN and find_spec("sklearn") is None:
            raise AirflowFailException(
                "prediction-stream's libraries are not in Airflow's environment: install them there, or say with "
                "stream_command where `stream` is (docs/airflow.md)"
            )
        limit = self.execution_timeout.total_seconds() if self.deferrable and self.execution_timeout else None
        return Order(
            (*start, *self.command_arguments()), surroundings(start, os.environ, self.env), self.cwd, limit
        )

    def _tell(self, line: str) -> None:
        (self.log.error if line.lower().startswith("error:") else self.log.info)("%s", line)

    def _settle(self, outcome: Outcome, context: Context) -> dict[str, Any]:
        if outcome.code == REFUSED:
            raise AirflowFailException(outcome.reason)
        if outcome.code != 0:
            raise AirflowException(f"stream ended with {outcome.code}: {outcome.reason}")
        self.printed = json.loads(outcome.stdout) if outcome.stdout.strip() else None
        return self.finish(self.printed, context)
