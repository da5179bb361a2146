"""Our own tags of a training that is tracked: every name, once."""

from __future__ import annotations

__all__ = [
    "CHANGED",
    "CHOSEN",
    "COMPARISON",
    "FAILURE",
    "MANIFEST_SHA256",
    "MODEL",
    "NOT_PACKED",
    "RECIPE",
    "RELEASE",
    "RUN_TAGS",
    "VERDICT",
]

RECIPE = "stream.recipe"
"""The recipe's path."""
RELEASE = "stream.release"
"""The version of prediction-stream."""
CHANGED = "stream.git.changed"
"""`true` where the recipe's folder is not as the commit has it, else `false`."""
CHOSEN = "stream.chosen"
"""`true` at the candidate that was packed."""
VERDICT = "stream.verdict"
"""Of the comparison: `better`, `worse` …"""
COMPARISON = "stream.comparison"
"""The same as a sentence."""
NOT_PACKED = "stream.not_packed"
"""Which requirement did not hold."""
FAILURE = "stream.failure"
"""Why the training failed."""
MODEL = "stream.model"
"""`NAME@VERSION` of the package."""
MANIFEST_SHA256 = "stream.manifest_sha256"
"""Of the package's manifest."""

RUN_TAGS = frozenset({
    RECIPE, RELEASE, CHANGED, CHOSEN, VERDICT, COMPARISON, NOT_PACKED, FAILURE, MODEL, MANIFEST_SHA256,
})  # fmt: skip
"""All of them."""
