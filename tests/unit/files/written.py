"""One table in every format."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from stream.files import OUTPUT_FORMATS, FileFormat

__all__ = ["SQUEEZE", "TABLE", "write"]

TABLE = pa.table({"id": [f"v{i}" for i in range(40)], "n": pa.array([*range(39), None], pa.int64())})
AVRO = """{"type": "record", "name": "E", "fields": [
    {"name": "id", "type": "string"}, {"name": "n", "type": ["null", "long"]}
]}"""


SQUEEZE: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": lambda content: bytes(pa.compress(content, "zstd", asbytes=True)),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def write(path: Path, kind: FileFormat) -> None:
    """The table in a format."""
    plain, dot, squeezed = kind.name.partition(".")
    content = io.BytesIO()
    if plain == "arrow":
        with pa.ipc.new_file(content, TABLE.schema) as arrow:
            arrow.write_table(TABLE, max_chunksize=7)
    elif plain == "json":
        content.write(json.dumps(TABLE.to_pylist(), indent=1).encode())
    elif plain == "tsv":
        TABLE.to_pandas().convert_dtypes().to_csv(content, sep="\t", index=False)
    else:
        part = OUTPUT_FORMATS[plain].writer(content, TABLE.schema, AVRO)
        for batch in TABLE.to_batches(7):
            part.write_batch(batch)
        part.close()
    path.write_bytes(SQUEEZE[dot + squeezed](content.getvalue()) if dot else content.getvalue())
