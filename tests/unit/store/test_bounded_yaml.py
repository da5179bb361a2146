"""YAML that strangers wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stream.errors import PackageError
from stream.store import MLMODEL, read_mlflow_head
from stream.store.bounded_yaml import NotYaml, read_yaml

REPEATED = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
MERGED = "a0: &a0 {k: v}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12)
)
HARMFUL = {
    "aliases that repeat": REPEATED,
    "merge keys that repeat": MERGED,
    "a long text that repeats": f"a: &a {'x' * 400_000}\nb: [{', '.join(['*a'] * 40)}]",
    "a part that contains itself": "a: &a [*a]",
    "a number of 5,000 digits": f"a: {'1' * 5_000}",
    "a day that is none": "a: 2020-99-99",
    "a boolean that is none": "a: !!bool x",
    "an instant that is none": "a: !!timestamp x",
    "a number without digits": 'a: !!int ""',
    "a float that is none": "a: !!float x",
    "an object of Python": "a: !!python/object/apply:os.system [true]",
    "a list as a key": "? [a]\n: b",
    "folders within each other": f"a: {'[' * 5_000}",
    "a NUL": "a: \x00",
}


@pytest.mark.parametrize("text", HARMFUL.values(), ids=HARMFUL)
def test_harmful_text_is_one_error(text: str) -> None:
    """No time or memory that grows with what it repeats, and no error of its own."""
    with pytest.raises(NotYaml):
        read_yaml(text.encode())


@pytest.mark.parametrize("text", ["a day that is none", "merge keys that repeat"])
def test_mlmodel_of_such_is_refused(text: str, tmp_path: Path) -> None:
    """As any other that can't be read."""
    (tmp_path / MLMODEL).write_text(HARMFUL[text])

    with pytest.raises(PackageError, match="MLmodel is not YAML"):
        read_mlflow_head(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\nb: [x, 2020-01-02, 1.5, true, null]\n",
        "a: &id001 {x: [1]}\nb: *id001\n",
        "a: {<<: {b: 1}, c: 2}",
    ],
)
def test_plain_values_are_read_as_ever(text: str) -> None:
    """A part that is named twice is one of PyYAML's own writing."""
    assert yaml.safe_load(text) == read_yaml(text.encode())
