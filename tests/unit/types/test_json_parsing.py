"""Numbers of JSON with more digits than float64 holds."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from stream.types import Misfit, decimal_of, json_decoder, parse_json, type_of

DECIMAL = decimal_of(24, 4)


@pytest.mark.parametrize("parse", [parse_json, json_decoder().decode], ids=["whole", "piecewise"])
@pytest.mark.parametrize(
    "text",
    [
        "12345678901234567890.1234",
        "-1234567890123.4567",
        "123456789012345678.00",
        "1.23456789012345678901e19",
    ],
)
def test_a_decimal_written_as_a_number_keeps_its_digits(text: str, parse: Any) -> None:
    """Those that a float64 would round."""
    (found,) = parse(f"[{text}]")

    assert Decimal(text) == DECIMAL.read(found, text=False)
    assert float(text) == found == type_of("double").read(found, text=False)
    assert float is type(type_of("double").read(found, text=False))


def test_a_whole_number_written_with_a_point_keeps_its_digits() -> None:
    """As in a csv; one between two whole numbers is refused."""
    long = type_of("long")

    assert 2**53 + 1 == long.read(parse_json("9007199254740993.0"), text=False)
    with pytest.raises(Misfit, match="expected long, found 9007"):
        long.read(parse_json("9007199254740993.5"), text=False)


@pytest.mark.parametrize(
    "text", ["0.30000000000000004", "1.2345678901234567", "1e-7", "100000000000000000.0", "7.5"]
)
def test_a_number_that_float64_holds_is_a_plain_float(text: str) -> None:
    """As Python and pandas write them."""
    assert float is type(parse_json(text))


def test_a_long_number_goes_to_another_process() -> None:
    """With its digits."""
    found = pickle.loads(pickle.dumps(parse_json("1234567890123.4567")))

    assert "1234567890123.4567" == repr(found)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_does_not_have_are_asked_for(text: str) -> None:
    """They are numbers for Python's own writer, and for nobody else."""
    assert repr(float(text)) == repr(parse_json(text, constants=True))
    with pytest.raises(ValueError, match=f"{text} is not JSON"):
        parse_json(text)
