"""The model that answers, as the live page shows it: which version, since when, and what became of the others."""

from __future__ import annotations

from stream.app.reload import Reloader
from stream.live import ModelView
from stream.shown import VALUE_CHARS, shown

__all__ = ["model_view"]

METRICS = 12
"""Of the training, shown at most."""


def model_view(reloader: Reloader) -> ModelView:
    """
    Args:
        reloader: of the process.
    """
    manifest, last = reloader.package.manifest, reloader.last
    refused = f"version {last.version}: {last.error}" if last.version is not None else last.error
    return ModelView(
        shown(manifest.model, VALUE_CHARS),
        reloader.since_ms,
        shown(manifest.created, VALUE_CHARS),
        manifest.task,
        _signature(reloader),
        reloader.previous,
        reloader.since_ms if reloader.previous is not None else None,
        shown(refused) if last.error else None,
        {shown(name, VALUE_CHARS): _short(value) for name, value in list(manifest.metrics.items())[:METRICS]},
    )


def _short(value: float | str) -> float | str:
    return shown(value, VALUE_CHARS) if isinstance(value, str) else value


def _signature(reloader: Reloader) -> str:
    signer = reloader.package.signer
    if signer is not None:
        return f"signed by {signer.fingerprint}"
    return "no signature is checked: no keys are trusted ([model] trusted_keys)"
