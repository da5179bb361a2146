"""A whole training: run the recipe, compare, render the card, pack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd

from stream.errors import PackageError
from stream.manifest import Manifest
from stream.store import (
    CARD,
    Package,
    Packed,
    PackRequest,
    SigningKey,
    Trust,
    open_package,
    pack,
    rehearse,
    versions,
)
from stream.training.card import card_of, check_libraries
from stream.training.listener import SILENT, Listener
from stream.training.recipe import Recipe
from stream.training.recipe_run import run_recipe
from stream.training.rehearsal import Rehearse
from stream.training.trained import Step, Trained
from stream.training.training_key import RUN_KEY
from stream.training.version_comparison import Compared, compare

__all__ = ["Done", "Job", "Requirement", "run_job"]

Requirement: TypeAlias = Literal["better", "not-worse"]
"""What the comparison must say for the model to be packed."""


@dataclass(frozen=True, slots=True)
class Job:
    """
    A training to be run.

    Attributes:
        recipe: the recipe.
        out: the package's folder; None for `models/NAME`.
        against: the package to compare with; None for `out`'s current version, if it has one.
        compare: whether to compare at all.
        require: what the comparison must say.
        card: whether the package gets a card.
        signer: signs the version.
        allow_difference: pack it even if what would be published differs from the estimator's own answers.
        key: names the work, of which the package gets one version (`trained_once`); empty for none.
    """

    recipe: Recipe
    out: Path | None = None
    against: Path | None = None
    compare: bool = True
    require: Requirement | None = None
    card: bool = True
    signer: SigningKey | None = None
    allow_difference: bool = False
    key: str = ""

    @property
    def request(self) -> PackRequest:
        """The request to pack, without what a training adds."""
        recipe = self.recipe
        return PackRequest(
            name=recipe.name,
            out=self.out,
            carry=recipe.carry,
            probabilities=recipe.probabilities,
            allow_difference=self.allow_difference,
            signer=self.signer,
        )


@dataclass(frozen=True, slots=True)
class Done:
    """
    The outcome of a job.

    Attributes:
        trained: the model.
        compared: with the version in use; None where there was none, or no comparison was asked for.
        packed: the new version; None when the comparison did not say what was required.
        card: the card's bytes; None when none was asked for.
    """

    trained: Trained
    compared: Compared | None
    packed: Packed | None
    card: bytes | None


def run_job(
    job: Job,
    trust: Callable[[], Trust] = Trust,
    tell: Callable[[Step], None] = lambda _: None,
    listener: Listener = SILENT,
) -> Done:
    """
    Run a job: 1 check what it needs, 2 run the recipe, 3 compare, 4 draw the card, 5 pack.

    Args:
        job: what to do.
        trust: whose versions may be opened; called when there is a version to compare with.
        tell: called after each step.
        listener: told of each event; the manifest takes its facts.
    Returns: the outcome; when the requirement isn't met, nothing was written.
    Raises: as `run_recipe`, `compare` and `pack`; nothing was written then.
    Blocks: for the whole training.
    """
    if job.card:  # 1
        check_libraries()
    used = _used(job, trust)
    trained = run_recipe(job.recipe, tell, _rehearsal(job), listener)  # 2
    listener.trained(trained)
    compared = None
    if used is not None:  # 3
        tell(Step(f"comparing with {used.manifest.model}"))
        compared = compare(trained, used)
        listener.compared(compared)
    if job.card:  # 4
        tell(Step("drawing the card"))
        card = card_of(trained, compared)
        listener.drawn(card)
    if not _met(job.require, compared):
        page = card.html() if job.card else None
        listener.turned_down(str(job.require), page)
        return Done(trained, compared, None, page)
    made: dict[str, bytes] = {}

    def attach(manifest: Manifest) -> dict[str, bytes]:
        made[CARD] = card.html(manifest)
        return made

    key = {RUN_KEY: job.key} if job.key else {}
    metrics = {**trained.metrics, **key, **listener.facts}
    request = replace(job.request, metrics=metrics, attach=attach if job.card else None)
    packed = pack(trained.estimator, request, schema=trained.schema, sample=trained.sample)  # 5
    listener.packed(packed, made.get(CARD))
    return Done(trained, compared, packed, made.get(CARD))


def _rehearsal(job: Job) -> Rehearse:
    """Packing without writing; a refusal says that it came before the search."""

    def packs(estimator: Any, schema: str, rows: pd.DataFrame) -> None:
        try:
            rehearse(estimator, job.request, schema=schema, sample=rows)
        except PackageError as error:
            raise PackageError(
                f"{job.recipe.path}: tried on {len(rows)} rows before the search: {error.message}",
                step=error.step,
                hint=error.hint,
            ) from error

    return packs


def _used(job: Job, trust: Callable[[], Trust]) -> Package | None:
    """The version in use, opened before the training, so that an unusable one is refused at once."""
    folder = job.against or job.request.folder
    if not job.compare or (job.against is None and not versions(folder)):
        return None
    try:
        return open_package(folder, trust=trust())
    except PackageError as error:
        raise PackageError(
            f"the version to compare with: {error.message}",
            step=error.step,
            hint="give --no-compare to train without, or --compare PACKAGE for another one",
        ) from error


def _met(require: Requirement | None, compared: Compared | None) -> bool:
    """A first version has nothing to be better than."""
    if require is None or compared is None:
        return True
    return compared.verdict == "better" if require == "better" else compared.verdict != "worse"
