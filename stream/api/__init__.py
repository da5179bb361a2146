"""
What Python has of it: a package as an object that is asked about frames and rows, and what the commands do.

The answers are those of every other door: they come from `stream.table`, as in files, SQL and REST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.api.contract_view import Contract
    from stream.api.estimator_packing import pack
    from stream.api.loaded_model import Model
    from stream.api.loading import load
    from stream.api.package_check import check
    from stream.api.topic_frame import read_predictions

__all__ = ["Contract", "Model", "check", "load", "pack", "read_predictions"]

__getattr__ = lazy_face(__name__)
