"""Which rows a model raises on: found by asking for groups, so that their neighbours keep their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from stream.records import DeadLetter
from stream.scoring.answers import Answers
from stream.scoring.attempt import Raised, attempt
from stream.scoring.estimator_input import X, taken

__all__ = ["Isolation"]


@dataclass(slots=True)
class Isolation:
    """
    Asks a model for n rows, group by group where it raises.

    Attributes:
        ask: the model; raises for a group with a guilty row.
        x: the rows.
        numbers: the rows' numbers in the batch, ascending.
        answers: what was answered, by consecutive groups: their numbers and answers.
        faults: by number, what a row raised when asked alone.
    """

    ask: Callable[[X], Answers]
    x: X
    numbers: npt.NDArray[np.intp]
    answers: list[tuple[npt.NDArray[np.intp], Answers]] = field(default_factory=list)
    faults: dict[int, DeadLetter] = field(default_factory=dict)

    def run(self) -> None:
        """
        Fill `answers` and `faults`.

        Generalised binary splitting (Hwang 1972): ask for a group; where it raises, halve it to its first
        guilty row; go on behind that with a group twice as long as the last gap between guilty rows. One
        guilty row among n costs about 2·log2 n calls; n of them n + log2 n, since the groups shrink to single
        rows at once. That is the minimum, since a row is called guilty only after it was asked alone.
        """
        start, size, n = 0, len(self.numbers), len(self.numbers)
        while start < n:
            stop, raised = self._first_guilty(start, min(start + size, n))
            size = max(1, 2 * (stop - start))
            if raised is not None:
                self.faults[int(self.numbers[stop])] = raised.fault()
                stop += 1
            start = stop

    def _first_guilty(self, start: int, stop: int) -> tuple[int, Raised | None]:
        """The first row that raises when alone, and what; (where it got to, None) if none does."""
        raised = self._group(start, stop)
        if raised is None:
            return stop, None
        while stop - start > 1:
            middle = (start + stop) // 2
            first = self._group(start, middle)
            if first is not None:
                stop, raised = middle, first
            else:  # so the second half is guilty; what it raises alone isn't known yet
                start, raised = middle, None
        if raised is None:
            raised = self._group(start, stop)
        return (start, raised) if raised is not None else (stop, None)

    def _group(self, start: int, stop: int) -> Raised | None:
        """Ask for the rows start … stop and keep their answers."""
        whole = start == 0 and stop == len(self.numbers)
        x = self.x if whole else taken(self.x, slice(start, stop))
        answer = attempt(partial(self.ask, x))
        if isinstance(answer, Raised):
            return answer
        self.answers.append((self.numbers[start:stop], answer))
        return None
