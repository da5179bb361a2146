"""Values as the page gets them: short, visible, and never what JSON can't hold."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields
from math import inf, nan
from typing import Any

import pytest

from stream.live import Latest, ModelView, SeenLetter, SeenPrediction, Snapshot, letter_view, written


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**60, str(2**60)),
        (0.123456789, 0.123457),
        (1e300, 1e300),
        (nan, "nan"),
        (-inf, "-inf"),
        ("a\x1b[2J\n\u202eb", "a\\x1b[2J\\n\\u202eb"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ([0.1 + 0.2, {"b": "\x07"}], '[0.3, {"b": "\\u0007"}]'),
        (dt.date(2024, 2, 29), "2024-02-29"),
    ],
)
def test_value_is_short_and_visible(value: object, shown: object) -> None:
    """Numbers stay numbers; texts are texts of the page, which writes no markup."""
    latest = Latest(redact=False)
    latest.add(SeenPrediction(1, "m@1", b""), {"value": value})

    assert {"value": shown} == latest.rows()[0]["values"]
    json.dumps(latest.rows(), allow_nan=False)


@pytest.mark.parametrize(
    "value", ["x" * 1_000_000, list(range(100_000)), {str(i): "y" for i in range(100_000)}]
)
def test_long_value_is_cut(value: object) -> None:
    """Whatever holds it; the rest is named by its length."""
    latest = Latest(redact=False)
    latest.add(
        SeenPrediction(1, "m@1", b"", key=b"k" * 1_000_000),
        {"f" * 1_000: value, **dict.fromkeys("abcdefghijklmnop")},
    )
    row: Any = latest.rows()[0]

    assert 5_000 > len(json.dumps(row))
    assert 12 == len(row["values"])


@pytest.mark.parametrize(
    ("key", "shown"), [(None, None), (b"", ""), (b"\xff\x00", "0xff00"), ("ü\n".encode(), "ü\\n")]
)
def test_key_is_text_or_its_bytes(key: bytes | None, shown: str | None) -> None:
    """A key of Avro, say."""
    letter = SeenLetter(1, "decode", "truncated", None, key=key)

    assert shown == letter_view(letter, None)["key"]


def test_infinite_numbers_of_a_snapshot_are_null() -> None:
    """Wherever they are: JSON has none."""
    model = ModelView("m@1", 1, "", "regressor", "", None, None, None, {"auc": nan, "f1": 0.5})
    empty: dict[str, Any] = dict.fromkeys(each.name for each in fields(Snapshot))
    found = json.loads(
        written(Snapshot(**{**empty, "model": model, "now": {"p99_ms": inf}, "latest": [{"a": [-inf]}]}))
    )

    assert {"auc": None, "f1": 0.5} == found["model"]["metrics"]
    assert ({"p99_ms": None}, [{"a": [None]}], None) == (found["now"], found["latest"], found["scores"])
