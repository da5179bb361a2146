"""Doubles that are taken at once are those that the type's own reading of one value gives."""

from __future__ import annotations

import pytest

from stream.types import AvroType, Misfit, type_of

TEXTS = (
    "1.5", "-0.25", "+3.0", "007.5", "123456789012345.5", "9007199254740993.0", "1" * 400 + ".0", "1.5e3", " 1.5",
    "1_0.5", "1.", ".5", "1.5\n", "nan", "NA", "inf", "", "x", "١.٥",
)  # fmt: skip
VALUES = (*TEXTS, 1.5, -0.0, float("nan"), float("inf"), 3, True, None, [1.5])


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_a_quick_value_is_the_careful_one(value: object, nullable: bool, text: bool) -> None:
    """Whatever it is, and whether or not it may be missing."""
    double = type_of("double")
    found = _read(double.reader(nullable=nullable, text=text), value)
    assert _read(AvroType.reader(double, nullable=nullable, text=text), value) == found


def _read(read: object, value: object) -> str:
    try:
        return repr(read(value))  # type: ignore[operator]
    except Misfit as misfit:
        return f"{misfit.reason}: {misfit}"
