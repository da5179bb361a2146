"""The command that an operator starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stream.airflow.command_line import (
    Order,
    batch_arguments,
    passwords,
    start_of,
    surroundings,
    train_arguments,
    without_passwords,
)
from stream.cli.batch import batch
from stream.cli.train import train


@pytest.mark.parametrize(
    ("given", "configured", "start"),
    [
        (None, "", (sys.executable, "-P", "-m", "stream")),
        (None, "/opt/stream/bin/stream", ("/opt/stream/bin/stream",)),
        ("/opt/a/stream --debug", "/opt/b/stream", ("/opt/a/stream", "--debug")),
        ("'/opt/with blank/stream'", "", ("/opt/with blank/stream",)),
        (["podman", "run", "a b"], "", ("podman", "run", "a b")),
        (Path("/opt/with blank/stream"), "", ("/opt/with blank/stream",)),
    ],
)
def test_the_operator_goes_over_the_configuration(
    given: str | Path | list[str] | None, configured: str, start: tuple[str, ...]
) -> None:
    """A text is split as a shell would; a list is not."""
    assert start == start_of(given, configured)


def test_another_interpreter_is_not_told_of_this_ones_libraries() -> None:
    """Unless the operator says so."""
    own = {"PYTHONPATH": "/airflow", "VIRTUAL_ENV": "/airflow", "PATH": "/bin"}

    assert own == surroundings((sys.executable, "-P", "-m", "stream"), own, None)
    assert {"PATH": "/bin"} == surroundings(("/opt/stream/bin/stream",), own, None)
    assert {"PATH": "/bin", "PYTHONPATH": "/mine"} == surroundings(("stream",), own, {"PYTHONPATH": "/mine"})


def test_batch_takes_the_arguments() -> None:
    """Whatever inputs and options are called; the command's own parser is asked."""
    arguments = batch_arguments(
        ["-odd.csv", "b.csv"], "/out", replace=True, options={"run_key": "--a/b", "model": None},
        more=["--since", "last"],
    )  # fmt: skip
    taken = batch.make_context("batch", list(arguments[1:])).params

    assert ("batch", ("-odd.csv", "b.csv"), "--a/b") == (arguments[0], taken["inputs"], taken["run_key"])
    assert (True, "last", None, True) == (taken["replace"], taken["since"], taken["model"], taken["json_out"])


def test_train_takes_the_arguments() -> None:
    """Parameters keep their types: a text stays as it is, all else is JSON."""
    arguments = train_arguments(
        "r.py", "/out", fixed={"C": 0.5, "solver": "lbfgs", "flag": True},
        options={"require": "better", "run_key": "k"}, more=["--no-card"],
    )  # fmt: skip
    taken = train.make_context("train", list(arguments[1:])).params

    assert ("C=0.5", "solver=lbfgs", "flag=true") == taken["fixed"]
    assert ("better", "k", True) == (taken["require"], taken["run_key"], taken["no_card"])


def test_an_order_travels() -> None:
    """To the process that watches over the command."""
    order = Order(("stream", "batch"), {"A": "ü"}, "/data", 1.5)

    assert order == Order.from_json(order.to_json())


def test_numbers_and_paths_become_words() -> None:
    """As templates that keep types, and results of other tasks, give them."""
    arguments = batch_arguments(
        [Path("/days")], "/out", replace=False, options={}, more=["--processes", 2]
    )  # fmt: skip

    assert ("--processes", "2", "--", "/days") == arguments[-4:]
    assert {"N": "2", "HOME": "/data"} == surroundings(("stream",), {}, {"N": 2, "HOME": Path("/data")})


@pytest.mark.parametrize(
    ("word", "secrets"),
    [
        ("--track=http://user:p@ss%21word@host:5000/x", {"p@ss%21word", "p@ss!word"}),
        ("https://token@host", {"token"}),
        ("postgresql://u:one@h/db postgresql://u:two@h/db", {"one", "two"}),
        ("models:/flights@champion", set()),
        ("s3://bucket/a@b.csv", set()),
    ],
)
def test_passwords_of_urls_are_found(word: str, secrets: set[str]) -> None:
    """Airflow is told of them before it shows the arguments, and hides them in every line of the log."""
    assert secrets == set(passwords([word]))


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("--track=http://me:pa%2Fss@host:1/a", "--track=http://me:***@host:1/a"),
        ("http://token@host", "http://***@host"),
        ("--model=/data/models/flights@7", "--model=/data/models/flights@7"),
    ],
)
def test_password_of_a_word_is_not_shown(word: str, shown: str) -> None:
    """What is no password stays as it is."""
    assert shown == without_passwords(word)
