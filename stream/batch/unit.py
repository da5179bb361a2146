"""Units of work: what one process reads, scores and writes at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stream.files import Limits, Span

__all__ = ["Unit", "units_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """
    What becomes one part of the output.

    Attributes:
        number: its place, from 0; parts are named by it.
        spans: consecutive, of one file or of several small ones.
    """

    number: int
    spans: tuple[Span, ...]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(span.rows for span in self.spans)


def units_of(spans: Sequence[Span], limits: Limits) -> Iterator[Unit]:
    """
    Args:
        spans: of all inputs, in order.
        limits: how many rows and bytes a unit has, about.
    Returns: units that hold every span once, in order; small spans share a unit.
    """
    number, together, rows, size = 0, list[Span](), 0, 0
    for span in spans:
        if together and (rows + span.rows > limits.unit_rows * 1.25 or size > limits.unit_bytes):
            yield Unit(number, tuple(together))
            number, together, rows, size = number + 1, [], 0, 0
        together.append(span)
        rows, size = rows + span.rows, size + span.stop - span.start
    if together:
        yield Unit(number, tuple(together))
