"""
A training as a run of an MLflow experiment.

1. Before anything is trained the run is begun and the recipe is logged: a server that does not answer, or files that
   it can't store, are found out now and not after hours.
2. What the training tells is logged meanwhile (`RunLog`); the training waits for none of it.
3. At the end, however it comes, the run is ended. What could not be logged is said; the package is written by then.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from types import FrameType
from typing import TYPE_CHECKING

from stream.errors import StreamError
from stream.mlflow import Figure, RunLog, Status, begin_run, client
from stream.settings import Settings
from stream.store import MANIFEST
from stream.training import run_content as content
from stream.training import run_tags
from stream.training.listener import Listener
from stream.training.recipe import Recipe, first_line
from stream.training.trained import Step

if TYPE_CHECKING:
    import pandas as pd

    from stream.store import Packed
    from stream.training.card import Card
    from stream.training.search import Candidate, Trial
    from stream.training.trained import Metrics, Trained
    from stream.training.version_comparison import Compared

__all__ = ["Tracked", "tracked"]

PATIENCE_S: Mapping[Status, tuple[float, float]] = {
    "FINISHED": (300, 30),
    "FAILED": (30, 10),
    "KILLED": (5, 3),
}
"""How long the end waits for what is not logged yet: in all, and for a server that takes nothing. Whoever kills a
training has little time."""

_TOLD = 20
"""Things still to be logged at the end of which it is said that they are waited for."""

_NAMED = 6
"""Of the things that could not be logged for one reason, those that are named."""

_REASON_CHARS = 1_000
"""Of the message of a failure that the run gets as a tag."""


@dataclass(slots=True)
class Tracked(Listener):
    """
    What a training tells, logged to a run.

    Attributes:
        log: of the run.
        recipe: that is trained.
        lost: what could not be logged, a sentence each; known at the end.
    """

    log: RunLog
    recipe: Recipe
    lost: list[str] = field(default_factory=list)

    @property
    def facts(self) -> Mapping[str, str]:
        """The run, by which it can be found again from the package."""
        begun = self.log.begun
        return {
            "mlflow_run_id": begun.id,
            "mlflow_experiment": begun.experiment,
            "mlflow_tracking_uri": begun.place,
        }

    def split(self, recipe: Recipe, training: pd.DataFrame, facts: Metrics) -> None:
        """The rows' counts and hashes, and the dataset."""
        self.log.note("the rows' parameters", content.row_params(recipe, facts))
        self.log.data(content.data_note(recipe, training, facts))

    def trying(self, trial: Trial) -> None:
        """A nested run for each candidate of several."""
        if trial.of > 1:
            self.log.begin(
                trial.number, f"candidate {trial.number} of {trial.of}", content.candidate_tags(self.recipe)
            )
            params = content.candidate_params(self.recipe, trial.params)
            self.log.note("a candidate's parameters", params, nested=trial.number)

    def tried(self, candidate: Candidate) -> None:
        """Its scores; of several, also a point of the search's curve."""
        nested = candidate.number if candidate.of > 1 else None
        self.log.note("a candidate's scores", figures=content.candidate_figures(candidate), nested=nested)
        if nested is not None:
            self.log.end(nested, "FINISHED")
            score = Figure("candidate_score", candidate.score, candidate.number)
            self.log.note("the search's curve", figures=[score])

    def trained(self, trained: Trained) -> None:
        """The chosen estimator's parameters and its metrics."""
        if len(trained.candidates) > 1:
            best = trained.candidates[0].number
            self.log.note("which candidate was chosen", tags={run_tags.CHOSEN: "true"}, nested=best)
        self.log.note("the estimator's parameters", content.model_params(trained))
        self.log.note("the metrics", figures=content.trained_figures(trained))

    def compared(self, compared: Compared) -> None:
        """The differences and the verdict."""
        figures, tags = content.comparison_figures(compared), content.comparison_tags(compared)
        self.log.note("the comparison", figures=figures, tags=tags)

    def drawn(self, card: Card) -> None:
        """Plots, and the metrics of parts of the rows."""
        for path, svg in content.plots(card):
            self.log.file(path, svg)
        self.log.note("the metrics of parts of the rows", figures=content.slice_figures(card))
        table = content.slices_table(card)
        if table is not None:
            self.log.file("slices.json", table)
            self.log.note("the table of parts", tags={"mlflow.loggedArtifacts": _TABLE})

    def packed(self, packed: Packed, card: bytes | None) -> None:
        """The manifest, the card, and which package it is."""
        manifest = (packed.package.path / MANIFEST).read_bytes()
        self.log.rename(packed.package.manifest.model)
        self.log.note(
            "the package",
            content.package_params(packed),
            tags=content.package_tags(packed, sha256(manifest).hexdigest()),
        )
        self.log.file(MANIFEST, manifest)
        if card is not None:
            self.log.file("card.html", card)

    def turned_down(self, requirement: str, card: bytes | None) -> None:
        """Why there is no package."""
        self.log.note("the requirement", tags={run_tags.NOT_PACKED: f"--require {requirement} does not hold"})
        if card is not None:
            self.log.file("card.html", card)


_TABLE = '[{"path": "slices.json", "type": "table"}]'
"""By this tag MLflow's pages know a file as a table."""


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a training as Ctrl-C does."""


@contextmanager
def tracked(
    recipe: Recipe, settings: Settings, experiment: str | None, tell: Callable[[Step], None]
) -> Iterator[Tracked]:
    """
    Begin a run, log to it what is told in this block, and end it with the block: finished, failed or killed.

    Args:
        recipe: that is trained.
        settings: name the server.
        experiment: its name; None for MLFLOW_EXPERIMENT_NAME, else the recipe's NAME.
        tell: called with what is worth saying.
    Raises: before the block Retriable when the server does not answer, BrokerRefused when it refuses, SettingsError
        when it has no such experiment any more, or can't store files.
    Blocks: at the end, for up to five minutes while the server takes what is left.
    """
    name = experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or recipe.name
    with _terminating(), client(settings) as server:
        begun = begin_run(server, name, recipe.name, content.first_tags(recipe))
        log = RunLog(server, begun)
        run = Tracked(log, recipe)
        status: Status = "FAILED"
        try:
            log.store(f"recipe/{recipe.path.name}", recipe.path.read_bytes())
            log.note("the recipe's parameters", content.plan_params(recipe))
            tell(Step(f"tracked in the experiment {name}: {begun.url or f'run {begun.id} at {begun.place}'}"))
            yield run
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        except Exception as error:
            reason = error.message if isinstance(error, StreamError) else first_line(error)
            log.note("the failure", tags={run_tags.FAILURE: reason[:_REASON_CHARS]})
            raise
        finally:
            if log.waiting > _TOLD:
                tell(Step(f"waiting for the MLflow server: {log.waiting:,} things are still to be logged"))
            run.lost += _sentences(log.close(status, *PATIENCE_S[status]))
            if status != "FINISHED" or run.lost:
                tell(
                    Step(f"run {begun.id} has ended as {status}" + "".join(f"; {text}" for text in run.lost))
                )


def _sentences(lost: Mapping[tuple[str, str], int]) -> list[str]:
    """One for each reason."""
    found: dict[str, list[str]] = {}
    for (what, why), count in lost.items():
        found.setdefault(why, []).append(f"{what} ({count} times)" if count > 1 else what)
    return [
        f"not logged: {', '.join(names[:_NAMED])}"
        + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        + f": {why}"
        for why, names in found.items()
    ]


@contextmanager
def _terminating() -> Iterator[None]:
    """In this block SIGTERM acts as Ctrl-C; after it, the process ends by SIGTERM as it would have at once."""
    usual = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not usual:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    except _Terminated:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
