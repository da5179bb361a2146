"""An image that was built, to be run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.image.network import Network
from tests.image.running import Container

__all__ = ["Built", "hand_over", "hold"]


@dataclass(frozen=True, slots=True)
class Built:
    """An image's root folder, and `Config` of the image."""

    root: Path
    config: Mapping[str, Any]

    @contextmanager
    def runs(
        self,
        command: Sequence[str] | None = None,
        variables: Mapping[str, str] | None = None,
        volumes: Mapping[Path, str] | None = None,
        network: Network | None = None,
    ) -> Iterator[Container]:
        """A container, which is killed in the end. Its arguments are those of `Container`."""
        container = Container(self.root, self.config, command, variables, volumes, network)
        try:
            yield container
        finally:
            container.close()

    def done(self, *command: str, volumes: Mapping[Path, str] | None = None) -> str:
        """What a program says that must end well."""
        with self.runs(command, volumes=volumes) as container:
            code = container.ends(300)
            hold(code == 0, f"{' '.join(command)}: exit code {code}\n{container.said()}")
            return container.said()


def hand_over(folder: Path) -> None:
    """To the image's user."""
    for each in (folder, *folder.rglob("*")):
        os.chown(each, 10001, 10001)


def hold(true: bool, why: str) -> None:
    """Raises: SystemExit, saying why, where it is not true."""
    if not true:
        raise SystemExit(f"scripts/image: {why}")
