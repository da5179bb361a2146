"""Settings: file under environment, and errors that name place, key and next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.configuration import load_settings
from stream.errors import SettingsError
from stream.settings import Secret


def written(tmp_path: Path, text: str) -> Path:
    """A configuration file."""
    path = tmp_path / "stream.toml"
    path.write_text(text)
    return path


class TestReading:
    """What a file and the environment say."""

    def test_defaults_without_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """No file, no variables: the documented defaults."""
        monkeypatch.chdir(tmp_path)

        found = load_settings(None, {})

        assert (2_000, 0.005, 6066) == (found.batching.max_records, found.batching.max_wait, found.web.port)

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [('"500ms"', 0.5), ('"10s"', 10.0), ('"2m"', 120.0), ("7", 7.0), ('"1.5 h"', 5_400.0)],
    )
    def test_length_of_time_with_unit(self, tmp_path: Path, text: str, seconds: float) -> None:
        """A length of time takes ms, s, m, h, d or plain seconds."""
        path = written(tmp_path, f"[kafka]\nstartup_timeout = {text}\n")

        assert seconds == load_settings(path, {}).kafka.startup_timeout

    @pytest.mark.parametrize(("text", "size"), [('"64KiB"', 65_536), ('"16MiB"', 16_777_216), ("100", 100)])
    def test_size_with_unit(self, tmp_path: Path, text: str, size: int) -> None:
        """A size takes B, KiB, MiB, GiB or plain bytes."""
        path = written(tmp_path, f"[batching]\nmax_bytes = {text}\n")

        assert size == load_settings(path, {}).batching.max_bytes

    def test_environment_overrides_file(self, tmp_path: Path) -> None:
        """A variable wins over the file; names without `__` are not settings."""
        path = written(tmp_path, "[web]\nport = 1\n")

        found = load_settings(path, {"STREAM_WEB__PORT": "7000", "STREAM_CONFIG": "elsewhere"})

        assert 7_000 == found.web.port

    def test_environment_table_is_json(self, tmp_path: Path) -> None:
        """A table such as `properties` comes as JSON."""
        path = written(tmp_path, "")

        found = load_settings(
            path, {"STREAM_KAFKA__PROPERTIES": '{"client.id": "x", "socket.keepalive.enable": true}'}
        )

        assert {"client.id": "x", "socket.keepalive.enable": True} == dict(found.kafka.properties)

    def test_paths_start_at_the_file(self, tmp_path: Path) -> None:
        """A relative path is relative to the configuration file, not to where the command runs."""
        path = written(tmp_path, '[model]\nuri = "m"\n')

        found = load_settings(path, {})

        assert tmp_path / "m" == found.path(found.model.uri)


class TestSecrets:
    """Values that come from elsewhere and are never shown."""

    @pytest.mark.parametrize("source", ["file", "env"])
    def test_secret_is_read_and_not_shown(self, tmp_path: Path, source: str) -> None:
        """A secret has its value and shows asterisks, in itself and in the settings."""
        (tmp_path / "pw").write_text("hush\n")
        name = "pw" if source == "file" else "PW"
        path = written(tmp_path, f'[kafka.properties]\n"sasl.password" = {{ {source} = "{name}" }}\n')

        found = load_settings(path, {"PW": "hush"})

        secret = found.kafka.properties["sasl.password"]
        assert isinstance(secret, Secret)
        assert "hush" == secret.reveal()
        assert "hush" not in repr(found)

    def test_missing_variable_is_named(self, tmp_path: Path) -> None:
        """An unset variable is an error that names it and the key."""
        path = written(tmp_path, '[kafka.properties]\n"sasl.password" = { env = "NO_SUCH" }\n')

        with pytest.raises(SettingsError, match="sasl.password.*NO_SUCH"):
            load_settings(path, {})


class TestRefusals:
    """What is wrong is named, with the next step."""

    @pytest.mark.parametrize(
        ("text", "message", "hint"),
        [
            ('[kafka]\nbootstrap_server = "x"', "kafka.bootstrap_server", "bootstrap_servers"),
            ('[kafak]\ngroup = "x"', "kafak", "kafka"),
            ('[web]\nport = "x"', "web.port", "configuration.md"),
            ("[web]\nport = 99999", "1 to 65535, found 99999", "bounds"),
            ('[batching]\nmax_wait = "5 parsecs"', "batching.max_wait", "ms, s"),
            ('[input]\nnull_value = "x"', "'dead-letter', 'skip' or 'forward'", "configuration.md"),
            ("[dead_letters]\nstop_above = 1.5", "0 to 1, found 1.5", "bounds"),
            ("kafka = 3", "table", "[kafka]"),
            ("[kafka", "not TOML", "line"),
        ],
    )
    def test_wrong_key_or_value(self, tmp_path: Path, text: str, message: str, hint: str) -> None:
        """The error names file and key, what was expected, and what to do."""
        path = written(tmp_path, text)

        with pytest.raises(SettingsError) as caught:
            load_settings(path, {})

        assert str(path) in caught.value.message
        assert message in caught.value.message
        assert hint in caught.value.hint

    def test_unknown_variable_is_named(self, tmp_path: Path) -> None:
        """A mistyped variable is an error too, with the nearest key."""
        with pytest.raises(SettingsError, match="STREAM_WEB__PRT") as caught:
            load_settings(written(tmp_path, ""), {"STREAM_WEB__PRT": "1"})

        assert "port" in caught.value.hint

    def test_missing_file_is_named(self, tmp_path: Path) -> None:
        """A file that was asked for must be there."""
        with pytest.raises(SettingsError, match="nowhere.toml"):
            load_settings(tmp_path / "nowhere.toml", {})


class TestOff:
    """A length of time that may be none."""

    @pytest.mark.parametrize(("text", "seconds"), [('"off"', None), ('"3s"', 3.0)])
    def test_reload_may_be_off(self, tmp_path: Path, text: str, seconds: float | None) -> None:
        """`off` means never; anything else is a length of time as ever."""
        path = written(tmp_path, f"[model]\nreload = {text}\n")

        assert seconds == load_settings(path, {}).model.reload
