"""What is examined, and what checks have learnt of it for those that come after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.deadline import Deadline
from stream.first_opening import FirstOpening
from stream.manifest import Manifest
from stream.settings import Settings
from stream.transport import Greeting, Survey

if TYPE_CHECKING:
    from stream.registry import Client
    from stream.store import Head
    from stream.tasks import WorkerStatus

__all__ = ["Case"]


@dataclass(slots=True)
class Case:
    """
    One configuration on one machine. A check writes what those that need it read; none writes what another does.

    Attributes:
        settings: the configuration.
        place: where it was read from.
        host: this machine's name.
        deadline: by when every check must have ended.
        opening: starts the child process that opens the package.
        survey: the cluster; set by `configuration`.
        reached: the bootstrap servers that take connections; set by `broker`.
        greeting: what one of them said before the login; set by `tls`.
        topics: per topic its settings, where this user may see them; set by the topics' checks.
        head: of the model package; set by `signature`.
        registry: a client of the schema registry; set by `registry`.
        worker: the status of this configuration's own worker, where it answers; set by `port`.
        trial_s: when a transactional id was taken, as this machine's clock had it before; set by `transactions`.
    """

    settings: Settings
    place: str
    host: str
    deadline: Deadline
    opening: FirstOpening
    survey: Survey | None = None
    reached: list[str] = field(default_factory=list)
    greeting: Greeting | None = None
    topics: dict[str, dict[str, str]] = field(default_factory=dict)
    head: Head | None = None
    registry: Client | None = None
    worker: WorkerStatus | None = None
    trial_s: float | None = None

    @property
    def cluster(self) -> Survey:
        """The cluster, for checks that come after `configuration`."""
        assert self.survey is not None
        return self.survey

    @property
    def vouched(self) -> Head:
        """The package's manifest, and who vouches for it, for checks that come after `signature`."""
        assert self.head is not None
        return self.head

    @property
    def package(self) -> Manifest:
        """The package's manifest, likewise."""
        return self.vouched.manifest
