"""Links on a task's page: the model card, the folder that was written, the run in MLflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink, conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

__all__ = ["ModelCardLink", "OutputLink", "TrackedRunLink"]


def _url(path: str) -> str:
    """Where a browser finds a file, by `[prediction_stream] file_urls`; else its `file:` URI, to be copied."""
    places: Mapping[str, str] = json.loads(conf.get("prediction_stream", "file_urls", fallback="{}") or "{}")
    found = PurePosixPath(path)
    for folder in sorted(places, key=len, reverse=True):
        if found.is_relative_to(folder):
            return f"{places[folder].rstrip('/')}/{quote(str(found.relative_to(folder)))}"
    return f"file://{quote(path)}"


class ModelCardLink(BaseOperatorLink):
    """The card of the version that `stream train` packed."""

    @property
    def name(self) -> str:
        """On the button."""
        return "Model card"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """
        Args:
            operator: that has run.
            ti_key: its task instance.
        Returns: the URL; empty where there is no card.
        """
        card = getattr(operator, "card", None)
        return _url(card) if card else ""


class OutputLink(BaseOperatorLink):
    """The version's folder, or the run's."""

    @property
    def name(self) -> str:
        """On the button."""
        return "Output"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """
        Args:
            operator: that has run.
            ti_key: its task instance.
        Returns: the URL; empty where nothing was written.
        """
        folder = getattr(operator, "written", None)
        return f"{_url(folder)}/" if folder else ""


class TrackedRunLink(BaseOperatorLink):
    """The run in MLflow, of a training that was tracked."""

    @property
    def name(self) -> str:
        """On the button."""
        return "MLflow run"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """
        Args:
            operator: that has run.
            ti_key: its task instance.
        Returns: the URL; empty where the training was not tracked.
        """
        return getattr(operator, "tracked", None) or ""
