"""What a graph is tried at: every threshold of the trees, in the event's own numbers."""

from __future__ import annotations

import numpy as np
import pytest

from stream.compiled.tensor_table import Origin
from stream.compiled.thresholds import Thresholds
from stream.compiled.tree_ensemble import Tree


def _tree(*asked: tuple[int, float]) -> Tree:
    """A chain of nodes, each with a leaf on its right; leaves have a column and a threshold too, which mean nothing."""
    n = len(asked)
    return Tree(
        feature=np.array([column for column, _ in asked] + [0] * (n + 1)),
        threshold=np.array([edge for _, edge in asked] + [-99.0] * (n + 1)),
        left=np.array([*range(1, n + 1), *[-1] * (n + 1)]),
        right=np.array([*range(n + 1, 2 * n + 1), *[-1] * (n + 1)]),
        missing_left=np.zeros(2 * n + 1, np.bool_),
        values=np.zeros((2 * n + 1, 1)),
    )


@pytest.mark.parametrize("ensembles", [1, 2], ids=["together", "one after the other"])
def test_thresholds_of_all_trees_are_found_by_the_places_of_their_columns(ensembles: int) -> None:
    """Columns that are none of the event's, or beyond them, have none; two columns may come from one place."""
    trees = [
        _tree((2, 3.0), (0, 1.0), (1, 7.0)),
        _tree((0, 0.5), (9, 8.0), (2, 3.0)),
        _tree(),
        _tree((3, 2.0)),
    ]
    origins = [Origin(5), None, Origin(4, shift=1.0, scale=2.0), Origin(5, scale=10.0)]
    seen = Thresholds()

    for part in np.array_split(np.arange(len(trees)), ensembles):
        seen.add(origins, [trees[i] for i in part])

    assert {5: [0.5, 1.0, 20.0], 4: [7.0]} == {
        place: edges.tolist() for place, edges in seen.by_place().items()
    }


def test_trees_without_a_decision_have_no_thresholds() -> None:
    """A boosting that stopped at once holds such trees only."""
    seen = Thresholds()

    seen.add([Origin(0)], [_tree(), _tree()])

    assert {} == seen.by_place()
