"""Numbers and dates in other spellings: named, never guessed."""

from __future__ import annotations

import pytest

from stream.types import Misfit, date_spelling, number_spelling, type_called


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,5", "decimal comma"), ("-12,90", "decimal comma"), ("1.234,5", "decimal comma"), (",5", "decimal comma"),
        ("1,5e3", "decimal comma"), ("0,126", "decimal comma"), ("1,234", "for thousands or for decimals"),
        ("1,234.5", "thousands apart"), ("1 234", "thousands apart"), ("1'234.5", "thousands apart"),
        ("12%", "percentage"), ("12,5 %", "percentage"), ("$1,000", "currency"), ("3.50€", "currency"),
        (" 12", "blanks"), ("12 ", "blanks"),
    ],
)  # fmt: skip
def test_number_in_another_spelling_is_named(text: str, expected: str) -> None:
    """With what to write."""
    found = number_spelling(text)

    assert found is not None
    assert expected in found
    assert "1234.5" in found
    assert date_spelling(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("19/10/2013", "as day/month/year:"), ("10/19/2013", "as month/day/year:"),
        ("19.10.2013", "as day.month.year:"),
        ("01/02/2013", "as day/month/year or as month/day/year:"), ("19-10-13", "as day-month-year of two digits:"),
        ("19/10/2013 08:00", "as day/month/year:"), ("10/19/2013 8:00 PM", "as month/day/year:"),
        ("2013/10/19", "that isn't ISO 8601:"), ("2024-02-30", "not in the calendar"),
        ("2024-02-03 08:00 UTC", "a time that isn't ISO 8601"), ("2013-1-9", "that isn't ISO 8601:"),
        ("19 Oct 2013", "its month's name:"),
        ("October 19, 2013", "its month's name:"), ("19-Oct-13", "its month's name:"),
    ],
)  # fmt: skip
def test_date_in_another_spelling_is_named(text: str, expected: str) -> None:
    """Where day and month can't be told apart, both are named."""
    found = date_spelling(text)

    assert found is not None
    assert expected in found
    assert number_spelling(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "a", "1.2.3", "192.168.0.1", "40/50/2013", "1/2", "12:30", "May", "10.1.2013x", "a,b", "1,2,3", "-", ",", "%",
     "0/0/2013", "2013-10-19 and on", "2013-10-19", "2013-10-19T08:00:00Z", "2013-10-19 08:00",
     "1-800-555"],
)  # fmt: skip
def test_other_texts_are_not_named(text: str) -> None:
    """A hint that is wrong is worse than none."""
    assert (None, None) == (number_spelling(text), date_spelling(text))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [("double", "0,5", "decimal comma"), ("long", "1 000", "thousands"), ("date", "19/10/2013", "day/month/year"),
     ("timestamp-micros", "10/19/2013 08:00", "month/day/year")],
)  # fmt: skip
def test_value_that_does_not_fit_says_how_it_is_spelt(kind: str, text: str, expected: str) -> None:
    """In a dead row, in a request's answer, in `produce`."""
    with pytest.raises(Misfit, match=expected):
        type_called(kind).reader(nullable=True, text=True)(text)


@pytest.mark.parametrize("kind", ["double", "float", "long", "int", "decimal(9,2)"])
def test_blanks_around_a_number_are_passed_over_in_a_csv_only(kind: str) -> None:
    """As pandas reads `1, 2`; a text of JSON is not a csv's cell."""
    found = type_called(kind)

    assert [7, 7, 7] == [found.read(cell, text=True) for cell in (" 7", "7 ", "\t7 ")]
    with pytest.raises(Misfit):
        found.read(" 7", text=False)
    with pytest.raises(Misfit):
        found.read("7\n", text=True)
