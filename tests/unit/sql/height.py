"""A model of one number, for questions in SQL."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from stream.store import PackRequest, pack

__all__ = ["pack_height"]


def pack_height(folder: Path) -> Path:
    """Is x high? From 2 on, and never for a null; returns the folder."""
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
    tree = DecisionTreeClassifier(random_state=0).fit(frame, ["low", "low", "high", "high"])
    pack(tree, PackRequest("height", folder), sample=frame)
    return folder
