"""`stream produce`: which files and rows become events, before any broker is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fastavro
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

import stream
from stream.cli import main
from stream.codec import read_bare
from stream.errors import SampleError
from stream.resources import input_schema
from stream.settings import InputSettings, ModelSettings, Settings
from stream.tasks import RowFile, check_file, event_messages

FRAME = pd.DataFrame({"id": [1, 2, 3, 4], "a": [1.0, None, 3.0, 4.0], "b": [None, 1.0, 2.0, 3.0]})

OPTIONAL = ["null", "double"]

OWN = [
    {"name": "id", "type": "long", "default": 0},
    {"name": "A_1", "type": OPTIONAL, "default": None, "feature": "first"},
    {"name": "a", "type": OPTIONAL, "default": None},
    {"name": "unread", "type": OPTIONAL, "default": None},
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package of a model of two columns, either of which may be missing; `id` is carried."""
    folder = tmp_path_factory.mktemp("produce")
    fitted = HistGradientBoostingRegressor().fit(FRAME[["a", "b"]], [1.0, 2.0, 3.0, 4.0])
    stream.pack(fitted, name="small", sample=FRAME, out=folder / "small", carry=["id"])
    return folder


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder in which a test works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own_schema(folder: Path) -> Path:
    """A producer's own schema, in a file."""
    path = folder / "own.avsc"
    path.write_text(json.dumps({"type": "record", "name": "Own", "fields": OWN}))
    return path


def write(frame: pd.DataFrame, name: str) -> RowFile:
    """A data file of the format that its name says."""
    kind = Path(name).suffix
    if kind == ".avro":
        fields = [
            {"name": column, "type": "long" if column == "id" else OPTIONAL} for column in frame.columns
        ]
        with Path(name).open("wb") as file:
            fastavro.writer(
                file,
                {"type": "record", "name": "r", "fields": fields},
                frame.to_dict("records"),
                codec="null",
            )
    elif kind == ".parquet":
        frame.to_parquet(name)
    elif kind == ".arrow":
        frame.to_feather(name)
    else:
        frame.to_csv(name, index=False)
    return RowFile(Path(name))


def settings_of(base: Path, schema: Path | None = None, model: str = "small") -> Settings:
    """A configuration; its events are framed as single objects."""
    return Settings(model=ModelSettings(uri=model), input=InputSettings(schema=schema), base=base)


def events(file: RowFile, settings: Settings) -> Iterator[object]:
    """What the messages of a file hold."""
    schema = input_schema(settings)
    return (read_bare(schema, message.value[10:]) for message in event_messages(file, settings, None))  # type: ignore[index]


@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz", "f.parquet", "f.arrow", "f.avro"])
@pytest.mark.usefixtures("here")
def test_file_without_any_column_that_the_model_reads_is_refused(
    base: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where each has a default, and what is carried is there; before a broker is asked."""
    write(pd.DataFrame({"id": [1], "A": [1.0]}), name)
    Path("stream.toml").write_text(f"[model]\nuri = {str(base / 'small')!r}\n")

    with pytest.raises(SystemExit) as ended:
        main(["produce", name, "--config", "stream.toml"])

    said = capsys.readouterr().err
    assert 2 == ended.value.code
    assert f"{name}: no column 'a', 'b', one of which the schema " in said
    assert "needs; there are 'id', 'A'" in said
    assert "try: rename 'A' to 'a'" in said


@pytest.mark.parametrize("name", ["f.jsonl", "f.json"])
@pytest.mark.usefixtures("here")
def test_json_row_without_any_field_that_the_model_reads_ends_the_events(base: Path, name: str) -> None:
    """Each is checked by itself: those before it are events, and a null is given."""
    lines = ['{"id": 1, "b": null}', '{"id": 2, "A": 1.0}']
    Path(name).write_text("\n".join(lines) if name.endswith("l") else f"[{','.join(lines)}]")
    settings = settings_of(base)
    file = RowFile(Path(name))

    found = events(file, settings)

    assert [] == check_file(file, settings)
    assert {"id": 1, "a": None, "b": None} == next(found)
    with pytest.raises(SampleError, match=f"{name}:2: expected at least one of 'a', 'b', found none"):
        next(found)


@pytest.mark.usefixtures("here")
def test_file_without_a_column_that_has_no_default_is_refused(base: Path) -> None:
    """With the name that was perhaps meant, and before the first row is read."""
    with pytest.raises(
        SampleError, match="no column 'id', which the schema .* needs; there are 'ID', 'a', 'b'"
    ):
        check_file(write(FRAME.rename(columns={"id": "ID"}), "f.csv"), settings_of(base))


@pytest.mark.usefixtures("here")
def test_absent_column_with_a_default_is_said(base: Path) -> None:
    """The events have the default; a line names the column that was perhaps meant."""
    file = write(FRAME.rename(columns={"b": "B"}), "f.csv")

    assert ["f.csv: no column 'b': its default null is taken in every row; did you mean 'B'?"] == check_file(
        file, settings_of(base)
    )


class TestOwnSchema:
    """Events of `[input] schema`: the model reads some of its fields."""

    @pytest.mark.parametrize("column", ["unread", "first", "A_1"])
    def test_file_with_unread_fields_alone_is_refused(self, base: Path, here: Path, column: str) -> None:
        """What the model does not read says nothing to it."""
        settings = settings_of(base, own_schema(here))

        with pytest.raises(SampleError, match="f.csv: no column 'a', which the schema Own needs"):
            check_file(write(pd.DataFrame({"id": [1], column: [1.0]}), "f.csv"), settings)

        written = write(pd.DataFrame({"a": [1.0]}), "g.csv")
        assert 3 == len(check_file(written, settings))
        assert [{"id": 0, "A_1": None, "a": 1.0, "unread": None}] == [*events(written, settings)]

    @pytest.mark.parametrize("column", ["unread", "first", "A_1"])
    def test_any_field_will_do_without_the_package(self, base: Path, here: Path, column: str) -> None:
        """Whoever writes events need not have the model; none of the fields is refused there too."""
        settings = settings_of(base, own_schema(here), model="elsewhere")

        assert 3 == len(check_file(write(pd.DataFrame({column: [1.0]}), "f.csv"), settings))
        with pytest.raises(
            SampleError, match="no column 'id', 'first', 'a', 'unread', one of which the schema Own"
        ):
            check_file(write(pd.DataFrame({"A": [1.0]}), "f.csv"), settings)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("7,1.5\n8,2.5\n", "the first line, with '7', looks like data"),
        ("x,2013-01-01\ny,2013-01-02\n", "with '2013-01-01', looks like data"),
        ("7\n8\n", "with '7', looks like data"),
        ("id,7\n1,2.5\n", "add the columns"),
        ("0,1\n1,2.5\n", "add the columns"),
        ("x,y\n1,2.5\n", "add the columns"),
    ],
    ids=["numbers", "a date", "one column", "a name", "labels", "other names"],
)
@pytest.mark.usefixtures("here")
def test_csv_without_a_header_is_told_from_one_with_other_names(base: Path, text: str, hint: str) -> None:
    """By a first line that names no column and has a number or a date; 0, 1 … are a frame's labels."""
    Path("f.csv").write_text(text)

    with pytest.raises(SampleError) as refused:
        check_file(RowFile(Path("f.csv")), settings_of(base))

    assert hint in (refused.value.hint or "")
