"""What JSON leaves open: numbers with more digits than float64 holds, keys that come twice."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from stream.types import AvroType, Misfit, decimal_of, json_decoder, parse_json, type_of

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


@pytest.mark.parametrize("parse", [parse_json, json_decoder().decode], ids=["whole", "piecewise"])
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('[{"b": {"c": 1, "a": 2, "c": 3}}]', "c"),
        (r'{"a": 1, "\u0061": 2}', "a"),
        ('{"": 1, "": 2}', ""),
        ('{"a": null, "a": {}}', "a"),
    ],
)
def test_key_that_comes_twice_is_refused(text: str, key: str, parse: Any) -> None:
    """At any depth, however it is spelled, whatever its values: which of them counts would be a guess."""
    with pytest.raises(ValueError, match=f"^an object has the key '{key}' twice"):
        parse(text)


def test_same_key_in_other_objects_and_other_spellings_are_no_duplicates() -> None:
    """An object's keys are its own, and JSON's texts are compared by character."""
    assert [{"a": {"a": 1}}, {"a": 2}] == parse_json('[{"a": {"a": 1}}, {"a": 2}]')
    assert {"a": 1, "A": 2, "é": 3, "e\u0301": 4} == parse_json('{"a": 1, "A": 2, "é": 3, "e\u0301": 4}')


def test_many_keys_are_looked_at_once_each() -> None:
    """The last key is compared with no others."""
    keys = ",".join(f'"{i}":1' for i in range(100_000))

    with pytest.raises(ValueError, match="the key '99999' twice"):
        parse_json(f'{{{keys},"99999":2}}')


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("1e-99999999999999999999", ["wrong_type", "wrong_type", 0.0, 0.0, "value_out_of_range"]),
        ("-1.5e-99999999999999999999", ["wrong_type", "wrong_type", 0.0, 0.0, "value_out_of_range"]),
        ("0e-99999999999999999999", [0, 0, 0.0, 0.0, Decimal("0.00")]),
        ("0.0E+99999999999999999999", [0, 0, 0.0, 0.0, Decimal("0.00")]),
        ("-1e99999999999999999999", ["value_out_of_range"] * 5),
    ],
)
def test_number_with_an_exponent_of_twenty_digits_is_read_or_refused(
    number: str, expected: list[object]
) -> None:
    """Python's decimals have no such exponents; a cell and JSON say the same."""
    kinds = [*map(type_of, ("int", "long", "float", "double")), decimal_of(9, 2)]

    def found(kind: AvroType, value: object, *, text: bool) -> object:
        try:
            return kind.read(value, text=text)
        except Misfit as misfit:
            return misfit.reason

    assert expected == [found(kind, parse_json(number), text=False) for kind in kinds]
    assert expected[:4] == [found(kind, number, text=True) for kind in kinds[:4]]
