"""The nearest of the known names, for hints."""

from __future__ import annotations

import pytest

from stream.nearest import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "expected"),
    [("humidty", "humidity"), ("wind-speed", "wind_speed"), ("WindSpeed", "wind_speed"), ("tmp", "temp")],
)
def test_a_misspelt_word_finds_the_name_it_means(word: str, expected: str) -> None:
    """A slip of the keyboard, another case and other punctuation lead to the name as it is known."""
    assert [expected] == nearest(word, ["temp", "humidity", "wind_speed"])


def test_the_likest_come_first_and_no_more_than_asked_for() -> None:
    """Of several names that are near, the nearest lead."""
    assert ["alpha2", "alpha21"] == nearest("alpha2", ["alpha21", "alpha2", "alpha213"], most=2)


def test_nothing_is_near_a_word_of_its_own() -> None:
    """A word that is like no name finds none, and asks no question."""
    assert [] == nearest("station", ["temp", "humidity"])
    assert "" == did_you_mean("qqqq", ["temp", "humidity"])


def test_the_likeness_asked_for_is_kept() -> None:
    """A name that is near enough for one caller is too far for a stricter one."""
    assert ["humidity"] == nearest("humid", ["humidity"], 0.7)
    assert [] == nearest("humid", ["humidity"], 0.85)


def test_a_word_without_letters_is_compared_as_it_is() -> None:
    """Punctuation alone is still a name."""
    assert ["--"] == nearest("--", ["--", "temp"])


def test_the_question_names_the_nearest() -> None:
    """The hint quotes the known name."""
    assert "did you mean `topic`?" == did_you_mean("topc", ["topic", "schema"])
