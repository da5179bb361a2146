"""Every estimator of the table, packed from every kind of sample: each door gives its owner's own answers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stream.codec import RecordSchema
from stream.files import events_of, read_sample
from stream.settings import DeliverySettings
from stream.store import Package
from tests.acceptance.rig import scored
from tests.conftest import Kafka
from tests.estimators.doors import (
    Answers,
    by_id,
    through_batch,
    through_python,
    through_rest,
    through_spark,
    through_sql,
)
from tests.estimators.owned import Owned
from tests.estimators.samples import ORDERS, WRITERS, arranged
from tests.estimators.table import ESTIMATORS, assert_own_answers, owned, packed
from tests.kafka.topics import Topics

pytestmark = [
    # What the other libraries themselves do with this pandas.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]

SAMPLES = [("csv", "foreign"), ("jsonl", "reversed"), ("parquet", "foreign"), ("avro", "reversed")]
"""Of the default run, one for each estimator in turn; the slow one has all formats in all orders."""

SQL_READS = ("csv", "parquet", "jsonl")


@dataclass(frozen=True)
class Case:
    """An estimator that was packed: its owner's, the package, the sample's file and its frame."""

    owned: Owned
    package: Package
    file: Path
    frame: pd.DataFrame

    def check(self, answers: Answers) -> None:
        """That they are the owner's own."""
        assert_own_answers(self.owned, self.package, answers)

    def check_sql_and_rest(self) -> None:
        """Through both doors."""
        folder = self.file.parent / "package"
        self.check(through_rest(folder, self.frame))
        if self.file.suffix[1:] in SQL_READS:
            self.check(through_sql(folder, self.file))


def kinds_of(name: str) -> set[str]:
    """The formats that can hold its columns: a csv file has no arrays."""
    return set(WRITERS) - ({"csv"} if "vector" in owned(name).options else set())


_EVERY = 5
"""Of the estimators, one in so many is in the default run; odd, so that each kind of sample has its share."""

CASES = [*zip(ESTIMATORS, cycle(SAMPLES), strict=False)]

QUICK = [
    pytest.param(name, sample, id=name, marks=() if i % _EVERY == 0 else pytest.mark.slow)
    for i, (name, sample) in enumerate(CASES)
]

HALF = [
    pytest.param(name, sample, id=name, marks=() if i % 2 == 0 else pytest.mark.exhaustive)
    for i, (name, sample) in enumerate(CASES)
]

FILES = [
    pytest.param(
        name,
        kind,
        order,
        marks=()
        if j % 2 == i % 2 and order == list(ORDERS)[(i + j) % len(ORDERS)]
        else pytest.mark.exhaustive,
    )
    for i, name in enumerate(ESTIMATORS)
    for j, kind in enumerate(WRITERS)
    for order in ORDERS
]
"""Each estimator with each kind of file in each order; CI takes two of the kinds and one of the orders, by turns."""

A_FIFTH = [
    pytest.param(name, marks=() if i % _EVERY == 0 else pytest.mark.exhaustive)
    for i, name in enumerate(ESTIMATORS)
]
"""CI takes every fifth through a real Kafka and Spark: what reads their rows reads the other doors' too."""


def case_of(name: str, sample: tuple[str, str], folder: Path) -> Case:
    """An estimator packed from a sample in an order of columns that is not the model's."""
    case = owned(name)
    kind, order = sample if sample[0] in kinds_of(name) else ("jsonl", sample[1])
    package, file = packed(case, kind, order, folder)
    return Case(case, package, file, arranged(case.frame, order))


@pytest.mark.parametrize(("name", "sample"), QUICK)
def test_files_and_python_give_the_owners_answers(name: str, sample: tuple[str, str], tmp_path: Path) -> None:
    """What a data scientist has first; through SQL and REST too, where the default run has it."""
    case = case_of(name, sample, tmp_path)

    case.check(through_batch(tmp_path / "package", case.file))
    case.check(through_python(tmp_path / "package", case.frame))
    if list(ESTIMATORS).index(name) % _EVERY == 0:
        case.check_sql_and_rest()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sample"), HALF)
def test_sql_and_rest_give_the_owners_answers(name: str, sample: tuple[str, str], tmp_path: Path) -> None:
    """Every other one in CI."""
    case_of(name, sample, tmp_path).check_sql_and_rest()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "order"), FILES)
def test_every_kind_of_sample_in_every_order(name: str, kind: str, order: str, tmp_path: Path) -> None:
    """Packed, and scored from the same file."""
    if kind not in kinds_of(name):
        pytest.skip("a csv file has no arrays")
    package, file = packed(owned(name), kind, order, tmp_path)
    assert_own_answers(owned(name), package, through_batch(tmp_path / "package", file))


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.parametrize("name", A_FIFTH)
def test_the_stream_gives_the_owners_answers(name: str, tmp_path: Path, kafka: Kafka, topics: Topics) -> None:
    """A worker on a real Kafka: every event a prediction, none dead."""
    package, file = packed(owned(name), "jsonl", "foreign", tmp_path)
    rows = list(events_of(read_sample(file), RecordSchema(package.features)))

    outputs = scored(kafka.bootstrap, topics, tmp_path / "package", rows, DeliverySettings("at-least-once"))

    assert [] == outputs.letters
    assert_own_answers(owned(name), package, by_id([dict(seen.fields) for seen in outputs.predictions]))


@pytest.mark.spark
@pytest.mark.parametrize("name", A_FIFTH)
def test_spark_gives_the_owners_answers(name: str, tmp_path: Path, spark: Any) -> None:
    """`predict(struct(*))` on the executors."""
    package, file = packed(owned(name), "parquet", "reversed", tmp_path)
    assert_own_answers(owned(name), package, through_spark(spark, tmp_path / "package", file))
