"""Versions of a package as the command line shows them: in a table, as JSON, one alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stream.cli.terminal import print_line, print_table, short

if TYPE_CHECKING:
    from stream.store import Listed, Shown

__all__ = ["listed_entry", "listed_row", "print_shown"]

_METRICS = 3
"""Metrics shown in a line of the table; `show` has all of them."""


def listed_entry(one: Listed) -> dict[str, object]:
    """A version as JSON has it."""
    manifest = one.manifest
    return {
        "version": one.version, "current": one.current,
        "name": manifest and manifest.name, "created": manifest and manifest.created,
        "task": manifest and manifest.task, "metrics": dict(manifest.metrics) if manifest else {},
        "signed": one.signed, "signer": one.signer, "size_bytes": one.size_bytes, "problem": one.problem,
    }  # fmt: skip


def listed_row(one: Listed) -> dict[str, object]:
    """A version as a row of the table."""
    manifest = one.manifest
    signed = one.signed if one.signer is None else f"{one.signer[:23]}…"
    return {
        "version": one.version,
        "current": "*" if one.current else "",
        "packed": manifest.created if manifest else "can't be read",
        "task": manifest.task if manifest else None,
        "metrics": _summary(manifest.metrics) if manifest else None,
        "signed": signed if manifest else None,
        "size": _size(one.size_bytes) if manifest else None,
    }


def _summary(metrics: Mapping[str, float | int | str]) -> str:
    return ", ".join(f"{name} {short(value)}" for name, value in [*metrics.items()][:_METRICS])


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.0f} KiB" if size_bytes < 1024**2 else f"{size_bytes / 1024**2:,.1f} MiB"


def print_shown(shown: Shown) -> None:
    """One version, for people."""
    manifest = shown.manifest
    registered = manifest.registered
    about = {
        "model": manifest.model,
        "registered": registered and f"{registered.uri}, packed as {registered.packed}",
        "folder": shown.path,
        "packed": manifest.created,
        "signed": shown.signer or shown.signed,
        "task": manifest.task,
        "classes": None if manifest.classes is None else ", ".join(map(short, manifest.classes)),
        "answer": manifest.answer,
        "score": manifest.score_meaning,
        "carries": ", ".join(manifest.carry) or None,
        "tolerance": f"{manifest.tolerance:g}",
        "proof": manifest.proof,
        "engine": manifest.compiled,
    }
    about |= {name: f"CRC-64-AVRO {text}" for name, text in shown.fingerprints.items()}
    about |= {f"metric {short(name)}": short(value) for name, value in manifest.metrics.items()}
    about |= {
        f"file {name}": f"{entry.size_bytes:,} bytes, sha256 {entry.sha256}"
        for name, entry in manifest.files.items()
    }
    about["libraries"] = ", ".join(
        f"{short(name)} {short(text)}" for name, text in manifest.libraries.items()
    )
    lines = [(name, value) for name, value in about.items() if value is not None]
    lines += [("differs", short(text)) for text in shown.differences]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print_line(f"{name:<{width}}  {value}")
    print_line()
    print_table(
        [
            {
                "feature": f.name,
                "field": f.path,
                "avro": f.avro,
                "null": "allowed" if f.nullable else "",
                "as": f"{f.kind} ({f.dtype})" if f.dtype else f.kind,
            }
            for f in manifest.features
        ]
    )
