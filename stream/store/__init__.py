"""Model packages on disk: opened with every hash checked first, and written so that a half one is never seen."""

from stream.store.folder import current_version, versions
from stream.store.opening import Package, open_package
from stream.store.packing import Packed, Wish, pack, pack_estimator_file

__all__ = [
    "Package",
    "Packed",
    "Wish",
    "current_version",
    "open_package",
    "pack",
    "pack_estimator_file",
    "versions",
]
