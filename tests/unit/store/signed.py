"""Small packages, keys to sign them with, and what a forger does to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from stream.store import Package, PackRequest, SigningKey, pack

OURS, THEIRS = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)


class Threshold:
    """An estimator of a user's own class: 1 above a limit, else 0."""

    n_features_in_ = 1

    def __init__(self, limit: float = 0.0) -> None:
        self.limit = limit

    def predict(self, x: np.ndarray) -> np.ndarray:
        """A label for each row."""
        return (np.asarray(x)[:, 0] > self.limit).astype(int)


class Canary:
    """Unpickled, it leaves a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.place,)


def packed(folder: Path, signer: SigningKey | None = None, scale: float = 1.0) -> Package:
    """The next version of a small classifier's package."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=20), "b": rng.normal(size=20)})
    estimator = LogisticRegression(C=scale).fit(frame, (frame["a"] > 0).astype(int))
    request = PackRequest("m", folder, metrics={"auc": 0.912345, "rows": 20}, signer=signer)
    return pack(estimator, request, sample=frame).package


def rewrite(version: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest, as someone would who knows its format."""
    document = json.loads((version / "manifest.json").read_text())
    change(document)
    (version / "manifest.json").write_text(json.dumps(document))


def replace_file(version: Path, name: str, content: bytes) -> None:
    """Replace a file, and its hash in the manifest."""
    (version / name).write_bytes(content)
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    rewrite(version, lambda document: document["files"].update({name: entry}))
