"""Settings: file under environment, and errors that name place, key and next step."""

from __future__ import annotations

import json
import traceback
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


PASSWORD = "hunter2"


class TestWrongSecrets:
    """A secret in a form that can't be used: the message names its key and its form, never the secret."""

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (key, value)
            for key in (
                "[serve]\ntoken",
                "[web]\ntoken",
                "[schema_registry]\npassword",
                "[schema_registry]\ntoken",
            )
            for value in (f'["{PASSWORD}"]', f'{{ value = "{PASSWORD}" }}', f'{{ file = ["{PASSWORD}"] }}')
        ]
        + [
            ('[kafka.properties]\n"sasl.password"', f'["{PASSWORD}"]'),
            ("[kafka.properties]\nsasl.password", f'"{PASSWORD}"'),
            ('[kafka.producer]\n"ssl.key.pem"', f'{{ value = "{PASSWORD}" }}'),
            ('[kafka.consumer]\n"sasl.password"', f'{{ env = ["{PASSWORD}"] }}'),
            ("[kafka]\nproperties", f'"{PASSWORD}"'),
            ("[kafka]\nproperties", f'["sasl.password={PASSWORD}"]'),
            ("[model]\ntrusted_keys", f'[["{PASSWORD}"]]'),
            ("[kafka]\nbootstrap_servers", f'"scorer:{PASSWORD}@broker:9092"'),
            ("kafka", f'"{PASSWORD}"'),
            ("kafka", f'["{PASSWORD}"]'),
            ("[kafka]\ngroup", f'["{PASSWORD}"]'),
            ("[telemetry]\nheaders", f'"{PASSWORD}"'),
            ("[telemetry]\nheaders", f'{{ X-Team = ["{PASSWORD}"] }}'),
            ("[telemetry]\nheaders", f'{{ X-Team = {{ value = "{PASSWORD}" }} }}'),
            ("[web]\nport", f'{{ password = "{PASSWORD}" }}'),
            ("[serve]\ntimeout", f'["{PASSWORD}"]'),
            ("[serve]\ntoken", '{ env = "not a name: hunter2" }'),
        ],
    )
    def test_wrong_form_is_named_and_not_quoted(self, tmp_path: Path, key: str, value: str) -> None:
        """In the error and in what led to it, which `--debug` prints."""
        path = written(tmp_path, f"{key} = {value}")

        with pytest.raises(SettingsError) as caught:
            load_settings(path, {})

        key_name = key.rpartition("\n")[2].replace('"', "").partition(".")[0]
        assert key_name in caught.value.message
        assert PASSWORD not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize(
        ("variable", "text"),
        [
            ("STREAM_KAFKA__PROPERTIES", '{"sasl.password": ["hunter2"]}'),
            ("STREAM_KAFKA__PROPERTIES", '{"sasl": {"password": "hunter2"}}'),
            ("STREAM_KAFKA__PROPERTIES", '{"sasl.password": "hunter2"'),
            ("STREAM_KAFKA__PROPERTIES", '["hunter2"]'),
            ("STREAM_MODEL__TRUSTED_KEYS", '["hunter2"'),
            ("STREAM_MODEL__TRUSTED_KEYS", "hunter2"),
        ],
    )
    def test_wrong_form_in_a_variable_is_not_quoted(self, tmp_path: Path, variable: str, text: str) -> None:
        """The variable is named."""
        with pytest.raises(SettingsError, match=variable) as caught:
            load_settings(written(tmp_path, ""), {variable: text})

        assert PASSWORD not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize("content", [b"\xffhunter2", b"x" * 2_000_000])
    def test_secret_file_that_holds_none_is_named(self, tmp_path: Path, content: bytes) -> None:
        """Not text, or far too much: the file is named, and none of it is quoted."""
        (tmp_path / "pw").write_bytes(content)
        path = written(tmp_path, '[serve]\ntoken = { file = "pw" }')

        with pytest.raises(SettingsError, match="serve.token: secret file pw") as caught:
            load_settings(path, {})

        assert PASSWORD not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_configuration_that_is_not_utf8_is_named(self, tmp_path: Path) -> None:
        """With the place of the first wrong byte, and without its neighbours."""
        path = tmp_path / "stream.toml"
        path.write_bytes(b'[serve]\ntoken = "hunter2\xff"')

        with pytest.raises(SettingsError, match="stream.toml: not UTF-8") as caught:
            load_settings(path, {})

        assert PASSWORD not in str(caught.value)

    @pytest.mark.parametrize("section", ["web", "serve", "schema_registry"])
    @pytest.mark.parametrize("how", ['""', '{ file = "empty" }', '{ env = "EMPTY" }'])
    def test_empty_token_is_refused(self, tmp_path: Path, section: str, how: str) -> None:
        """It would be a door that stands open where one with a lock was meant."""
        (tmp_path / "empty").write_text("\n")
        path = written(tmp_path, f"[{section}]\ntoken = {how}")

        with pytest.raises(SettingsError, match=rf"{section}\.token: is empty"):
            load_settings(path, {"EMPTY": ""})

    def test_secrets_written_as_text_do_not_show_either(self, tmp_path: Path) -> None:
        """In the settings, whichever key holds them."""
        names = ("sasl.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.client.secret")
        text = (
            f'[web]\ntoken = "{PASSWORD}"\n[schema_registry]\npassword = "{PASSWORD}"\n[kafka.properties]\n'
        )
        path = written(tmp_path, text + "\n".join(f'"{name}" = "{PASSWORD}"' for name in names))

        headers = json.dumps({"X-Team": PASSWORD})
        found = load_settings(path, {"STREAM_SERVE__TOKEN": PASSWORD, "STREAM_TELEMETRY__HEADERS": headers})

        assert PASSWORD not in repr(found)
        assert PASSWORD == found.telemetry.headers["X-Team"].reveal()
        assert PASSWORD == found.serve.token
        assert [PASSWORD] * 4 == [found.kafka.properties[name] for name in names]


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
            ("[telemetry]\nheaders = { X-Team = 3 }", "expected a text", "{ env"),
            ("[telemetry]\nsample = 1.5", "0 to 1, found 1.5", "bounds"),
            ("kafka = 3", "table", "[kafka]"),
            ('[delivery]\ninstance = "deadletters-replay"', "stream deadletters replay", "pod's name"),
            ('[delivery]\ninstance = "stream doctor"', "`stream doctor`", "pod's name"),
            ('[serve]\nname = "late/flights"', "serve.name: expected a name", "stands in a path"),
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
