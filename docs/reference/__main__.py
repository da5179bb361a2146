"""`python -m docs.reference [--check]`: write the generated parts of the pages, or only compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from docs.reference import (
    alerts,
    commands,
    configuration,
    doctor,
    faults,
    manifests,
    onnx_models,
    pictures,
    race,
    rights,
    tables,
    transaction,
    type_table,
)
from docs.reference.marks import replaced

__all__ = ["FILES", "PARTS", "page", "stale"]

DOCS = Path(__file__).parents[1]

PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "bigquery.md": {"models": onnx_models.text},
    "configuration.md": {"settings": configuration.text, "properties": configuration.properties_text},
    "metrics.md": {"metrics": tables.metrics},
    "cli.md": {"commands": commands.text},
    "training.md": {"recipe": tables.recipe},
    "guarantees.md": {
        "transaction": transaction.diagram,
        "decisions": transaction.decisions,
        "faults": faults.text,
    },
    "operations.md": {
        "alerts": alerts.table,
        "checks": doctor.text,
        "errors": tables.errors,
        "log events": tables.log_events,
    },
    "performance.md": {"race": race.results, "absent": race.absent, "paper": race.paper},
    "security.md": {"rights": rights.table, "grants": rights.grants},
    "tracing.md": {"attributes": tables.attributes, "messaging": tables.messaging_metrics},
    "types.md": {"types": type_table.forms, "names": type_table.names},
    "wire-format.md": {"headers": tables.headers, "reasons": tables.reason_table},
}
"""Page → mark → what stands there."""

FILES: Mapping[str, Callable[[], str]] = {
    "../deploy/kubernetes/components/monitoring/rules.yaml": manifests.rules,
    "../deploy/kubernetes/components/strimzi/topics.yaml": manifests.topics,
    "../deploy/kubernetes/components/strimzi/users.yaml": manifests.users,
    "images/race.svg": race.chart,
    **{
        f"images/strategies/{name}.svg": partial(pictures.svg, one) for name, one in pictures.PICTURES.items()
    },
}
"""Files that are written whole; paths begin at docs/."""


def page(name: str) -> str:
    """A page, or a file that is written whole, as it should be."""
    if name in FILES:
        return FILES[name]()
    text = (DOCS / name).read_text("utf-8")
    for mark, make in PARTS[name].items():
        text = replaced(text, mark, make())
    return text


def stale() -> list[str]:
    """The pages and files that are not as they should be."""
    return [name for name in (*PARTS, *FILES) if page(name) != _there(DOCS / name)]


def _there(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def main() -> int:
    """Write or compare; exit 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="scripts/docs", description="The generated parts of docs/.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a page is out of date"
    )
    check = parser.parse_args().check
    found = stale()
    for name in found:
        if check:
            sys.stderr.write(f"docs/{name} is out of date; run scripts/docs\n")
        else:
            (DOCS / name).write_text(page(name), "utf-8")
            sys.stdout.write(f"docs/{name}\n")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
