"""deploy/prometheus/alerts.yml → the table of docs/operations.md, and the same rules for an operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

__all__ = ["RULES", "rules", "table"]

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"


def rules() -> list[dict[str, Any]]:
    """Every rule, in the order of the file."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def table() -> str:
    """A line for each alert."""
    lines = ["| alert | severity | fires when | for |", "|---|---|---|---|"]
    for rule in rules():
        name, severity = rule["alert"], rule["labels"]["severity"]
        condition = " ".join(rule["expr"].split()).replace("|", "\\|")
        lines.append(
            f"| [{name}](#{name.lower()}) | {severity} | `{condition}` | {rule.get('for', 'at once')} |"
        )
    return "\n".join(lines)
