"""A worker's status as a few lines for people. What it says is a stranger's JSON: what has another type is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["summary_of"]

_STAGES = ("decode", "score", "encode", "publish", "commit")

_DAY_S = 86_400


def summary_of(status: Mapping[str, Any], now: datetime | None = None) -> list[str]:
    """
    What there is to say of a worker beside its state.

    Args:
        status: the JSON of its `/api/status`; older workers say less.
        now: the time of day; None = now.
    Returns: a line each of why it is not ready, what waits and how fast it goes, what a batch takes, how commits ended,
        rebalances, the model's age, and why its next version was refused; without those of which nothing is known. Each
        but the first and the last fits 80 columns.
    """
    moment = now or datetime.now(UTC)
    lines = (
        _lacking(status),
        _flow(status),
        _batches(status),
        _commits(status, moment),
        _counted(status, "rebalances"),
        _model(status, moment),
        _refused(status),
    )
    return [", ".join(parts) for each in lines if (parts := list(each))]


def _flow(status: Mapping[str, Any]) -> Iterator[str]:
    lag, speed = _object(status, "lag"), _object(status, "now")
    if (records := _number(lag, "total")) is not None:
        yield f"lag {records:.0f} records"
    if (seconds := _number(lag, "seconds")) is not None:
        yield _age(seconds)
    if (rate := _number(speed, "records_per_second")) is not None:
        yield f"{_short(rate)} records/s"
    for name in ("p50", "p99"):
        if (ms := _number(speed, f"{name}_ms")) is not None:
            yield f"{name} {_short(ms)} ms"


def _batches(status: Mapping[str, Any]) -> Iterator[str]:
    speed = _object(status, "now")
    times = [
        f"{stage} {_short(ms)}" for stage in _STAGES if (ms := _number(speed, f"{stage}_ms")) is not None
    ]
    if (records := _number(speed, "batch_records")) is not None and times:
        yield f"batches of {_short(records)}: ms {', '.join(times)}"


def _commits(status: Mapping[str, Any], now: datetime) -> Iterator[str]:
    yield from _counted(status, "commits")
    if (seconds := _since(status.get("last_commit"), now)) is not None:
        yield f"last commit {_age(seconds)} ago"


def _lacking(status: Mapping[str, Any]) -> Iterator[str]:
    found = status.get("lacking")
    reasons = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    if reasons:
        yield f"not ready: {'; '.join(reasons)}"


def _counted(status: Mapping[str, Any], key: str) -> Iterator[str]:
    found = _object(status, key)
    counts = [f"{n:.0f} {name}" for name in found if (n := _number(found, name))]
    if counts:
        yield f"{key}: {' '.join(counts)}"


def _model(status: Mapping[str, Any], now: datetime) -> Iterator[str]:
    if (seconds := _since(status.get("model_created"), now)) is not None:
        yield f"model packed {_age(seconds)} ago"
    if (seconds := _since(status.get("model_since"), now)) is not None:
        yield f"answers for {_age(seconds)}"


def _refused(status: Mapping[str, Any]) -> Iterator[str]:
    reload = _object(status, "reload")
    if (error := reload.get("error")) and isinstance(error, str):
        version = _number(reload, "version")
        what = "no new version can be looked for" if version is None else f"version {version:.0f} is refused"
        yield f"{what}: {error}"


def _object(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _number(found: Mapping[str, Any], key: str) -> float | None:
    value = found.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _since(text: object, now: datetime) -> float | None:
    """Seconds since a moment in RFC 3339; None where there is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return None if moment.tzinfo is None else max(0.0, (now - moment).total_seconds())


def _age(seconds: float) -> str:
    """As people say it: the two largest units at most."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // _DAY_S
    if minutes < 60:
        return f"{minutes:.0f} min"
    return f"{hours:.0f} h {minutes % 60:.0f} min" if days < 2 else f"{days:.0f} days"
