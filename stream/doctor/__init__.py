"""`stream doctor`: can this machine really run this configuration? Looks at everything, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.doctor.bundle import write_bundle
    from stream.doctor.case import Case
    from stream.doctor.check_table import CHECKS
    from stream.doctor.diagnosis import Diagnosis
    from stream.doctor.examination import ALL_S, examine, unreadable

__all__ = ["ALL_S", "CHECKS", "Case", "Diagnosis", "examine", "unreadable", "write_bundle"]

__getattr__ = lazy_face(__name__)
