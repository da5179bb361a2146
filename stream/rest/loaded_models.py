"""
Many models behind one port, as SageMaker's multi-model endpoints have them: loaded and unloaded while others answer.

The platform decides which models are here: it asks to load one that somebody wants, and to unload others when it is
told that there is no room. So each model is counted:

    absent ──load──→ loading ──opened──→ loaded ──unload──→ leaving ──its requests are answered──→ absent
                        └──── refused, or no room ───→ absent

Models are opened one after the other, in a thread; each has a batcher of its own, so that one that is stuck, or busy,
holds up no other's requests. What requests hold is counted for all models together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from stream.rest.front import Front
from stream.rest.problems import Problem
from stream.rest.served_model import Served
from stream.rest.service import Service
from stream.settings import ServeSettings
from stream.telemetry import Metrics, machine_memory, memory_limit, resident_memory

if TYPE_CHECKING:
    from stream.tracing import RequestSpans

__all__ = ["Loaded", "LoadedModels", "Loader", "NoRoom", "room_for_models"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class Loader(Protocol):
    """Opens packages, one at a time."""

    def __call__(self, folder: Path) -> Served:
        """The package in a folder, after all its checks. Raises Problem where it can't be served. Blocks."""

    def stop(self) -> None:
        """Open nothing any more; what is being opened ends soon. Any thread may call it."""


_SHARE = 0.7
"""Of the memory, for models and requests: opening one takes some more for a while, in a process of its own."""

_TIMES_FILES = 2
"""A model takes at least so many times what its files do: a card or schemas are read, too."""

_LEAST_BYTES = 2**20
"""That any model takes: its tables of names, its thread, its batcher."""


class NoRoom(Problem):
    """There is no memory for another model: SageMaker unloads some, and asks again."""

    def __init__(self, needed: int, used: int, room: int) -> None:
        super().__init__(
            507,
            f"no memory for another model: it takes {needed} bytes, and {used} of {room} are taken "
            "([serve] models_bytes)",
        )


@dataclass(slots=True, eq=False)
class Loaded:
    """
    A model that is here, or is being opened.

    Attributes:
        name: that the platform calls it by.
        url: the folder that it was opened from.
        bytes_held: of memory, as far as it is known.
        service: answers its requests; None while it is being opened.
        opening: what opens it.
        scoring: what scores its batches.
        users: requests that it is answering.
        idle: whether there are none.
    """

    name: str
    url: str
    bytes_held: int = 0
    service: Service | None = None
    opening: asyncio.Task[None] | None = None
    scoring: asyncio.Task[None] | None = None
    users: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def in_use(self) -> Iterator[Service]:
        """Its service, which stays until the block ends."""
        assert self.service is not None
        self.users += 1
        try:
            yield self.service
        finally:
            self.users -= 1
            if not self.users:
                self.idle.set()


def room_for_models(settings: ServeSettings) -> int:
    """
    Memory for models, in bytes.

    Args:
        settings: `models_bytes`, `queue_bytes`.
    Returns: what is set; else a share of the machine's or the container's, without what requests may hold and this
        process takes already.
    """
    if settings.models_bytes is not None:
        return int(settings.models_bytes)
    share = min(memory_limit(), machine_memory(), 2**50) * _SHARE
    return max(0, int(share) - settings.queue_bytes - resident_memory())


class LoadedModels(Front):
    """The models, and what they share. Belongs to one event loop."""

    def __init__(
        self,
        settings: ServeSettings,
        metrics: Metrics,
        load: Loader,
        *,
        room: int,
        spans: RequestSpans | None = None,
        redact: bool = False,
    ) -> None:
        """
        Args:
            settings: limits.
            metrics: of the process.
            load: opens a model; blocks.
            room: memory for models, in bytes.
            spans, redact: as `Service` has them.
        """
        super().__init__(settings, metrics, spans)
        self._load = load
        self._room = room
        self._redact = redact
        self._without_models = resident_memory()
        self._models: dict[str, Loaded] = {}
        # One thread: the memory that a model takes can be seen only while no other is opened.
        self._thread = ThreadPoolExecutor(1, "loading")

    @property
    def title(self) -> str:
        """What spans call the process: a model has its name in the path."""
        return "multi-model"

    @property
    def busy(self) -> bool:
        """Whether a model is scoring."""
        return any(service.busy for service in self._services())

    @property
    def live(self) -> bool:
        """Whether requests are answered: False only while every model that is here is stuck."""
        services = self._services()
        return not services or any(service.live for service in services)

    @property
    def held_bytes(self) -> int:
        """Memory that the models take."""
        return sum(one.bytes_held for one in self._models.values())

    def listed(self) -> list[Loaded]:
        """The models that answer, in the order in which they came."""
        return [one for one in self._models.values() if one.service is not None]

    def found(self, name: str) -> Loaded:
        """A model that answers. Raises: Problem 404."""
        one = self._models.get(name)
        if one is None or one.service is None:
            raise Problem(404, f"model {name}: is not loaded")
        return one

    async def load(self, name: str, url: str) -> Loaded:
        """
        Open a model, and let it answer.

        Args:
            name: that it will be asked for by.
            url: the folder of its package.
        Raises: Problem 409 when it is here already, 507 without memory for it, or as the loader does; it is not here
            then. One that is asked for a second time while it is opened is waited for.
        """
        one = self._models.get(name)
        if one is not None:
            if one.opening is not None:
                await asyncio.shield(one.opening)
            raise Problem(409, f"model {name}: is loaded already, from {one.url}")
        one = self._models[name] = Loaded(name, url)
        # Goes on when its request ends: SageMaker asks again, and it is here then.
        one.opening = asyncio.ensure_future(self._open(one))
        one.opening.add_done_callback(_seen)
        await asyncio.shield(one.opening)
        return one

    async def unload(self, name: str) -> None:
        """
        Let a model answer no more, and give its memory back once what it was asked is answered.

        Raises: Problem 404 when it is not here.
        """
        waiting = self._models.get(name)
        if waiting is not None and waiting.opening is not None:
            await asyncio.wait([waiting.opening])
        one = self.found(name)
        del self._models[name]
        if one.users:
            one.idle.clear()
            await one.idle.wait()
        self._end(one)
        log.info("model %s: unloaded, %d are here", name, len(self._models))

    def close(self) -> None:
        """End all of them, at the end of the process."""
        self._load.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)
        for one in self._models.values():
            if one.scoring is not None:
                one.scoring.cancel()
            if one.service is not None:
                one.service.batcher.close()
        self.intake.close()

    def _services(self) -> list[Service]:
        return [one.service for one in self._models.values() if one.service is not None]

    async def _open(self, one: Loaded) -> None:
        """1 is there room for its files, 2 open it, 3 is there room for what it took."""
        try:
            folder = Path(one.url)
            least = _TIMES_FILES * await self._in_thread(_size, folder) + _LEAST_BYTES
            self._check_room(least)  # 1
            one.bytes_held = least
            served, grown = await self._in_thread(self._opened, folder)  # 2
            one.bytes_held = 0
            self._check_room(max(least, grown), opened=True)  # 3
        except BaseException:
            del self._models[one.name]
            raise
        one.bytes_held = max(least, grown)
        one.service = Service(served, self.settings, self.metrics, redact=self._redact, intake=self.intake)
        one.scoring = asyncio.ensure_future(one.service.batcher.run())
        one.opening = None
        log.info("model %s: %s is loaded and takes %d bytes", one.name, served.title, one.bytes_held)

    async def _in_thread(self, call: Callable[[Path], T], folder: Path) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, folder)

    def _check_room(self, needed: int, *, opened: bool = False) -> None:
        """Raises NoRoom. What the process really takes counts as well, as long as something can be unloaded."""
        used = self.held_bytes
        if used and not opened:
            used = max(used, resident_memory() - self._without_models)
        if used + needed > self._room:
            raise NoRoom(needed, used, self._room)

    def _opened(self, folder: Path) -> tuple[Served, int]:
        """In the thread: the model, and the memory that the process takes more."""
        before = resident_memory()
        try:
            served = self._load(folder)
        except MemoryError as error:
            raise NoRoom(resident_memory() - before, before, self._room) from error
        return served, resident_memory() - before

    def _end(self, one: Loaded) -> None:
        assert one.scoring is not None
        assert one.service is not None
        one.scoring.cancel()
        one.service.batcher.close()
        one.service = None


def _size(folder: Path) -> int:
    """Of a folder's files, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _seen(task: asyncio.Task[None]) -> None:
    """Whoever asked for it may be gone: its end is known all the same."""
    if not task.cancelled():
        task.exception()
