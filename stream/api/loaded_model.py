"""A model package as an object: rows in, their predictions out, in the kind of table that they came in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from stream.api.contract_view import Contract
from stream.api.given_rows import GivenRows, GivenTable, read_given
from stream.api.predicted import Predicted
from stream.codec import RecordSchema
from stream.errors import InputError
from stream.manifest import Manifest
from stream.scoring import carried_names
from stream.store import Package
from stream.table import Absent, ScoredTable, TableScorer, absent_columns, lacking, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Model"]

log = logging.getLogger(__name__)

_PART_ROWS = 16_384
"""Rows of a table that are scored at a time, so that memory does not grow with it; a file's are taken alike."""

_HEADERS = 100
"""Different sets of keys that are looked at for missing names; a program's rows have a handful."""

_TURN = threading.RLock()
"""
Calls of several threads take turns, of any model: the threads of BLAS and OpenMP are limited while one is asked, for
the whole process, and not every estimator may be asked by two threads at once.
"""


class Model:
    """
    A version of a model package, opened: `stream.load` and `stream.pack` give it.

    May be used by several threads at once; their calls take turns. It stays the version that it is when a newer one
    is packed.

    Attributes:
        name: the model's name.
        version: the package's version.
        manifest: what the version says of itself: features, classes, training metrics, libraries.
        path: the version's folder.
        notes: what is worth saying, such as library versions that differ from those at pack time.
        messages: what `stream.pack` inferred, chosen or left out, a sentence each; empty for a loaded one.
    """

    def __init__(self, package: Package, messages: Sequence[str] = ()) -> None:
        """
        Args:
            package: the opened version.
            messages: of its packing.
        """
        self.manifest: Manifest = package.manifest
        self.name, self.version = package.manifest.name, package.manifest.version
        self.path, self.notes, self.messages = package.path, package.notes, tuple(messages)
        self._schema = RecordSchema(package.features)
        self._scorer = TableScorer(package.model, self._schema, optional=True)
        carried = carried_names(self.manifest.carry).items()
        self._predicted = Predicted(
            self._scorer.schema, {name: self._schema.leaf(path).type for path, name in carried}
        )
        self._paths = [feature.path for feature in package.manifest.features]
        self._told: set[tuple[str, str | None]] = set()
        self._seen: set[tuple[str, ...]] = set()

    @overload
    def predict(self, X: pd.DataFrame) -> pd.DataFrame: ...  # noqa: N803
    @overload
    def predict(self, X: Mapping[str, object]) -> dict[str, Any]: ...  # noqa: N803
    @overload
    def predict(self, X: Sequence[Mapping[str, object]]) -> list[dict[str, Any]]: ...  # noqa: N803
    @overload
    def predict(self, X: Any) -> Any: ...  # noqa: N803

    def predict(self, X: Any) -> Any:  # noqa: N803  # scikit-learn's name
        """
        Ask the model.

        Args:
            X: n ≥ 0 rows: a pandas or polars DataFrame, an Arrow table or record batch, a list of dicts; or one row
                as a dict. Columns are found by the names that the model knows, or by their Avro names; others are
                ignored. It is never changed.
        Returns: the same kind, with a row for each row: the carried fields (null where the rows have none), the
            answer, `model`, and `error`: null, or why the row has no prediction, all of which is null then. A
            DataFrame keeps its index.
        Raises: InputError when X is none of these kinds, or a table lacks a column that has no default, or has two of
            one name; nothing was scored then. Never for any values: those are the row's own `error`.
        Blocks while the model works.
        """
        given = read_given(X)
        if isinstance(given, GivenRows):
            for row in given.rows:
                self._tell(tuple(row))
            with _TURN:
                scored = self._scorer.score_rows(given.rows)
            return given.back(self._predicted, scored)
        self._check_columns(given)
        return given.back(self._predicted, self._score_table(given))

    def explain_contract(self) -> Contract:
        """What it takes and what it answers: print it, or look at it in a notebook."""
        return Contract(self.manifest, self._schema, (*self.notes, *self.messages))

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError(
            f"{self!r} can't be pickled or copied: send its path, and stream.load it there, which checks its hashes"
        )

    def __repr__(self) -> str:
        return f"<stream.Model {self.manifest.model}: {self.manifest.task}>"

    def _repr_html_(self) -> str:
        return self.explain_contract().html

    def _score_table(self, given: GivenTable) -> list[ScoredTable]:
        wanted = self._scorer.wanted(given.names)
        given.check_unique(wanted)
        parts = []
        for start in range(0, max(given.count, 1), _PART_ROWS):
            part = given.part(wanted, start, _PART_ROWS)
            with _TURN:
                rows = isinstance(part, list)
                parts.append(self._scorer.score_rows(part) if rows else self._scorer.score(part))
        return parts

    def _check_columns(self, given: GivenTable) -> None:
        """Whether a table's header has what the model needs. A default that is taken is said once."""
        absent = absent_columns(self._schema.root, self._paths, given.names)
        if needed := [one for one in absent if one.needed]:
            raise _refusal(needed, given, self.manifest.model)
        self._tell_each(absent)

    def _tell(self, names: tuple[str, ...]) -> None:
        """The same of a row's keys, the first time that they come: a needed one is the row's own error."""
        if names not in self._seen and len(self._seen) < _HEADERS:
            self._seen.add(names)
            absent = absent_columns(self._schema.root, self._paths, names)
            self._tell_each([one for one in absent if not one.needed])

    def _tell_each(self, absent: Sequence[Absent]) -> None:
        """Loud where another name was perhaps meant."""
        for one in absent:
            if (one.name, one.near) not in self._told:
                self._told.add((one.name, one.near))
                level = logging.WARNING if one.near else logging.INFO
                log.log(level, "%s: %s", self.manifest.model, one.defaulted)


def _refusal(needed: Sequence[Absent], given: GivenTable, model: str) -> InputError:
    indexed = [one.name for one in needed if one.name in given.index_names]
    hints = [f"{quoted(indexed)} is in the index: use X.reset_index()"] if indexed else []
    hints += [one.renaming for one in needed if one.near]
    return InputError(
        f"X has no column {lacking(needed, model)}; there are {quoted(given.names)}",
        hint="; ".join(hints[:3]) or "give all columns that `explain_contract()` lists",
    )
