"""What a run stands on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from stream.demo.stage import DEFAULT_PORT, Assets, Names, choose_port, find_assets, passed_on, write_config
from stream.errors import PackageError, SettingsError


def test_a_wanted_port_that_is_taken_is_refused() -> None:
    """The message names the port; the hint says how to do without."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"--port: can't listen on 127.0.0.1:{port}") as caught:
            choose_port(port)

    assert "leave --port out" in caught.value.hint
    assert choose_port(port) == port


def test_without_a_wish_a_free_port_is_found() -> None:
    """Whether 6066 is taken or not, the port that comes can be listened on."""
    with socket.create_server(("127.0.0.1", choose_port(None))) as first:
        port = first.getsockname()[1]
        if port == DEFAULT_PORT:
            assert choose_port(None) != DEFAULT_PORT


def test_the_environments_settings_do_not_reach_the_demo() -> None:
    """Only a real broker's credentials do, and only with a real broker."""
    environ = {
        "PATH": "/bin",
        "STREAM_CONFIG": "mine.toml",
        "STREAM_INPUT__TOPIC": "mine",
        "STREAM_KAFKA__PROPERTIES": '{"sasl.username": "me"}',
    }

    assert {"PATH": "/bin"} == passed_on(environ, real_broker=False)
    assert {"PATH", "STREAM_KAFKA__PROPERTIES"} == set(passed_on(environ, real_broker=True))


@pytest.mark.parametrize("embedded", [True, False])
def test_the_configuration_is_read_back_as_written(tmp_path: Path, embedded: bool) -> None:
    """Paths with quotes and blanks survive; the embedded broker alone gets its shorter wait."""
    assets = Assets(tmp_path / 'a "b" ü' / "flights", tmp_path / "flight.avsc")
    names = Names.under("flights")

    settings = write_config(
        tmp_path / "stream.toml", "127.0.0.1:9", names, assets, 7070, {}, embedded=embedded
    )

    assert str(assets.model) == settings.model.uri
    assert assets.schema == settings.input.schema
    assert (names.input, names.output, names.dead_letters, names.group) == (
        settings.input.topic,
        settings.output.topic,
        settings.dead_letters.topic,
        settings.kafka.group,
    )
    assert settings.web.port == 7070
    assert not embedded or settings.delivery.guarantee == "at-least-once"
    assert ({"fetch.wait.max.ms": 5} if embedded else {}) == settings.kafka.consumer


def test_fresh_names_are_different_each_time() -> None:
    """Two runs on one real broker share nothing."""
    one, two = Names.fresh(), Names.fresh()

    assert {one.input, one.output, one.dead_letters, one.group}.isdisjoint(
        {two.input, two.output, two.dead_letters, two.group}
    )


def test_assets_are_found_in_the_wheels_place_first(tmp_path: Path) -> None:
    """In a wheel they are in the room itself, in a clone two folders above."""
    room = tmp_path / "stream" / "demo"
    for place in (tmp_path, room):
        (place / "models" / "flights" / "versions").mkdir(parents=True)
        (place / "schemas").mkdir()
        (place / "schemas" / "flight.avsc").write_text("{}")
        found = find_assets(room)

        assert place / "models" / "flights" == found.model
        assert place / "schemas" / "flight.avsc" == found.schema


def test_assets_that_are_nowhere_are_refused(tmp_path: Path) -> None:
    """The message names both places."""
    room = tmp_path / "stream" / "demo"
    room.mkdir(parents=True)

    with pytest.raises(PackageError) as caught:
        find_assets(room)

    assert str(room) in caught.value.message
    assert "stream train" in caught.value.hint
