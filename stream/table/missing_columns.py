"""Columns that a table does not have: which the model needs, which have a default, which name was perhaps meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stream.codec import ABSENT, Record, find
from stream.errors import QueryError, SampleError
from stream.nearest import nearest
from stream.table.row_reader import names_of
from stream.types import Misfit

__all__ = ["Absent", "AnyOf", "absent_columns", "lacking", "quoted", "rows_lack"]

_SHOWN = 40
"""Names that a message lists: nobody reads a thousand of them in an error."""


@dataclass(frozen=True, slots=True)
class Absent:
    """
    A column that is not there.

    Attributes:
        name: as the model calls it; dotted within nested records.
        needed: whether rows can't be scored without it; else it has a default.
        default: its default, where it is not needed.
        near: the column with the nearest name among those that the model does not take; None where none is near.
        one_of: whether it is needed only because no other column of the model is there: one of them would do.
    """

    name: str
    needed: bool
    default: object = None
    near: str | None = None
    one_of: bool = False

    @property
    def defaulted(self) -> str:
        """A line for a log: it is not there, this default is taken, and that column was perhaps meant."""
        value = "null" if self.default is None else repr(self.default)
        hint = f"; did you mean {self.near!r}?" if self.near else ""
        return f"no column {self.name!r}: its default {value} is taken in every row{hint}"

    @property
    def renaming(self) -> str:
        """A hint for a column that is needed; empty where no name is near."""
        return f"rename {self.near!r} to {self.name!r}, if that is what it is" if self.near else ""


def absent_columns(record: Record, paths: Iterable[str], names: Collection[str]) -> list[Absent]:
    """
    Look for the model's columns in a table's header, as `ColumnReader` does in its rows.

    Args:
        record: the events' type.
        paths: dotted paths of the leaves that are looked for.
        names: of the table's columns; a nested field is in a struct of that name, or called by its dotted name.
    Returns: those that are not there, each once, in the order of the paths. The inside of a struct is not looked at.
        Where all have a default and none is there, they are needed: an answer from defaults alone is about nothing.
    """
    found: dict[str, Absent] = {}
    taken: set[str] = set()
    for path in paths:
        prefixes = [""]
        for step in find(record, path):
            prefixes = [f"{prefix}{name}" for prefix in prefixes for name in names_of(step)]
            if there := [prefix for prefix in prefixes if prefix in names]:
                taken.update(there)
                break
            dotted = tuple(f"{prefix}." for prefix in prefixes)
            if not any(name.startswith(dotted) for name in names):
                needed = step.default is ABSENT
                found.setdefault(prefixes[0], Absent(prefixes[0], needed, None if needed else step.default))
                break
            prefixes = list(dotted)
    free = [name for name in names if name not in taken]
    nothing = not taken and not any(each.needed for each in found.values())
    return [
        Absent(
            each.name,
            each.needed or nothing,
            None if nothing else each.default,
            next(iter(nearest(each.name, free, 0.7)), None),
            nothing,
        )
        for each in found.values()
    ]


class AnyOf:
    """
    Finds rows that name none of a model's fields, where each of them has a default: an answer from defaults alone would
    be about nothing.

    Args:
        record: the events' type.
        paths: dotted paths of those fields.
    """

    def __init__(self, record: Record, paths: Collection[str]) -> None:
        self._names = [one.name for one in absent_columns(record, paths, ()) if one.one_of]
        self._tops = frozenset(name for path in paths for name in names_of(find(record, path)[0]))
        self._dots = tuple(f"{name}." for name in self._tops)

    def misfit(self, row: Mapping[str, object]) -> Misfit | None:
        """What is wrong with a row that names none of the fields; None where it names one, or one has no default."""
        if not self._names or not self._tops.isdisjoint(row):
            return None
        labels = [str(key) for key in row]  # a frame's may be numbers
        if not self._tops.isdisjoint(labels) or any(label.startswith(self._dots) for label in labels):
            return None
        message = f"expected at least one of {quoted(self._names)}, found none"
        return Misfit(message, reason="missing_field")

    def check_some(self, place: str, rows: Iterable[Mapping[str, object]]) -> None:
        """
        Args:
            place: where the rows are from, for the message.
            rows: of a sample.
        Raises: SampleError when there are rows, and not one of them names a field.
        """
        misfit = None
        for row in rows:
            misfit = self.misfit(row)
            if misfit is None:
                return
        if misfit is not None:
            raise SampleError(
                f"{place}: in each of its rows: {misfit}", hint="give a sample that has the model's columns"
            )


def lacking(needed: Sequence[Absent], model: str) -> str:
    """The names of needed columns and the model (`name@version`) that needs them, as the middle of a sentence."""
    return _needing([each.name for each in needed], model, needed[0].one_of)


def _needing(names: Collection[str], model: str, one_of: bool) -> str:
    one_of = one_of and len(names) > 1
    return f"{quoted(names)}, {f'one of which {model} needs' if one_of else f'which {model} needs'}"


def quoted(names: Collection[str]) -> str:
    """Names as a list in a message; only the first of very many."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(map(repr, list(names)[:_SHOWN])) or "none") + more


def rows_lack(
    call: str, missing: Collection[str], model: str, names: Collection[str], hint: str, one_of: bool = False
) -> QueryError:
    """
    Args:
        call: of a function, as messages have it: `predict(f)`.
        missing: columns that the rows of a query lack.
        model: that needs them: `name@version`.
        names: of the columns that the rows have.
        hint: what to do.
        one_of: whether any one of the missing ones would do.
    Returns: the refusal of the query.
    """
    return QueryError(
        f"{call}: the rows lack {_needing(missing, model, one_of)}; they have {quoted(names)}", hint=hint
    )
