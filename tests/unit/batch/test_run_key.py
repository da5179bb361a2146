"""A key names the work: one run of it, whoever starts it, however often."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from stream.batch import (
    Job,
    RunRecord,
    Title,
    find_inputs,
    key_held,
    open_run,
    past_runs,
    plan_inputs,
    run_local,
    run_of_key,
    scored_hashes,
)
from stream.errors import SettingsError
from stream.store import open_package
from stream.tasks import BatchOptions, once

FLIGHTS = Path("models/flights").absolute()
NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)
HEADER = "flight_id,carrier,origin,dest,distance,dep_delay,weekday,hour,temp,humid,wind_speed,precip,pressure,visib"


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """A csv of one flight."""
    path = tmp_path / "f.csv"
    path.write_text(f"{HEADER}\nf1,UA,EWR,IAH,1400,2,1,5,,,,,,\n")
    return path


def publish(output: Path, flights: Path, key: str, replaces: str = "") -> RunRecord:
    """A whole run, in this process."""
    plan = plan_inputs(find_inputs([str(flights)]))
    with open_run(output, plan, Title("flights@1", "0" * 64, "csv", "local", key), NOW) as run:
        job = Job(partial(open_package, FLIGHTS), plan.inputs, str(run.folder), "csv")
        return run.publish(run_local(run, job, 1), NOW, {"label": '"boolean"'}, replaces)


def test_a_second_attempt_waits_and_finds_the_first_ones_run(tmp_path: Path, flights: Path) -> None:
    """The lock is held until the run is visible: nobody looks between the look and the publishing."""
    output, waits, found = tmp_path / "out", threading.Event(), list[RunRecord | None]()

    def second() -> None:
        with key_held(output, "day", waits.set) as record:
            found.append(record)

    thread = threading.Thread(target=second)
    with key_held(output, "day") as nothing:
        thread.start()
        assert waits.wait(60)
        made = publish(output, flights, "day")
    thread.join(60)

    assert (None, [made]) == (nothing, found)
    assert [f"run={made.run}"] == [path.name for path in output.iterdir()]


def test_another_key_does_not_wait(tmp_path: Path) -> None:
    """Two days may be scored at once."""
    with key_held(tmp_path, "monday"), key_held(tmp_path, "tuesday", lambda: pytest.fail("waited")) as record:
        assert record is None


def test_a_holder_that_failed_leaves_the_key_free(tmp_path: Path) -> None:
    """Whatever ended the first attempt, the next one has the key, and finds no run."""
    with pytest.raises(ZeroDivisionError), key_held(tmp_path, "day"):
        raise ZeroDivisionError
    with key_held(tmp_path, "day", lambda: pytest.fail("waited")) as record:
        assert record is None


def test_a_key_can_not_be_held_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A file where the folder should be is refused as for any run."""
    (tmp_path / "out").write_text("")

    with (
        pytest.raises(SettingsError, match="nothing can be started there"),
        key_held(tmp_path / "out", "day"),
    ):
        pass


def test_the_record_keeps_key_and_columns(tmp_path: Path, flights: Path) -> None:
    """It is found by its key; its inputs count as scored for every key but its own."""
    made = publish(tmp_path / "out", flights, "day")

    assert ("day", {"label": '"boolean"'}) == (made.key, made.columns)
    assert made == run_of_key(tmp_path / "out", "day")
    assert run_of_key(tmp_path / "out", "night") is None
    assert (frozenset(), 1) == (
        scored_hashes(tmp_path / "out", "day"),
        len(scored_hashes(tmp_path / "out", "night")),
    )


def test_a_run_of_one_key_is_not_resumed_under_another(tmp_path: Path, flights: Path) -> None:
    """The stopped attempt's parts wait for its own retry."""
    plan = plan_inputs(find_inputs([str(flights)]))
    names = []
    for key in ("monday", "tuesday", "monday"):
        with open_run(tmp_path / "out", plan, Title("flights@1", "0" * 64, "csv", "local", key), NOW) as run:
            names.append(run.name)

    assert (names[0], True) == (names[2], names[0] != names[1])


def test_a_replaced_run_makes_way(tmp_path: Path, flights: Path) -> None:
    """Readers never see both."""
    old = publish(tmp_path / "out", flights, "day")
    new = publish(tmp_path / "out", flights, "day", replaces=old.run)

    assert [new] == past_runs(tmp_path / "out")
    assert [f"run={new.run}"] == [path.name for path in (tmp_path / "out").iterdir()]


def test_a_replacement_that_was_killed_between_its_renames_is_finished_by_the_next_attempt(
    tmp_path: Path, flights: Path
) -> None:
    """The old run is out of sight by then; it is not named again, and not left behind."""
    output = tmp_path / "out"
    old = publish(output, flights, "day")
    plan = plan_inputs(find_inputs([str(flights)]))
    with open_run(output, plan, Title("flights@1", "0" * 64, "csv", "local", "day"), NOW) as run:
        (output / f"run={old.run}").rename(run.folder / f"replaced-{old.run}")

    new = publish(output, flights, "day")

    assert run.name == new.run
    assert [f"run={new.run}"] == [path.name for path in output.iterdir()]


@pytest.mark.parametrize("key", ["", "monday"])
def test_new_files_are_chosen_by_one_process_at_a_time(tmp_path: Path, key: str) -> None:
    """Of two commands that score what is new the second waits; their keys do not matter, and no file is left."""
    waits, chosen = threading.Event(), threading.Event()

    def second() -> None:
        with once(BatchOptions(tmp_path, key=key), lambda _: waits.set(), new_only=True):
            chosen.set()

    thread = threading.Thread(target=second)
    with once(BatchOptions(tmp_path, key="tuesday"), lambda _: pytest.fail("waited"), new_only=True):
        thread.start()
        assert waits.wait(60)
        assert not chosen.is_set()
    thread.join(60)

    assert (True, []) == (chosen.is_set(), list(tmp_path.iterdir()))


def test_all_files_are_chosen_by_several_at_once(tmp_path: Path) -> None:
    """Without `--since last` another key's command does not wait."""
    with (
        once(BatchOptions(tmp_path, key="tuesday"), lambda _: pytest.fail("waited"), new_only=True),
        once(BatchOptions(tmp_path, key="monday"), lambda _: pytest.fail("waited")) as found,
    ):
        assert found is None
