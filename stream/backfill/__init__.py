"""A bounded range of the input topic, scored again: exactly once, beside the live group and apart from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.backfill.backfill_opening import Scene, look_at, opened_backfill
    from stream.backfill.backfill_run import Backfill
    from stream.backfill.backfill_wish import BackfillWish
    from stream.backfill.bounds import Bound, read_bound
    from stream.backfill.forecast import Forecast, foresee
    from stream.backfill.plan import Extent, Plan

__all__ = [
    "Backfill",
    "BackfillWish",
    "Bound",
    "Extent",
    "Forecast",
    "Plan",
    "Scene",
    "foresee",
    "look_at",
    "opened_backfill",
    "read_bound",
]

__getattr__ = lazy_face(__name__)
