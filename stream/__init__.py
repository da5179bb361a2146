"""
A scikit-learn model's answers: on a Kafka stream, over REST, in SQL, on files, and here.

    import stream

    model = stream.load("models/flights")
    model.predict(frame)

Importing it starts nothing, configures nothing and waits for no other library: each name is imported when it is
asked for. docs/python.md says more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.api import Contract, Model, check, load, pack, read_predictions
    from stream.errors import (
        InputError,
        PackageError,
        Refused,
        SampleError,
        SchemaError,
        SettingsError,
        Stopped,
        StreamError,
    )

__all__ = [
    "Contract",
    "InputError",
    "Model",
    "PackageError",
    "Refused",
    "SampleError",
    "SchemaError",
    "SettingsError",
    "Stopped",
    "StreamError",
    "check",
    "load",
    "pack",
    "read_predictions",
]

__getattr__ = lazy_face(__name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
