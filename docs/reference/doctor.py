"""`stream/doctor/check_table.py` → the table of docs/operations.md."""

from __future__ import annotations

from stream.doctor import CHECKS

__all__ = ["text"]


def text() -> str:
    """Every line of `stream doctor`."""
    lines = ["| line | looks at | says | not looked at where these fail |", "|---|---|---|---|"]
    for check in CHECKS:
        needs = ", ".join(f"`{name}`" for name in check.needs) or "–"
        lines.append(f"| `{check.name}` | {check.about} | {check.bad} | {needs} |")
    return "\n".join(lines)
