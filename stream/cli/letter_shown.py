"""Dead letters as the command line shows them: a line, a JSON object, a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stream.cli.terminal import say, short

if TYPE_CHECKING:
    from stream.redrive import FieldView, LetterScan, LetterView, StoredLetter

__all__ = ["count_rows", "entry", "instant", "line", "most", "nothing_found", "view_entry", "view_lines"]

AROUND = 12
"""Bytes shown on each side of the one that failed."""

FIRST_BYTES = 64
"""Bytes shown of a value of which nothing can be read."""


NAMES_SHOWN = 20
"""Reasons, stages or models, the most frequent: anybody may write headers, thousands of them."""


def count_rows(title: str, counts: Counter[str]) -> list[dict[str, object]]:
    """Rows of a table: how many letters of each name, and at the end of all the others together."""
    rows: list[dict[str, object]] = [
        {"letters": number, title: name} for name, number in counts.most_common(NAMES_SHOWN)
    ]
    if (others := len(counts) - NAMES_SHOWN) > 0:
        rest = counts.total() - sum(number for _, number in counts.most_common(NAMES_SHOWN))
        rows.append({"letters": rest, title: f"{others:,} others; --json names all reasons and stages"})
    return rows


def most(counts: Counter[str]) -> str:
    """The most frequent names as a list, in order of the alphabet; the others by number."""
    listed = ", ".join(short(name) for name in sorted(name for name, _ in counts.most_common(NAMES_SHOWN)))
    others = len(counts) - NAMES_SHOWN
    return f"{listed} and {others:,} others" if others > 0 else listed


def nothing_found(scan: LetterScan) -> str:
    """What to say where no letter was taken: what there is."""
    if not scan.seen:
        return "there are no dead letters"
    times = f"; records of {instant(scan.first_ms)} to {instant(scan.last_ms)}" if scan.last_ms else ""
    return f"no dead letter matches; reasons there: {most(scan.reasons)}; stages: {most(scan.stages)}{times}"


def tell_hidden(scan: LetterScan) -> None:
    """Say that letters could not be read, where there may be some."""
    if scan.hidden:
        say(
            f"not among them: up to {scan.hidden:,} letters in or behind a transaction that has not ended; look again "
            "in a minute. If it stays so, `kafka-transactions.sh find-hanging` names it"
        )


def instant(ms: int | None) -> str | None:
    """A timestamp as text, the one spelling of instants; None where there is none."""
    from stream.types import type_called

    return str(type_called("timestamp-millis").json_value(ms)) if ms else None


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")


def entry(stored: StoredLetter) -> dict[str, object]:
    """A letter as JSON has it; its value is not decoded."""
    letter = stored.letter
    return {
        "partition": stored.partition,
        "offset": stored.offset,
        "timestamp": instant(letter.timestamp_ms),
        "reason": stored.reason,
        "stage": stored.stage,
        "model": letter.model,
        "topic": letter.topic,
        "source_partition": letter.partition,
        "source_offset": letter.offset,
        "group": letter.connector,
        "count": letter.count,
        "exception": letter.exception,
        "message": letter.message,
        "key": _text(letter.key),
        "copied": stored.copied,
        "value_bytes": None if letter.value is None else len(letter.value),
        "written_by": stored.writer,
    }


def line(stored: StoredLetter) -> str:
    """A letter as a line for people: where it is, when, why, where it is from."""
    letter = stored.letter
    parts = [
        stored.name,
        instant(letter.timestamp_ms) or "no time",
        stored.stage,
        stored.reason,
        letter.model or "no model",
        letter.place or "from an unknown place",
        (letter.message or "") if stored.copied else "no original: the share group did not copy it",
    ]
    return "  ".join(short(part) for part in parts).rstrip()


def view_entry(view: LetterView) -> dict[str, object]:
    """A letter that was looked at, as JSON has it."""
    fault, schema = view.fault, view.schema
    return {
        **entry(view.stored),
        "key_hex": None if view.stored.letter.key is None else view.stored.letter.key.hex(),
        "headers": [[name, _text(content)] for name, content in view.stored.letter.headers],
        "value": {field.name: field.value for field in view.fields if field.read} if schema else None,
        "value_hex": None if view.stored.letter.value is None else view.stored.letter.value.hex(),
        "today": None
        if fault is None
        else {
            "stage": fault.stage,
            "reason": fault.reason,
            "message": fault.message,
            "field": fault.field,
            "byte": view.byte,
        },
        "not_decoded": view.unknown or None,
        "schema": None if schema is None else json.loads(schema.text),
    }


def view_lines(view: LetterView) -> Iterator[str | list[dict[str, object]]]:
    """A letter that was looked at, for people: lines, and the rows of tables."""
    yield from _said(view.stored)
    if view.stored.letter.headers:
        yield ""
        yield [
            {"header of the original": name, "value": "null" if content is None else short(_text(content))}
            for name, content in view.stored.letter.headers
        ]
    yield ""
    yield from _value(view)


def _said(stored: StoredLetter) -> Iterator[str]:
    letter = stored.letter
    rows = {
        "from": letter.place,
        "time": instant(letter.timestamp_ms),
        "key": _text(letter.key),
        "group": letter.connector,
        "stage": stored.stage,
        "reason": stored.reason,
        "exception": letter.exception,
        "message": letter.message,
        "model": letter.model,
        "times dead": letter.count,
    }
    yield from (f"  {name:<11}{short(value)}" for name, value in rows.items() if value is not None)


def _value(view: LetterView) -> Iterator[str | list[dict[str, object]]]:
    value, fault = view.stored.letter.value, view.fault
    if value is not None:
        named = f", schema {view.schema.name}, its Avro from byte {view.body}" if view.schema else ""
        yield f"value: {len(value)} bytes{named}"
    if view.fields:
        yield [_row(field, "unknown" if view.schema is None else "not written") for field in view.fields]
    if view.unknown:
        yield f"not decoded: {view.unknown}"
    elif fault is None:
        yield "today: it decodes, and has what the model needs; `replay --dry-run` says whether the model scores it"
    else:
        yield f"today: still fails: {fault.stage}, {fault.reason}: {fault.message}"
    if value is not None and (view.byte is not None or not view.fields or view.schema is None):
        yield from _bytes(value, view.byte)
    if view.schema is not None:
        yield f"schema: {view.schema.text}"


def _row(field: FieldView, without: str) -> dict[str, object]:
    value = short(json.dumps(field.value, ensure_ascii=False)) if field.read else "not read"
    return {
        "field": field.name,
        "written as": field.written or without,
        "model takes": field.today or "not used",
        "value": value,
        "": "<- failed here" if field.failed else "",
    }


def _bytes(value: bytes, at: int | None) -> Iterator[str]:
    """The bytes around the one that failed, marked; else the first."""
    if at is None:
        more = " …" if len(value) > FIRST_BYTES else ""
        yield f"bytes from 0: {value[:FIRST_BYTES].hex(' ') or 'none'}{more}"
        return
    start = max(0, at - AROUND)
    before, after = value[start:at].hex(" "), value[at + 1 : at + 1 + AROUND].hex(" ")
    here = value[at : at + 1].hex() or "end"
    yield f"byte {at} of the value; from byte {start} on: {before} [{here}] {after}".rstrip()
