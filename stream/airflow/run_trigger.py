"""The trigger that a deferred task waits for: it looks at the folder of a `detached_run`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowRuntimeError
from airflow.triggers.base import BaseTrigger, TriggerEvent

from stream.airflow.detached_run import ask_to_stop, look

__all__ = ["StreamRunTrigger"]

log = logging.getLogger(__name__)


class StreamRunTrigger(BaseTrigger):
    """
    Fires when a command has ended, or nobody watches over it any more.

    Args:
        folder: of the command; a path that the triggerer can read.
        poll_s: seconds between two looks.
    """

    def __init__(self, folder: str, poll_s: float) -> None:
        super().__init__()
        self.folder = folder
        self.poll_s = poll_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer makes it of."""
        return f"{__name__}.{type(self).__name__}", {"folder": self.folder, "poll_s": self.poll_s}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to say, once."""
        folder = Path(self.folder)
        while True:
            try:
                state: str = await asyncio.to_thread(look, folder)
            except OSError as error:
                state = f"unreadable: {error}"
            if state != "running":
                yield TriggerEvent({"folder": self.folder, "state": state})
                return
            await asyncio.sleep(self.poll_s)

    async def on_kill(self) -> None:
        """
        A person has cleared or marked the task: the command is asked to end. A triggerer's restart does not.

        Airflow calls this as well in a triggerer that was so slow that another took the trigger over: the task is
        deferred as before, and the command goes on.
        """
        try:
            deferred = await asyncio.to_thread(self._deferred)
        except (AirflowException, AirflowRuntimeError, OSError) as error:
            log.warning("the state of the task is not known, its command is ended: %s", error)
            deferred = False
        if not deferred:
            await asyncio.to_thread(ask_to_stop, Path(self.folder))

    def _deferred(self) -> bool:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        task: Any = self.task_instance
        states = RuntimeTaskInstance.get_task_states(
            dag_id=task.dag_id, task_ids=[task.task_id], run_ids=[task.run_id], map_index=task.map_index
        )
        return "deferred" in states.get(task.run_id, {}).values()
