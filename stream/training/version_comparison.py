"""The new model compared with the version in use, on the same held-out rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from stream.errors import SettingsError
from stream.manifest import Manifest
from stream.store import Package
from stream.table import TableScorer
from stream.training.intervals import Interval, bootstrap
from stream.training.model_metrics import HIGHER_IS_BETTER, Answers, Sheet
from stream.training.trained import Trained

__all__ = ["Compared", "Difference", "Verdict", "compare"]

Verdict: TypeAlias = Literal["better", "worse", "no clear difference"]
"""On the new model: clear where the interval of the difference lies wholly on one side of zero."""

_CHUNK_ROWS = 16_000
"""Rows that are scored at once; memory grows with them."""

_SKIP = "give --no-compare to pack without, or --compare PACKAGE for another one"


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of both: the version in use, the new model, new − in use, and that difference's interval."""

    used: float
    new: float
    difference: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Compared:
    """
    The new model compared with another.

    Attributes:
        model: `name@version` of the version in use.
        judge: the metric that decides.
        verdict: of the new model.
        metrics: by name.
        rows: held-out rows that both have an answer for: those compared on.
        unscored: held-out rows that the version in use has no answer for, left out here.
        caveat: why the comparison may flatter the version in use; empty when neither has seen the rows.
    """

    model: str
    judge: str
    verdict: Verdict
    metrics: Mapping[str, Difference]
    rows: int
    unscored: int
    caveat: str

    @property
    def sentence(self) -> str:
        """The verdict, in one plain sentence."""
        judged = self.metrics[self.judge]
        ends = judged.interval
        between = f" (95 % interval {ends[0]:+.4g} to {ends[1]:+.4g})" if ends else ""
        difference = f"a difference of {judged.difference:+.4g}{between}"
        figures = f"{self.judge} {judged.new:.4g} against {judged.used:.4g}, {difference}"
        better = "higher" if HIGHER_IS_BETTER[self.judge] else "lower"
        return {
            "better": f"Better than {self.model}: {figures}; {better} is better.",
            "worse": f"Worse than {self.model}: {figures}; {better} is better.",
            "no clear difference": f"No clear difference from {self.model}: {figures}.",
        }[self.verdict]


def compare(trained: Trained, package: Package) -> Compared:
    """
    Score the held-out rows with another version, through its own contract, and compare.

    Args:
        trained: the new model, with its held-out rows.
        package: the version in use, opened.
    Returns: metrics of both on the rows that both can score, with the paired bootstrap's intervals.
    Raises: SettingsError when the two predict different things, or the other can't score a single row.
    Blocks: for scoring, and 1,000 resamples.
    """
    manifest = package.manifest
    _check_alike(trained, manifest)
    answers, scored = _answers(package, trained.held_out)
    new = Sheet(trained.sheet.answers.rows(scored), trained.sheet.truth[scored])
    used = Sheet(answers, trained.sheet.truth[scored])

    ours, theirs = new.figures(), used.figures()
    names = [name for name in ours if name in theirs and name in HIGHER_IS_BETTER]

    def both(weights: np.ndarray) -> dict[str, np.ndarray]:
        one, other = new.weighed(weights), used.weighed(weights)
        return {name: one[name] - other[name] for name in names}

    intervals = bootstrap(both, np.unique(trained.units[scored], return_inverse=True)[1], trained.seed)
    if trained.judge not in names:
        raise SettingsError(
            f"{manifest.model} has no {trained.judge} on these rows: {', '.join(names)} can be compared",
            hint=f"set JUDGE to one of them, or {_SKIP}",
        )
    metrics = {
        name: Difference(theirs[name], ours[name], ours[name] - theirs[name], intervals.get(name))
        for name in names
    }
    verdict = _verdict(trained.judge, metrics[trained.judge])
    unscored = len(trained.held_out) - len(scored)
    return Compared(
        manifest.model, trained.judge, verdict, metrics, len(scored), unscored, _caveat(trained, manifest)
    )


def _verdict(judge: str, judged: Difference) -> Verdict:
    if judged.interval is None:
        return "no clear difference"
    low, high = judged.interval if HIGHER_IS_BETTER[judge] else (-judged.interval[1], -judged.interval[0])
    return "better" if low > 0 else "worse" if high < 0 else "no clear difference"


def _check_alike(trained: Trained, manifest: Manifest) -> None:
    answers = trained.sheet.answers
    ours = None if answers.classes is None else answers.classes.tolist()
    theirs = None if manifest.classes is None else list(manifest.classes)
    if manifest.task != answers.kind or ours != theirs:
        new = answers.kind if ours is None else f"{answers.kind} of {ours}"
        used = manifest.task if theirs is None else f"{manifest.task} of {theirs}"
        raise SettingsError(
            f"{manifest.model} can't be compared with the new model: one is a {used}, the other a {new}",
            hint=_SKIP,
        )


def _answers(package: Package, rows: pd.DataFrame) -> tuple[Answers, np.ndarray]:
    """The version's own answers, and the positions of the rows that have one."""
    scorer = TableScorer(package.model.with_probabilities(), package.features, carry=False)
    needed = rows[scorer.wanted(list(rows.columns))]
    tables: list[pa.RecordBatch] = []
    positions: list[np.ndarray] = []
    reason = ""
    for start in range(0, len(needed), _CHUNK_ROWS):
        scored = scorer.score(_arrow(needed.iloc[start : start + _CHUNK_ROWS], package.manifest))
        tables.append(scored.predictions)
        positions.append(start + np.array(scored.rows, int))
        reason = reason or next((fault.message for fault in scored.faults.values()), "")
    which = np.concatenate(positions)
    if not len(which):
        raise SettingsError(
            f"{package.manifest.model} can't score any of the held-out rows: {reason}", hint=_SKIP
        )
    return _as_answers(package.manifest, pa.Table.from_batches(tables)), which


def _arrow(rows: pd.DataFrame, manifest: Manifest) -> pa.Table:
    try:
        return pa.Table.from_pandas(rows, preserve_index=False)
    except pa.ArrowException as error:
        raise SettingsError(
            f"the held-out rows can't be made a table for {manifest.model}: {error}", hint=_SKIP
        ) from error


def _as_answers(manifest: Manifest, table: pa.Table) -> Answers:
    if manifest.task == "regressor":
        return Answers("regressor", table["value"].to_numpy())
    label = table["label"].to_pandas().to_numpy()
    probabilities = None
    if "probabilities" in table.column_names:
        probabilities = np.array(table["probabilities"].to_pylist(), dtype=float)
    return Answers("classifier", label, np.array(manifest.classes), probabilities)


def _caveat(trained: Trained, manifest: Manifest) -> str:
    """Whether the version in use may have learned from rows that it is judged by here."""
    then, now = manifest.metrics, trained.facts
    flatters = f"; its figures may flatter it: {manifest.model}"
    if now["split"] == "time" and "trained_until" in then:
        until, begin = _moment(then["trained_until"]), _moment(now["held_out_from"])
        if (isinstance(until, float) and isinstance(begin, float)) or (
            isinstance(until, pd.Timestamp) and isinstance(begin, pd.Timestamp)
        ):
            later = until >= begin  # type: ignore[operator]  # of one type, as was just asked
            text = f"{manifest.model} learned from rows until {then['trained_until']}, these begin at "
            return f"{text}{now['held_out_from']}: its figures may flatter it" if later else ""
    same = ("rows_sha256", "split", "split_by", "hold_out", "seed")
    if all(name in then and then[name] == now.get(name) for name in same if name in now):
        return ""
    return f"it is not known which rows it learned from{flatters} may have seen some of these"


def _moment(value: object) -> pd.Timestamp | float | None:
    try:
        return float(str(value))
    except ValueError:
        pass
    try:
        found = pd.Timestamp(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.tz_localize("UTC")
