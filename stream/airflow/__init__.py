"""
Apache Airflow's provider: operators that run `stream train` and `stream batch`, the assets that join them, links.

Airflow's environment need not have prediction-stream's libraries: the operators start the command `stream`, which may
live in an environment of its own (docs/airflow.md). This room needs Airflow and Python's standard library only, and
importing this face imports neither: Airflow asks for the provider's metadata while it is itself being imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.airflow.asset_uris import model_asset, predictions_asset
    from stream.airflow.links import ModelCardLink, OutputLink, TrackedRunLink
    from stream.airflow.operators import StreamBatchOperator, StreamTrainOperator
    from stream.airflow.run_trigger import StreamRunTrigger

__all__ = [
    "ModelCardLink",
    "OutputLink",
    "StreamBatchOperator",
    "StreamRunTrigger",
    "StreamTrainOperator",
    "TrackedRunLink",
    "model_asset",
    "predictions_asset",
]

__getattr__ = lazy_face(__name__)
