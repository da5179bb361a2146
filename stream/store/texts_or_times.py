"""
Times of a csv or of JSON that a model may have been fitted on as the texts that they are there, or as Python's dates.

Nothing in such a file says which. Where the model answers both, and not the same, a package of times may be wrong on
every row, and so may the proof be, whose owner parsed them.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.scoring import Estimator
from stream.store.own_answers import OwnAnswers, ask_estimator, equal_answers, shown_answer
from stream.store.owner_input import OwnerRows, other_times

__all__ = ["TYPED_SAMPLE", "about_zones", "texts_or_times"]

TYPED_SAMPLE = (
    "give the sample as parquet, whose columns have types, as the model was fitted on them; or, where they are texts, "
    "the type string with --schema; --allow-difference packs it with times"
)
"""What helps."""

_SHOWN = {"": "datetime64[us]", "object": "Python's dates"}


def texts_or_times(estimator: Estimator, owner: OwnerRows, own: OwnAnswers, rows: Sequence[int]) -> str:
    """
    Ask with the texts, and with Python's dates.

    Args:
        estimator: its owner's.
        owner: whose rows they are.
        own: what it answers with times.
        rows: those that can be compared.
    Returns: what is to be said where the answers differ; empty where they don't, or where only times are answered.
    """
    for called, x in other_times(owner):
        others = ask_estimator(estimator, owner.manifest, x).answers
        different = [
            i
            for i in rows
            if i in own.answers
            and i in others
            and not equal_answers(others[i], own.answers[i], own.tolerance)
        ]
        if different:
            first, sample = different[0], owner.sample
            names = ", ".join(each.name for each in owner.manifest.features if each.kind == "datetime")
            return (
                f"{sample.name}: {names} may be {called} to the model, or times, and it answers both: otherwise on "
                f"{len(different)} of {len(rows)} rows; row {sample.rows[owner.places[first]].number}: as {called} "
                f"{shown_answer(others[first])}, as times {shown_answer(own.answers[first])}"
            )
    return ""


def about_zones(owner: OwnerRows) -> list[str]:
    """What no csv or JSON shows, and so no proof: the zone and the unit of the times that the model was fitted on."""
    times = [feature for feature in owner.manifest.features if feature.kind == "datetime"]
    typed = owner.sample.columns is not None or owner.sample.avro is not None
    if typed or not times or owner.manifest.inputs != "frame":
        return []
    given = ", ".join(f"{feature.name} ({_SHOWN.get(feature.dtype, feature.dtype)})" for feature in times)
    return [
        f"columns of times: {given}; a csv or JSON does not show the zone and the unit that a model was fitted on: if "
        "those were others, and the model looks at hours or days, or counts units, give the sample as parquet"
    ]
