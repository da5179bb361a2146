"""
How long it takes from the start of a process until it serves, and what that costs.

    python -m benchmarks.start --runs 3
    python -m benchmarks.start --tree v1=../other-checkout --only worker,serve

* `worker`: from the start to the broker's time of the first prediction, on a topic that is filled beforehand.
* `serve`: from the start to the first 200 of `/v2/health/ready`.
* `verify`, `check`: from the start to the end of the command (`check` with a broker that answers).

CPU is user and system time up to that moment, of the process and of its children that have ended. Checkouts take
turns, and one that is given with `--tree` runs with the libraries of this one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.entry import Entry
from benchmarks.fill import fill
from benchmarks.lane import Lane
from benchmarks.packages import BOTH, MODELS, ROOT, package
from benchmarks.process import Contestant, as_installed, end_all_on_sigterm
from benchmarks.run import kafka, say
from benchmarks.topics import Topics
from tests.kafka.process import free_ports

__all__ = ["Start", "main", "table"]

_EVENTS = 2_000
"""On the input topic: one batch."""

_LOOK_S = 0.01
"""Between two looks: what `serve` is measured to."""

_READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Start:
    """
    One start.

    Attributes:
        model: which model.
        what: was started.
        tree: which checkout.
        wall_s: until it served, or the command's end, seconds.
        cpu_s: user and system time until then, with children that have ended.
    """

    model: str
    what: str
    tree: str
    wall_s: float
    cpu_s: float


def table(starts: Sequence[Start]) -> str:
    """
    Medians for people.

    Args:
        starts: of any number of models and checkouts.
    Returns: Markdown, a line for each of them in the order in which they came first.
    """
    groups: dict[tuple[str, str, str], list[Start]] = {}
    for one in starts:
        groups.setdefault((one.model, one.what, one.tree), []).append(one)
    lines = ["| model | what | checkout | s (of turns) | CPU s |", "|---|---|---|--:|--:|"]
    for key, group in sorted(groups.items(), key=lambda item: item[0][:2]):
        walls = [one.wall_s for one in group]
        spread = f"{median(walls):.2f} ({min(walls):.2f}–{max(walls):.2f})"
        lines.append(f"| {' | '.join(key)} | {spread} | {median(one.cpu_s for one in group):.2f} |")
    return "\n".join(lines)


class _Starter:
    """Starts things of a checkout, and waits until they serve."""

    def __init__(self, topics: Topics, source: str, folder: Path) -> None:
        self._topics = topics
        self._source = source
        self._folder = folder

    def start(self, what: str, model: str, tree: str, home: Path) -> Start:
        """Start it once."""
        lane = Lane(self._topics, self._source, self._folder, secrets.token_hex(4), package(model))
        wall_s, cpu_s = _WAYS[what](self, lane, home)
        return Start(model, what, tree, wall_s, cpu_s)

    def worker(self, lane: Lane, home: Path) -> tuple[float, float]:
        """Until its first prediction."""
        self._topics.create(lane.target, 4, message_timestamp_type="LogAppendTime")
        self._topics.create(lane.letters, 1)
        log = self._folder / f"{lane.name}.log"
        with Contestant(lane.command(Entry("worker")), log, home=home) as process:
            _wait(process, lambda: self._topics.offsets(lane.target) > 0)
            cpu_s = process.cpu_s(children=True)
        first_ms = min(message.timestamp()[1] for message in self._topics.read(lane.target))
        self._topics.delete(lane.target)
        self._topics.delete(lane.letters)
        return first_ms / 1_000 - process.started, cpu_s

    def serve(self, lane: Lane, home: Path) -> tuple[float, float]:
        """Until it says that it is ready."""
        [port] = free_ports(1)
        command = [sys.executable, "-m", "stream", "serve", "--model", str(lane.package), "--port", str(port)]
        with Contestant(command, self._folder / f"{lane.name}.log", home=home) as process:
            _wait(process, lambda: _answers(f"http://127.0.0.1:{port}/v2/health/ready"))
            return time.time() - process.started, process.cpu_s(children=True)

    def verify(self, lane: Lane, home: Path) -> tuple[float, float]:
        """Until its end."""
        return _ended(["models", "verify", str(lane.package)], home)

    def check(self, lane: Lane, home: Path) -> tuple[float, float]:
        """Until its end."""
        return _ended(["check", "--config", str(lane.config(""))], home)


_WAYS: Mapping[str, Callable[[_Starter, Lane, Path], tuple[float, float]]] = {
    "worker": _Starter.worker,
    "serve": _Starter.serve,
    "verify": _Starter.verify,
    "check": _Starter.check,
}


def _wait(process: Contestant, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _READY_S
    while not ready():
        process.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready after {_READY_S:.0f} s")
        time.sleep(_LOOK_S)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1.0) as answer:
        return bool(answer.status == 200)
    return False


def _ended(arguments: Sequence[str], home: Path) -> tuple[float, float]:
    started, before = time.monotonic(), _cpu_of_children()
    command = [sys.executable, "-m", "stream", *arguments]
    done = subprocess.run(command, cwd=home, env=as_installed(), capture_output=True, text=True, check=False)
    if done.returncode > 1:  # `check` exits with 1 for what is worth a warning
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return time.monotonic() - started, _cpu_of_children() - before


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if not (Path(folder) / "stream" / "__main__.py").is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER of a checkout")
    return name, Path(folder).absolute()


def main() -> None:
    """Start everything by turns; a table, and one line of JSON last."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each (default: 3)")
    parser.add_argument("--model", choices=[*MODELS, "both"], default="both")
    parser.add_argument("--only", default=",".join(_WAYS), help=f"of {', '.join(_WAYS)}")
    parser.add_argument(
        "--tree",
        type=_tree,
        action="append",
        default=[],
        help="NAME=FOLDER of another checkout; may be repeated",
    )
    options = parser.parse_args()
    end_all_on_sigterm()
    models = BOTH if options.model == "both" else (options.model,)
    trees = [*options.tree, ("this", ROOT)]
    found: list[Start] = []
    with kafka() as bootstrap, tempfile.TemporaryDirectory(prefix="start-") as folder:
        topics = Topics(bootstrap)
        starter = _Starter(topics, fill(topics, _EVENTS), Path(folder))
        starter.start("worker", models[0], *trees[-1])  # the broker's own first transaction takes seconds
        for turn in range(options.runs):
            for model in models:
                for what in options.only.split(","):
                    shift = turn % len(trees)
                    for tree, home in trees[shift:] + trees[:shift]:
                        found.append(starter.start(what, model, tree, home))
                        say(f"{turn + 1}/{options.runs} {found[-1]} load {os.getloadavg()[0]:.1f}")
    print(table(found))
    print(json.dumps([asdict(one) for one in found]))


if __name__ == "__main__":
    main()
