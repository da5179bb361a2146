"""What is claimed of a prediction, and how each claim stands: proven, refuted, or not to be shown any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from stream.codec import RecordSchema
from stream.errors import RecordError

if TYPE_CHECKING:
    from stream.explain.account import Explanation

__all__ = ["CLAIMS", "Claim", "Standing", "claims_of"]

Standing: TypeAlias = Literal["proven", "differs", "unproven", "not asked"]
"""`not asked`: there is nothing to prove, or nobody whose word could prove it; it is no failure."""


@dataclass(frozen=True, slots=True)
class Claim:
    """
    One claim, looked at.

    Attributes:
        name: a key of `CLAIMS`.
        standing: how it stands.
        found: what was found, and what that leaves unproven, for people.
    """

    name: str
    standing: Standing
    found: str


def claims_of(seen: Explanation) -> tuple[Claim, ...]:
    """Every claim of a prediction that was looked at, in the order of `CLAIMS`."""
    return tuple(Claim(name, *judge(seen)) for name, (_, judge) in CLAIMS.items())


_Judged: TypeAlias = tuple[Standing, str]


def _prediction(seen: Explanation) -> _Judged:
    if seen.gone is not None:
        return "unproven", f"{seen.gone.why}: what was published can't be shown any more"
    if isinstance(seen.published, RecordError):
        return "unproven", f"its value can't be read: {seen.published.message}"
    if seen.published is None:
        return (
            "unproven",
            "a null value: a tombstone that was forwarded; it names neither a model nor an event",
        )
    package = None if seen.version is None else seen.version.package
    if package is not None:
        wanted = RecordSchema(package.prediction)
        if wanted.fingerprint != seen.published.schema.fingerprint:
            return "differs", _other_schema(seen.published.schema, wanted, package.manifest.model)
    return "proven", f"read whole with the schema {seen.published.schema.name}: {seen.published.found_by}"


def _other_schema(written: RecordSchema, wanted: RecordSchema, model: str) -> str:
    """No worker writes a version's prediction with another schema than its own."""
    more = [name for name in written.fields if name not in wanted.fields]
    less = [name for name in wanted.fields if name not in written.fields]
    what = [f"it has {', '.join(more)}"] if more else []
    what += [f"it lacks {', '.join(less)}"] if less else []
    return (
        f"it was written with another schema than `prediction.avsc` of {model}"
        f" ({written.fingerprint.hex()}, not {wanted.fingerprint.hex()}): {'; '.join(what) or 'types or names differ'}"
    )


def _event(seen: Explanation) -> _Judged:
    if seen.event_gone is not None:
        return "unproven", (
            f"{seen.event_gone.why}; the prediction is as published, and that it follows from its event can't be shown"
        )
    if seen.event is None:
        return "unproven", f"{_silent(seen)} which event it is of"
    event, place = seen.event, seen.event.record.place
    if seen.strange:
        return "differs", (
            f"another record is at {place}, with other {' and '.join(seen.strange)}: the topic was made anew, or is "
            "not the one that was scored"
        )
    is_its = f"the record at {place} has the prediction's key and headers"
    if event.writer is None:
        return "unproven", f"{is_its}, but can't be read: {event.fault.message if event.fault else ''}"
    if event.fault is not None:
        return "unproven", f"{is_its}, but is not sound: {event.fault.message}"
    return "proven", f"{is_its}, and was read with {event.writer.name}: {event.found_by}"


def _silent(seen: Explanation) -> str:
    """Why something is not known that a prediction says."""
    unread = seen.record is None or isinstance(seen.published, RecordError)
    return "the prediction can't be read, so it is not known" if unread else "the prediction does not say"


def _carried(seen: Explanation) -> _Judged:
    carry = seen.carried
    if carry is None:
        return (
            "unproven",
            "the event can't be read as the version reads it: the carried fields are as published",
        )
    if not carry:
        return "not asked", "the version carries no field"
    wrong = [name for name, equal in carry.items() if not equal]
    if wrong:
        return "differs", f"not the event's: {', '.join(wrong)}"
    return "proven", f"{', '.join(carry)}: the event's own"


def _package(seen: Explanation) -> _Judged:
    version = seen.version
    if version is None:
        return "unproven", f"{_silent(seen)} which model gave it"
    if version.gone:
        return "unproven", f"{version.gone}; that {version.model} gives this answer can't be shown"
    if "hash" in version.passed:
        return (
            "proven",
            f"{version.model}, its {version.passed['hash']} as its manifest names them, by sha256",
        )
    error = version.refused
    return ("differs" if error and error.step == "hash" else "unproven"), error.message if error else ""


def _signature(seen: Explanation) -> _Judged:
    shown = None if seen.version is None else seen.version.shown
    if shown is None:
        return "unproven", "there is no manifest that could be signed"
    if shown.signed == "trusted":
        return "proven", f"by the trusted key {shown.signer}"
    if shown.signed == "untrusted":
        return "differs", "no trusted key made the signature of its manifest"
    if seen.version is not None and seen.version.refused and seen.version.refused.step == "signature":
        return "unproven", seen.version.refused.message
    if shown.signed == "not checked":
        return "not asked", "it is signed, and no key is trusted ([model] trusted_keys)"
    return "not asked", "it is not signed, and no signature is required"


def _golden(seen: Explanation) -> _Judged:
    version = seen.version
    if version is None or version.shown is None:
        return "unproven", "there is no version to ask"
    if "golden" in version.passed:
        return "proven", f"its {version.passed['golden']}"
    error = version.refused
    return ("differs" if error and error.step == "golden" else "unproven"), error.message if error else ""


def _answer(seen: Explanation) -> _Judged:
    rescoring = seen.rescoring
    if rescoring is None:
        return "unproven", "it was not asked for again: see the claims above"
    best = rescoring.best
    if best.fault is not None:
        return "differs", f"scored again, it is a dead letter: {best.fault.reason}: {best.fault.message}"
    if best.likeness == "bit-equal":
        return "proven", f"scored again {best.how}: every bit of {', '.join(rescoring.fields)} is the same"
    near = (
        "" if best.difference is None else f"; the largest difference of two numbers is {best.difference:.1e}"
    )
    if best.likeness == "within tolerance":
        return (
            "proven",
            f"scored again, equal within the version's tolerance, not to the last bit{near}{_why(seen)}",
        )
    return "differs", f"scored again, another answer: {', '.join(best.differing)}{near}{_why(seen)}"


def _why(seen: Explanation) -> str:
    """What may explain a difference."""
    shown = None if seen.version is None else seen.version.shown
    if shown is not None and shown.differences:
        return f"; {'; '.join(shown.differences)}"
    return (
        "; the libraries are those of the manifest: the batch of then, or another processor, may have rounded "
        "otherwise"
    )


CLAIMS: dict[str, tuple[str, Callable[[Explanation], _Judged]]] = {
    "prediction": ("the prediction is on the output topic, and its value can be read", _prediction),
    "event": ("the event at the place that the prediction names is its own, and can be read", _event),
    "carried": ("the fields that the prediction carries are the event's", _carried),
    "package": (
        "the version that the prediction names is kept, each file with the sha256 that was packed",
        _package,
    ),
    "signature": ("a trusted key vouches for that version", _signature),
    "golden": ("the version answers its golden rows here as it did when it was packed", _golden),
    "answer": ("that version, asked for this event again, gives the published answer", _answer),
}
"""Claim → what it says, and how it is judged."""
