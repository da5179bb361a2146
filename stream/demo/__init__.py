"""The demo: real flights, replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.demo.demo_run import DemoOptions, run_demo
    from stream.demo.view import View

__all__ = ["DemoOptions", "View", "run_demo"]

__getattr__ = lazy_face(__name__)
