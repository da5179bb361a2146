"""Snapshots of the live page's states, each valid by tests/live/snapshot.schema.json."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

__all__ = ["SCENES", "Snapshot", "hostile", "running"]

Snapshot = dict[str, Any]

AT = 1_764_230_400_000
"""The snapshots' own time, so that two runs draw the same page."""

_FLIGHTS = (
    ("2013-10-20-UA-1545-EWR", "UA", "EWR", "ORD", False, 0.083, "on time", True),
    ("2013-10-20-B6-725-JFK", "B6", "JFK", "BQN", False, 0.117, "on time", True),
    ("2013-10-20-DL-461-LGA", "DL", "LGA", "ATL", True, 0.914, "late", True),
    ("2013-10-20-AA-301-LGA", "AA", "LGA", "DFW", False, 0.352, "late", False),
    ("2013-10-20-EV-5708-LGA", "EV", "LGA", "IAD", False, 0.064, "on time", True),
    ("2013-10-20-US-27-JFK", "US", "JFK", "PHX", False, 0.242, "on time", True),
)

_BYTES = (
    "c30143e0a4d87fb3af5f2c323031332d31302d32302d55412d313534352d455752"
    "b08dd1c5b75080cfd0c5b75004554192180c4e31343232"
)


def _wave(base: float, swing: float, n: int = 90, phase: float = 0.0) -> list[float | None]:
    return [
        round(base + swing * math.sin(i / 7 + phase) + swing / 3 * math.sin(i * 1.7), 1) for i in range(n)
    ]


def _latest() -> list[Snapshot]:
    rows = []
    for i in range(12):
        flight, carrier, origin, dest, label, score, truth, right = _FLIGHTS[i % len(_FLIGHTS)]
        values = {
            "flight_id": flight,
            "carrier": carrier,
            "origin": origin,
            "dest": dest,
            "label": label,
            "score": score,
        }
        rows.append(
            {
                "place": f"flights.features[{i % 4}]@{9120 - i}",
                "key": flight,
                "at_ms": AT - 40 * i,
                "values": values,
                "truth": {"text": truth, "right": right},
            }
        )
    return rows


def letter(i: int, reason: str, message: str, **more: Any) -> Snapshot:
    """A dead letter, whole."""
    return {
        "place": f"flights.features[{i % 4}]@{8000 + i}",
        "at_ms": AT - 5000 * i,
        "stage": "decode",
        "reason": reason,
        "message": message,
        "key": "2013-10-20-UA-1545-EWR",
        "bytes": 57,
        "hex": _BYTES,
        "text": "…",
        "failed_at": 41,
        "field": "dep_delay",
        "decoded": {"flight_id": "2013-10-20-UA-1545-EWR", "carrier": "UA", "flight": "1545"},
        **more,
    }


def _reason(name: str, n: int, meaning: str, next_step: str) -> Snapshot:
    return {"reason": name, "stage": "decode", "count": n, "meaning": meaning, "next_step": next_step}


_BROKEN = (
    "The value is damaged, or was written with a schema other than the one it names: look at the producer."
)


def running() -> Snapshot:
    """A worker at work: four partitions, two workers, some dead letters of long ago."""
    golden = [62, 41, 22, 14, 10, 8, 6, 5, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 3, 2]
    now = [620, 390, 230, 150, 90, 80, 66, 52, 38, 40, 32, 28, 33, 22, 18, 20, 24, 22, 31, 14]
    return {
        "kind": "worker",
        "at_ms": AT,
        "started_ms": AT - 7_260_000,
        "group": "flights-scorer",
        "instance": "laptop.6066",
        "version": "0.1.0",
        "state": "running",
        "ready": True,
        "lacking": [],
        "guarantee": "exactly-once",
        "redacted": False,
        "model": {
            "name": "flights@7",
            "since_ms": AT - 7_250_000,
            "created": "2026-11-23T22:40:40Z",
            "task": "classifier",
            "signature": "signed by a trusted key",
            "previous": None,
            "swapped_ms": None,
            "refused": None,
            "metrics": {"auc": 0.893, "accuracy": 0.889, "log_loss": 0.2956},
        },
        "flow": {
            "input": {"name": "flights.features", "partitions": 4},
            "output": {"name": "flights.predictions", "partitions": 4},
            "dead_letters": {"name": "flights.deadletters", "partitions": 4},
        },
        "now": {
            "records_per_second": 1020.4,
            "predictions_per_second": 1019.9,
            "dead_letters_per_second": 0.4,
            "lag_records": 118,
            "lag_seconds": 0.4,
            "p50_ms": 36.2,
            "p99_ms": 181.0,
            "batch_records": 41,
            "process_ms": 11.8,
            "publish_ms": 2.4,
            "commit_ms": 7.9,
        },
        "history": {
            "step_s": 10,
            "records_per_second": _wave(980, 90),
            "dead_letters_per_second": [0.0] * 80 + [0.1, 0.4, 0.2, 0, 0, 0.1, 0.4, 0.3, 0.4, 0.4],
            "lag_records": _wave(140, 90, phase=2),
            "p50_ms": _wave(36, 4),
            "p99_ms": _wave(180, 60, phase=1),
        },
        "totals": {"records": 7_402_118, "predictions": 7_402_092, "dead_letters": 26, "skips": 0},
        "scores": {"field": "score", "edges": [i / 20 for i in range(21)], "golden": golden, "now": now},
        "latest": _latest(),
        "dead_letters": {
            "by_reason": [
                _reason("truncated", 14, "The value ends too early.", _BROKEN),
                _reason(
                    "unknown_schema",
                    9,
                    "No schema with this fingerprint is known; or the registry does not know the id.",
                    "Without a registry, give the producer's schema as `[input] schema`; with one, register it.",
                ),
                _reason("trailing_bytes", 3, "Bytes are left after the record's end.", _BROKEN),
            ],
            "recent": [
                letter(0, "truncated", "field 'dep_delay', byte 41: 8 bytes expected, 0 left"),
                letter(
                    1,
                    "unknown_schema",
                    "no schema with the fingerprint 865dbbfd53bec671 is known",
                    failed_at=2,
                    field=None,
                    decoded=None,
                ),
                letter(2, "truncated", "field 'dep_delay', byte 41: 8 bytes expected, 0 left"),
                letter(3, "trailing_bytes", "byte 54: 3 bytes too many", failed_at=54, field=None),
            ],
        },
        "partitions": [
            {
                "partition": i,
                "owner": ("laptop.6066", "laptop.6067")[i // 2],
                "owner_known": True,
                "mine": i < 2,
                "committed": 1_850_000 + i,
                "end": 1_850_030 + 11 * i,
                "lag": 30 + 10 * i,
                "lag_seconds": 0.1 * i,
            }
            for i in range(4)
        ],
        "transactions": {
            "committed": 14_201,
            "aborted": 2,
            "moved_on": 0,
            "unknown": 0,
            "uncommitted_records": 41,
            "last_commit_ms": AT - 240,
        },
        "requests": None,
    }


def empty() -> Snapshot:
    """Ready, and nothing has come yet."""
    scene = running()
    scene["totals"] = dict.fromkeys(scene["totals"], 0)
    scene["now"] = {
        **dict.fromkeys(scene["now"]),
        "records_per_second": 0,
        "predictions_per_second": 0,
        "dead_letters_per_second": 0,
        "lag_records": 0,
        "lag_seconds": 0,
    }
    scene["history"] = {name: [] if name != "step_s" else 10 for name in scene["history"]}
    scene["scores"]["now"] = [0] * 20
    scene["latest"] = []
    scene["dead_letters"] = {"by_reason": [], "recent": []}
    for one in scene["partitions"]:
        one.update(committed=None, end=0, lag=0, lag_seconds=0)
    scene["transactions"].update(committed=0, aborted=0, uncommitted_records=0, last_commit_ms=None)
    return scene


def dead_letters_coming() -> Snapshot:
    """A bad deploy of a producer: a third of the records fail."""
    scene = running()
    scene["now"].update(dead_letters_per_second=340.2, predictions_per_second=680.2)
    scene["history"]["dead_letters_per_second"] = [0.0] * 70 + [17.0 * i for i in range(20)]
    scene["totals"].update(dead_letters=61_204, predictions=7_340_914)
    scene["dead_letters"]["by_reason"][0]["count"] = 61_192
    scene["dead_letters"]["recent"] = [
        letter(i, "truncated", "field 'dep_delay', byte 41: 8 bytes expected, 0 left") for i in range(10)
    ]
    return scene


def broker_away() -> Snapshot:
    """No broker answers."""
    scene = running()
    scene.update(
        ready=False,
        lacking=[
            "no broker has answered lately (localhost:9092: connection refused)",
            "a batch waits: publish",
        ],
    )
    scene["now"] = dict.fromkeys(scene["now"])
    scene["now"].update(
        records_per_second=0, predictions_per_second=0, dead_letters_per_second=0, lag_records=None
    )
    scene["history"]["records_per_second"][-9:] = [0] * 9
    scene["history"]["p50_ms"][-9:] = [None] * 9
    scene["history"]["p99_ms"][-9:] = [None] * 9
    scene["transactions"].update(unknown=1, uncommitted_records=4_000, last_commit_ms=AT - 92_000)
    for one in scene["partitions"]:
        one.update(end=None, lag=None, lag_seconds=None)
    return scene


def swap() -> Snapshot:
    """A new version took over ten seconds ago; the one after it was refused."""
    scene = running()
    scene["model"].update(
        name="flights@8",
        previous="flights@7",
        swapped_ms=AT - 150_000,
        since_ms=AT - 150_000,
        refused="flights@9: golden rows: 3 of 200 differ",
    )
    return scene


def redacted() -> Snapshot:
    """`[dead_letters] redact`: no value anywhere."""
    scene = dead_letters_coming()
    scene["redacted"] = True
    for row in scene["latest"]:
        row["key"], row["truth"] = None, None
        row["values"] = dict.fromkeys(row["values"])
    for one in scene["dead_letters"]["recent"]:
        one.update(message=None, key=None, hex=None, text=None, decoded=None)
    return scene


def many_partitions() -> Snapshot:
    """64 partitions, five workers, some partitions with nobody."""
    scene = running()
    owners = [f"scorer-{i // 13}.scorer.prod" for i in range(64)]
    scene["flow"]["input"]["partitions"] = 64
    scene["partitions"] = [
        {
            "partition": i,
            "owner": None if i in (40, 41) else owners[i],
            "owner_known": True,
            "mine": i < 13,
            "committed": 100_000 + i,
            "end": 100_000 + i * i,
            "lag": 0 if i % 5 else i * i,
            "lag_seconds": None if i == 7 else i / 10,
        }
        for i in range(64)
    ]
    return scene


def labels() -> Snapshot:
    """A classifier of many labels, without scores."""
    scene = running()
    names = ["setosa", "versicolor", "virginica", *(f"class {i}" for i in range(17))]
    scene["scores"] = {
        "field": "label",
        "names": names,
        "golden": [60, 50, 40, *([3] * 17)],
        "now": [310, 280, 330, *([9] * 17)],
    }
    for row in scene["latest"]:
        row["truth"] = None
        row["values"] = {"label": "versicolor", "id": "a"}
    return scene


def regression() -> Snapshot:
    """A number for an answer, some of them very large; nothing is carried but a key; no metrics."""
    scene = running()
    counts = [0, 0, 1, 3, 9, 20, 41, 60, 30, 12, 8, 6, 4, 2, 2, 1, 1, 0, 0, 0]
    edges = [-12_500_000.0 + 2_500_000 * i for i in range(21)]
    scene["scores"] = {"field": "value", "edges": edges, "golden": counts, "now": [0] * 20}
    scene["model"].update(metrics={}, signature=None, created=None, task=None, since_ms=None)
    for i, row in enumerate(scene["latest"]):
        row.update(truth=None, place=None, key=None)
        row["values"] = {"customer": f"c-{i}", "value": -12_345_678.9 * i, "probabilities": "[0.1, 0.9]"}
    return scene


def multi_output() -> Snapshot:
    """Answers that are lists; many fields carried; no distribution."""
    scene = running()
    scene["scores"] = None
    for row in scene["latest"]:
        row.update(truth=None)
        row["values"] = {
            **{f"carried_field_{i}": f"text {i}" for i in range(9)},
            "values": "[0.5, 12.25, -3.0]",
        }
    return scene


def service() -> Snapshot:
    """`stream serve`: requests instead of partitions."""
    scene = running()
    scene.update(
        kind="service",
        group=None,
        instance=None,
        guarantee=None,
        flow=None,
        partitions=None,
        transactions=None,
    )
    scene["now"].update(lag_records=None, lag_seconds=None, publish_ms=None, commit_ms=None)
    scene["history"]["lag_records"] = [None] * 90
    scene["requests"] = {
        "per_second": 212.4,
        "in_flight": 9,
        "queue_rows": 34,
        "by_status": {"200": 102_331, "422": 210, "503": 12, "413": 2},
        "by_endpoint": [
            {"endpoint": "POST /predict", "count": 99_120, "errors": 198},
            {"endpoint": "POST /invocations", "count": 3_210, "errors": 26},
            {"endpoint": "GET /health", "count": 225, "errors": 0},
        ],
    }
    for row in scene["latest"]:
        row.update(place=None, key=None, truth=None)
    scene["dead_letters"] = {
        "by_reason": [
            {
                "reason": "missing_field",
                "stage": "contract",
                "count": 26,
                "meaning": "A field that the model needs is not there.",
                "next_step": "Send it, or give it a default in the schema.",
            },
        ],
        "recent": [
            {
                "place": None,
                "at_ms": AT - 4000,
                "stage": "contract",
                "reason": "missing_field",
                "message": "field 'dep_delay' is missing",
                "key": None,
                "bytes": None,
                "hex": None,
                "text": None,
                "failed_at": None,
                "field": "dep_delay",
                "decoded": None,
            },
        ],
    }
    return scene


SCENES: dict[str, Callable[[], Snapshot]] = {
    "running": running,
    "empty": empty,
    "dead letters coming": dead_letters_coming,
    "broker away": broker_away,
    "swap": swap,
    "redacted": redacted,
    "many partitions": many_partitions,
    "labels": labels,
    "regression": regression,
    "multi-output": multi_output,
    "service": service,
}
"""Each state that comes from a snapshot; those of the connection are made by the server."""


def hostile(scene: Snapshot, text: str) -> Snapshot:
    """The same snapshot with every text in it replaced by another one, chosen names included."""
    fixed = {"kind", "field"}
    chosen = {"values", "decoded", "metrics", "by_status"}

    def spoil(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            spoiled = {name: spoil(inner, name) for name, inner in value.items()}
            return (
                {f"{text}{i}": inner for i, inner in enumerate(spoiled.values())}
                if key in chosen
                else spoiled
            )
        if isinstance(value, list):
            return [spoil(inner, key) for inner in value]
        return text if isinstance(value, str) and key not in fixed else value

    found: Snapshot = spoil(copy.deepcopy(scene), "")
    if found["scores"] and found["scores"]["field"] == "label":
        found["scores"]["names"] = [f"{text}{i}" for i in range(len(found["scores"]["names"]))]
    return found
