"""
Which rows a query gives a model's functions, known before it runs.

Spark calls a function on its executors, long after a query has begun; what it is called with is in the analyzed plan:
each call is a `PythonUDF` there, whose one argument has a type.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["Called", "called_with"]

_CALL = "PythonUDF"


class Called(NamedTuple):
    """
    A call of a function.

    Attributes:
        function: its name.
        columns: of the row that it is called with; None where that is not a row.
        kind: what Spark calls the argument's type.
    """

    function: str
    columns: tuple[str, ...] | None
    kind: str


def called_with(frame: DataFrame, functions: Collection[str]) -> list[Called]:
    """
    Args:
        frame: a query, not run.
        functions: names of functions that take one row.
    Returns: their calls, wherever in the query they are; none where Spark is elsewhere (Spark Connect), and keeps its
        plans to itself.
    """
    java = getattr(frame, "_jdf", None)
    if java is None:
        return []
    plan = java.queryExecution().analyzed()
    return [
        _called(each)
        for each in _expressions(plan)
        if each.getClass().getSimpleName() == _CALL and each.name() in functions
    ]


def _called(call: Any) -> Called:
    kind = json.loads(call.children().apply(0).dataType().json())
    if isinstance(kind, dict) and kind["type"] == "struct":
        return Called(call.name(), tuple(field["name"] for field in kind["fields"]), "struct")
    return Called(call.name(), None, kind if isinstance(kind, str) else kind["type"])


def _expressions(plan: Any) -> Iterator[Any]:
    """All of a plan's expressions, those of subqueries too."""
    for expression in _items(plan.expressions()):
        yield from _within(expression)
    for child in _items(plan.children()):
        yield from _expressions(child)


def _within(expression: Any) -> Iterator[Any]:
    yield expression
    if _is_subquery(expression.getClass()):
        yield from _expressions(expression.plan())
    for child in _items(expression.children()):
        yield from _within(child)


def _is_subquery(kind: Any) -> bool:
    """Whether a class of Spark's is of expressions with a plan of their own: in SELECT, IN, EXISTS, LATERAL."""
    while kind is not None:
        if kind.getSimpleName() == "SubqueryExpression":
            return True
        kind = kind.getSuperclass()
    return False


def _items(found: Any) -> list[Any]:
    """A sequence of Scala's."""
    return [found.apply(i) for i in range(found.length())]
