"""A loaded model: columns of n rows in, answers and faults of n rows out, whatever the estimator does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from stream.errors import RecordError, class_name
from stream.manifest import Manifest
from stream.records import DeadLetter
from stream.scoring.answers import Answers, Reader, finite_rows, joined, to_arrow
from stream.scoring.direct import direct
from stream.scoring.estimator_input import Inputs
from stream.scoring.estimators import Estimator
from stream.scoring.isolation import Isolation
from stream.scoring.sklearn_settings import default_settings
from stream.scoring.ways import Trial
from stream.types import Misfit, dead_letter_of

__all__ = ["Model", "Scored"]

_THREADS = 1
"""
Threads of BLAS and OpenMP within a call. On a worker's batches more of them mostly spin: 2,000 rows of
histogram gradient boosting took 10 µs of CPU a row with one thread, 30 with two on two idle cores (for a fifth
less by the clock) and 90 with two on busy ones (and ten times as long by the clock). A worker scales by
processes, one per partition.
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """
    The answers for a batch of n rows.

    Attributes:
        rows: ascending indices of the rows that have an answer; `range(n)` where all have.
        columns: the answer's fields in the prediction's order (`label`, `score`, `probabilities`; or `value`,
            `labels`, `values`), each of length len(rows).
        models: `name@version` of the model that gave each answer, texts of length len(rows).
        faults: by index, why a row has none.
        misfits: by index, the faults for which a feature's value is one that the model's types can't hold; the
            field is the dotted path.
    """

    rows: Sequence[int]
    columns: dict[str, pa.Array]
    models: pa.Array
    faults: dict[int, DeadLetter] = field(default_factory=dict)
    misfits: dict[int, Misfit] = field(default_factory=dict)


class Model:
    """
    A fitted estimator under its contract.

    Args:
        estimator: anything with `predict`; it is never changed.
        manifest: says what it takes and what it answers.

    Attributes:
        ways: faster ways to the same answers, in the order in which they are asked (`stream.scoring.ways`).
    """

    def __init__(self, estimator: Estimator, manifest: Manifest) -> None:
        self.manifest = manifest
        self.estimator = estimator
        self._inputs = Inputs(manifest)
        found = direct(estimator, self._inputs, manifest)
        self.ways: tuple[Trial, ...] = () if found is None else (Trial(found, manifest),)
        self._reader = Reader(estimator, manifest)
        self._name = pa.scalar(manifest.model, pa.string())
        # Looks for the libraries that are loaded now: the estimator's own are, since it was unpickled.
        self._threads = ThreadpoolController()

    def with_probabilities(self) -> Model:
        """The same model with every class's probability among its answers, published or not, if it gives them."""
        gives = self.manifest.task == "classifier" and self.manifest.score == "predict_proba"
        return Model(self.estimator, replace(self.manifest, probabilities=gives))

    def score(self, columns: Mapping[str, pa.Array], n: int) -> Scored:
        """
        Score n rows.

        Args:
            columns: an array of length n for each feature's path; others are ignored.
            n: number of rows, ≥ 0.
        Returns: an answer or a fault for each row. A row that the model raises on, or has no finite answer
            for, is a fault of its own (stage `score`); so is one whose values the model's types can't hold
            (stage `contract`).
        Raises: MemoryError and the like only; never for any columns of the types that the manifest names.
        """
        if n == 0:
            return self._scored(range(0), None, {}, {})
        quick = self.score_quickly(columns, n)
        if quick is not None:
            return quick
        with self._threads.limit(limits=_THREADS), default_settings():
            answers, tried = self._by_ways(columns, n)
            if answers is not None:
                return self._settled([(np.arange(n), answers)], n, {}, {})
            scored = self._by_frame(columns, n)
        if tried and not scored.faults:
            wrong = [trial for trial, found in tried if not trial.judge(found, scored.columns)]
            self.ways = tuple(trial for trial in self.ways if trial not in wrong)
        return scored

    def score_quickly(self, columns: Mapping[str, pa.Array], n: int) -> Scored | None:
        """
        Score a few rows by a believed way that needs no preparation: 20 µs of it would be half of what a row takes.

        Args:
            columns: as for `score`.
            n: number of rows, ≥ 1.
        Returns: as `score`; None where the estimator has to be asked, which takes its time.
        """
        for trial in self.ways:
            if trial.passed and trial.way.light and trial.way.applies(n):
                answers = trial.way.read(columns)
                return None if answers is None else self._scored(range(n), answers, {}, {})
        return None

    def is_quick(self, n: int) -> bool:
        """Whether `score_quickly` has a way for n rows that takes a millisecond or two at most."""
        return any(trial.passed and n <= trial.way.quick_rows and trial.way.applies(n) for trial in self.ways)

    def _by_ways(
        self, columns: Mapping[str, pa.Array], n: int
    ) -> tuple[Answers | None, list[tuple[Trial, Answers]]]:
        """The answers of a way that is believed; else None, and what those on trial say."""
        tried: list[tuple[Trial, Answers]] = []
        for trial in self.ways:
            if trial.way.light:
                continue  # it was asked before
            if trial.passed and tried:
                break
            answers = trial.way.read(columns) if trial.way.applies(n) else None
            if answers is None:
                continue
            if trial.passed:
                return answers, []
            tried.append((trial, answers))
        return None, tried

    def _by_frame(self, columns: Mapping[str, pa.Array], n: int) -> Scored:
        """Any estimator, any row."""
        built = self._inputs.build(columns, n)
        answers: list[tuple[npt.NDArray[np.intp], Answers]] = []
        faults: dict[int, DeadLetter] = {}
        for rows, x in built.parts(n):
            isolation = Isolation(self._reader.read, x, rows)
            isolation.run()
            answers += isolation.answers
            faults |= isolation.faults
        if built.odd:
            answers = _in_order(answers)
        return self._settled(answers, n, faults, built.misfits)

    def _settled(
        self,
        parts: Sequence[tuple[npt.NDArray[np.intp], Answers]],
        n: int,
        raised: dict[int, DeadLetter],
        misfits: dict[int, Misfit],
    ) -> Scored:
        """Leave out the rows without a finite answer, and give the rest their types."""
        faults = raised | {i: dead_letter_of(misfit.each) for i, misfit in misfits.items()}
        if not parts:
            return self._scored([], None, faults, misfits)
        rows = np.concatenate([numbers for numbers, _ in parts])
        answers = joined([part for _, part in parts])
        good = finite_rows(answers)
        if not good.all():
            for i in rows[~good].tolist():
                faults[i] = DeadLetter(
                    "score", "not_finite", class_name(RecordError), "the model gave no finite answer"
                )
            rows = rows[good]
            answers = {name: values[good] for name, values in answers.items()}
        kept = range(n) if len(rows) == n else rows.tolist()
        return self._scored(kept, answers, faults, misfits)

    def _scored(
        self,
        rows: Sequence[int],
        answers: Answers | None,
        faults: dict[int, DeadLetter],
        misfits: dict[int, Misfit],
    ) -> Scored:
        models = pa.repeat(self._name, len(rows))
        return Scored(rows, to_arrow(answers, self.manifest), models, faults, misfits)


def _in_order(
    parts: Sequence[tuple[npt.NDArray[np.intp], Answers]],
) -> list[tuple[npt.NDArray[np.intp], Answers]]:
    """The answers of several frames, by their rows' numbers."""
    if not parts:
        return []
    rows = np.concatenate([numbers for numbers, _ in parts])
    answers, order = joined([part for _, part in parts]), np.argsort(rows)
    return [(rows[order], {name: values[order] for name, values in answers.items()})]
