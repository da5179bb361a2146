"""The columns on their way through a graph: matrices side by side, and where each of their columns is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from stream.compiled.engine_layout import Lexicon
from stream.compiled.onnx_graph import Graph, Unsupported, Value
from stream.manifest import NullText

__all__ = ["Block", "Element", "Origin", "Table", "number_block"]


Element: TypeAlias = Literal["double", "float32", "narrow"]


@dataclass(frozen=True, slots=True)
class Origin:
    """
    What a column of a matrix was in the event: value = (event's - shift) / scale, as far as that goes without rounding.

    Attributes:
        place: of the feature; of a vector, of its item.
        shift: subtracted.
        scale: divided by.
    """

    place: int
    shift: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Block:
    """
    A matrix of the graph.

    Attributes:
        value: the tensor, shape (n, width); doubles or texts.
        origins: of each column; None where it is none of the event's.
        text: whether it is texts, or the codes of values in a lexicon.
        missing: of texts, what an empty one stands for; None where it stands for itself. Of codes, what a missing
            value is to the estimator.
        element: of numbers, the type that the estimator has them in, which decides in what its steps compute; `narrow`
            is one that float32 holds: booleans, short integers.
        lexicon: of codes.
    """

    value: Value
    origins: tuple[Origin | None, ...]
    text: bool = False
    missing: NullText | None = None
    element: Element = "double"
    lexicon: Lexicon | None = None

    @property
    def width(self) -> int:
        """Its number of columns."""
        return len(self.origins)

    def taken(self, graph: Graph, columns: Sequence[int]) -> Block:
        """Some of its columns."""
        if list(columns) == list(range(self.width)):
            return self
        return replace(
            self,
            value=graph.taken(self.value, columns),
            origins=tuple(self.origins[column] for column in columns),
        )


@dataclass(frozen=True, slots=True)
class Table:
    """
    What a step of a pipeline is given.

    Attributes:
        blocks: side by side.
        names: of all columns; None where they have none.
    """

    blocks: tuple[Block, ...]
    names: tuple[str, ...] | None = None

    @property
    def width(self) -> int:
        """Its number of columns."""
        return sum(block.width for block in self.blocks)

    @property
    def origins(self) -> tuple[Origin | None, ...]:
        """Of all columns."""
        return tuple(origin for block in self.blocks for origin in block.origins)

    def taken(self, graph: Graph, columns: Sequence[int]) -> Table:
        """
        Some of its columns.

        Args:
            graph: where they are made.
            columns: their places, in the order that is wanted.
        """
        homes = [(number, place) for number, block in enumerate(self.blocks) for place in range(block.width)]
        runs: list[tuple[int, list[int]]] = []
        for column in columns:
            number, place = homes[column]
            if runs and runs[-1][0] == number:
                runs[-1][1].append(place)
            else:
                runs.append((number, [place]))
        names = None if self.names is None else tuple(self.names[column] for column in columns)
        return Table(tuple(self.blocks[number].taken(graph, places) for number, places in runs), names)

    def matrix(self, graph: Graph) -> Block:
        """
        All of it as one matrix of doubles.

        Raises: Unsupported where a column is texts, or there is none.
        """
        if not self.blocks:
            raise Unsupported("it has no columns")
        if any(block.text for block in self.blocks):
            raise Unsupported("it is given texts that nothing encodes")
        value = graph.joined([block.value for block in self.blocks])
        return Block(value, self.origins, element=_common({block.element for block in self.blocks}))


def _common(elements: set[Element]) -> Element:
    """The type that NumPy finds for several."""
    return "float32" if "float32" in elements and "double" not in elements else "double"


def number_block(value: Value, width: int) -> Block:
    """A matrix of doubles of which no column is one of the event's."""
    return Block(value, (None,) * width)
