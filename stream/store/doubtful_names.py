"""
Are names that stand behind a step of one's own those of the model's input?

Such a step may read columns that it doesn't hand on, so that a later part keeps fewer names than the model needs. The
sample shows it: with a further column beside them, the answers must stay what they are, or the step must raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stream.errors import PackageError
from stream.files import events_of
from stream.manifest import Feature, Manifest
from stream.scoring import Estimator, Inputs, Raised, attempt, columns_of, plain_answer, unshared
from stream.store.column_choice import Owner
from stream.store.field_finder import feature_of, listed, mapping_refused
from stream.store.golden import MAX_ROWS, spread, through_avro

__all__ = ["prove_names"]

_MOST_COLUMNS = 100
"""Columns of the sample that are tried; each costs a call of the model."""


def prove_names(estimator: Estimator, draft: Manifest, owner: Owner | None) -> None:
    """
    Refuse a mapping to names that other columns of the sample bring down.

    Args:
        estimator: fitted.
        draft: a manifest with the names as its features.
        owner: the sample and the events' schema with all of its columns; without them nothing can be proven.
    Raises: PackageError (step `manifest`) naming the columns that the answers depend on as well.
    """
    names = [feature.name for feature in draft.features]
    known = {feature.path for feature in draft.features}
    if owner is None:
        raise _refused(names, "and there is no sample to prove it on")
    sample, _, events = owner
    leaves = [leaf for leaf in events.leaves() if leaf.path not in known and leaf.type.model is not None]
    others = [feature_of(leaf.feature or leaf.path, leaf) for leaf in leaves[:_MOST_COLUMNS]]
    rows = through_avro(spread(list(events_of(sample, events)), MAX_ROWS), events)
    expected = _answers(estimator, draft, draft.features, rows)
    if expected is None:
        return  # it raises on some of these rows: the names are asked about with the answers
    wrong = []
    for other in others:
        found = _answers(estimator, draft, (*draft.features, other), rows)
        if found is not None and not np.array_equal(found, expected):
            wrong.append(other.path)
    if wrong:
        raise _refused(names, f"and its answers depend on {', '.join(wrong[:5])} as well")


def _answers(
    estimator: Estimator, draft: Manifest, features: Sequence[Feature], rows: Sequence[dict[str, object]]
) -> np.ndarray | None:
    """What it answers to a DataFrame of these columns; None if it raises."""
    wanted = replace(draft, inputs="frame", features=tuple(features), width=len(features))
    frame = Inputs(wanted).build(columns_of(rows, features), len(rows)).x
    answers = attempt(lambda: plain_answer(estimator.predict(unshared(frame))))
    return None if isinstance(answers, Raised) else answers


def _refused(names: Sequence[str], why: str) -> PackageError:
    return mapping_refused(
        f"the estimator keeps the names {listed(names)} behind a step that may have changed columns, {why}",
        "name the columns of its input with --columns A,B,C in the order in which it was fitted",
    )
