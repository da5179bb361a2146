"""
`pack` proves the answer: what a package publishes is what its estimator says on its owner's own rows.

Golden rows can't show that, since their answers come from the package itself. Here the two sides read the rows and the
answers by code of their own: the estimator is asked for what pandas makes of the sample (`owner_input`, `own_answers`),
and the sample's events go through decode, score and encode (`published`). Row by row the answers must be equal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.codec import RecordSchema
from stream.errors import PackageError
from stream.files import Sample
from stream.manifest import Manifest, Proof
from stream.records import DeadLetter
from stream.scoring import Estimator, Inputs, Model, X, known_texts, missing_texts, taken
from stream.store.own_answers import (
    Answer,
    OwnAnswers,
    ask_estimator,
    equal_answers,
    equal_values,
    shown_answer,
    shown_value,
)
from stream.store.owner_input import OwnerRows, owner_inputs
from stream.store.published import Published, publish
from stream.store.suspected_columns import Suspect, suspected_columns
from stream.store.texts_or_times import TYPED_SAMPLE, about_zones, texts_or_times

__all__ = ["Proved", "Question", "prove"]

_DELIBERATE = ("value_out_of_range", "vector_length")
"""Dead letters that the contract wants for values that the model's types can't hold; the estimator may answer them."""

_SHOWN = 3
"""Rows named in a message."""

_TWICE = 100
"""Rows asked for twice, to find estimators that answer by chance."""


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is to be proved.

    Attributes:
        estimator: the owner's, as it was given.
        model: the same under its contract, as a worker has it.
        features: `features.avsc`.
        prediction: `prediction.avsc`.
        sample: the rows.
        places: those that are compared, ascending indices.
        events: made of them, in the same order.
    """

    estimator: Estimator
    model: Model
    features: RecordSchema
    prediction: RecordSchema
    sample: Sample
    places: Sequence[int]
    events: Sequence[Mapping[str, object]]

    @property
    def manifest(self) -> Manifest:
        """Of the model."""
        return self.model.manifest


@dataclass(frozen=True, slots=True)
class Proved:
    """
    What came of a comparison that did not refuse.

    Attributes:
        proof: for the manifest.
        messages: a sentence each.
    """

    proof: Proof
    messages: tuple[str, ...]


def prove(question: Question, *, allow: bool) -> Proved:
    """
    Compare the estimator's own answers with what would be published.

    Args:
        question: both sides, and the rows.
        allow: whether rows may differ.
    Returns: how many rows were compared, and what is to be said.
    Raises: PackageError (step `proof`) naming the first rows that differ and the columns suspected, unless allowed.
    """
    owner = _owner(question)
    own, x = _ask_owner(question, owner)
    if not own.answers:
        first = next(iter(own.faults.values()))
        return Proved(
            Proof(0),
            (
                "nothing was compared: on the rows as pandas reads them the estimator itself raised "
                f"{first.exception}: {first.message}",
            ),
        )
    random = _by_chance(question, own, x)
    published = publish(question.model, question.features, question.prediction, question.events)
    rows = [i for i in range(len(question.events)) if i not in random]
    different: dict[int, str] = {}
    held_back: Counter[str] = Counter()
    doubt = texts_or_times(question.estimator, owner, own, rows)
    if doubt and not allow:
        raise PackageError(doubt, step="proof", hint=TYPED_SAMPLE)
    for i in rows:
        fault = published.faults.get(i)
        if fault is not None and fault.reason in _DELIBERATE and i in own.answers:
            held_back[fault.reason] += 1
        elif text := _difference(own, published, i):
            different[i] = text
    messages = [*_about_chance(len(random), len(question.events)), *_about_held_back(held_back)]
    messages += [*about_zones(owner), *([f"allowed: {doubt}"] if doubt else [])]
    compared = len(rows) - held_back.total()
    if different:
        suspects = _suspects(question, x, published, sorted(different))
        text = _refusal(question, different, compared, suspects)
        if not allow:
            raise PackageError(text, step="proof", hint=_hint(question, suspects))
        messages.append(f"allowed: {text}")
    proof = Proof(compared, len(different), allowed=bool(different))
    return Proved(proof, (*messages, str(proof)))


def _owner(question: Question) -> OwnerRows:
    names = [feature.name for feature in question.manifest.features]
    return OwnerRows(
        question.sample,
        question.places,
        question.events,
        question.features,
        question.manifest,
        known_texts(question.estimator, names),
        missing_texts(question.estimator, names),
    )


def _ask_owner(question: Question, owner: OwnerRows) -> tuple[OwnAnswers, X]:
    """The estimator's answers for the first input of its owner's that it answers at all."""
    first: tuple[OwnAnswers, X] | None = None
    for x in owner_inputs(owner):
        asked = (ask_estimator(question.estimator, question.manifest, x), x)
        if asked[0].answers:
            return asked
        first = first or asked
    assert first is not None  # there always is one
    return first


def _by_chance(question: Question, own: OwnAnswers, x: X) -> set[int]:
    """The rows that the estimator itself answers differently from one call to the next, or beside other rows."""
    shuffled = np.random.default_rng(0).permutation(
        len(x)
    )  # every second row would miss what comes at each tenth
    found = _otherwise(question, own, x, shuffled[: min(len(x) // 2, _TWICE)])
    if not found:
        return found
    half = len(x) // 2
    return (
        found | _otherwise(question, own, x, shuffled[:half]) | _otherwise(question, own, x, shuffled[half:])
    )


def _otherwise(question: Question, own: OwnAnswers, x: X, rows: npt.NDArray[np.intp]) -> set[int]:
    """Those among some rows that have another answer when these alone are asked about, in this order."""
    if not len(rows):
        return set()
    again = ask_estimator(question.estimator, question.manifest, taken(x, rows)).answers
    return {
        row
        for i, row in enumerate(rows.tolist())
        if row in own.answers and not equal_answers(own.answers[row], again.get(i), own.tolerance)
    }


def _difference(own: OwnAnswers, published: Published, i: int) -> str:
    """What differs on a row; empty where nothing does."""
    one, other, fault = own.answers.get(i), published.answers.get(i), published.faults.get(i)
    if one is None:
        return (
            ""
            if other is None
            else f"the estimator raises {_named(own.faults[i])}, published {shown_answer(other)}"
        )
    if other is None:
        assert fault is not None  # a row without a prediction has a fault
        if fault.reason == "not_finite" and not _finite(one):
            return ""
        return f"the estimator says {shown_answer(one)}, published: a dead letter, {fault.reason}: {_named(fault)}"
    names = [name for name in one if not equal_values(one[name], other[name], own.tolerance)]
    return ", ".join(
        f"{name} {shown_value(one[name])}, published {shown_value(other[name])}" for name in names
    )


def _finite(answer: Answer) -> bool:
    values = [item for value in answer.values() for item in (value if isinstance(value, list) else [value])]
    return all(math.isfinite(value) for value in values if isinstance(value, float))


def _named(fault: DeadLetter) -> str:
    return f"{fault.exception}: {fault.message[:200]}"


def _suspects(question: Question, x: X, published: Published, rows: Sequence[int]) -> list[Suspect]:
    at = {row: i for i, row in enumerate(published.rows)}
    known = [row for row in rows if row in at]
    if not known:
        return []
    built = Inputs(question.manifest).build(published.columns, len(published.rows))
    mine = taken(x, np.asarray(known, np.intp))
    package = taken(built.x, np.asarray([at[row] for row in known], np.intp))
    return suspected_columns(
        question.estimator, question.manifest, mine, package, range(len(known)), _about_types(question.sample)
    )


def _about_types(sample: Sample) -> str:
    """How its columns get the types that the model was fitted on."""
    if sample.columns is not None or sample.avro is not None:
        return "give the sample's columns the types that the model was fitted on"
    which = "a csv has no types: " if sample.text else ""
    return f"{which}give the sample as parquet, or the types with --schema"


def _refusal(
    question: Question, different: Mapping[int, str], compared: int, suspects: Sequence[Suspect]
) -> str:
    rows = question.sample.rows
    shown = "; ".join(
        f"row {rows[question.places[i]].number}: {different[i]}" for i in sorted(different)[:_SHOWN]
    )
    columns = f"; suspected: {', '.join(map(str, suspects))}" if suspects else ""
    return (
        f"{question.sample.name}: on {len(different)} of {compared} rows the package would publish another answer than "
        f"the estimator gives on pandas' frame of them: {shown}{columns}"
    )


def _hint(question: Question, suspects: Sequence[Suspect]) -> str:
    ways = [suspect.hint for suspect in suspects if suspect.hint]
    if question.manifest.inputs == "matrix":
        ways.append("name the columns in the model's own order with --columns")
    return "; ".join([*dict.fromkeys(ways), "--allow-difference packs it as it is"])


def _about_chance(random: int, n: int) -> list[str]:
    if not random:
        return []
    return [
        f"on {random} of {n} rows the estimator's answers differ from one call to the next, or with the rows beside "
        "them: they were not compared; on the stream a row's neighbours are others each time"
    ]


def _about_held_back(reasons: Counter[str]) -> list[str]:
    return [
        f"{count} rows of the sample would be dead letters ({reason}), though the estimator answers them"
        for reason, count in reasons.items()
    ]
