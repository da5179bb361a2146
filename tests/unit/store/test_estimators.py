"""Any estimator: packed, opened, and giving its own answers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pytest

from stream.codec import Decoder, RecordSchema
from stream.files import events_of, sample_of
from stream.scoring import columns_of
from stream.store import Package, PackRequest, open_package, pack
from tests.unit.store.estimators import CASES, CASES_BY_TURNS, Case, expected_answers

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning"
)


def _packed(case: Case, folder: Path) -> Package:
    pack(case.estimator, PackRequest("m", folder, **case.options), sample=case.sample)  # type: ignore[arg-type]
    return open_package(folder)


def _decoded(rows: list[dict[str, Any]], package: Package) -> dict[str, pa.Array]:
    """The columns that a worker has: through Avro's bytes."""
    schema = RecordSchema(package.features)
    values = []
    for row in rows:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, schema.parsed, row)
        values.append(stream.getvalue())
    paths = [feature.path for feature in package.manifest.features]
    return Decoder(schema, paths, "bare", schema).decode(values).columns


@pytest.mark.parametrize("name", CASES_BY_TURNS)
def test_packed_estimator_gives_its_own_answers(name: str, tmp_path: Path) -> None:
    """Labels are equal, numbers within the tolerance, and every row has an answer."""
    case = CASES[name]()
    package = _packed(case, tmp_path / "m")
    expected = expected_answers(case, package)
    rows = list(events_of(sample_of(case.sample), RecordSchema(package.features)))

    columns = _decoded(rows, package)
    assert columns == columns_of(rows, package.manifest.features)
    scored = package.model.score(columns, len(rows))

    found = {key: column.to_pylist() for key, column in scored.columns.items()}
    assert not scored.faults
    assert list(range(len(rows))) == list(scored.rows)
    assert list(expected) == list(found)
    for key, values in expected.items():
        if key in ("label", "labels"):
            assert values == found[key]
        else:
            np.testing.assert_allclose(found[key], values, rtol=1e-9, atol=1e-9)
