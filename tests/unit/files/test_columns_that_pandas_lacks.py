"""A sample with columns of types that pandas has nothing for."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from stream.files import owner_frame, read_sample, sample_of

UNION = pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
COLUMNS = {
    "union": UNION,
    "list": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), UNION),
    "struct": pa.StructArray.from_arrays([UNION], ["u"]),
}


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_column_that_pandas_has_no_type_for_is_left_out(kind: str, tmp_path: Path) -> None:
    """Of a file, and of a table in memory; the others are as pandas has them."""
    table = pa.table({"x": [1.5, 2.5], "odd": COLUMNS[kind]})
    path = tmp_path / "sample.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)

    for sample in (read_sample(path), sample_of(table)):
        assert {"x": [1.5, 2.5]} == owner_frame(sample, {}).to_dict("list")
