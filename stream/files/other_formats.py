"""Files that are not read here, and what makes one of them that is."""

from __future__ import annotations

from pathlib import Path

__all__ = ["way_in"]

_READERS = {
    ".xlsx": "excel", ".xls": "excel", ".xlsm": "excel", ".xlsb": "excel", ".ods": "excel",
    ".orc": "orc", ".pkl": "pickle", ".pickle": "pickle", ".h5": "hdf", ".hdf5": "hdf", ".hdf": "hdf",
    ".dta": "stata", ".sas7bdat": "sas", ".xpt": "sas", ".sav": "spss", ".xml": "xml",
}  # fmt: skip
"""pandas' own reader of a format, by suffix."""

_HINTS = {
    ".pq": "call it {stem}.parquet",
    ".parq": "call it {stem}.parquet",
    ".zip": "unpack it: unzip {name}",
    ".tar": "unpack it: tar -xf {name}",
    ".tgz": "unpack it: tar -xf {name}",
    ".7z": "unpack it",
    ".rar": "unpack it",
    ".txt": "call it {stem}.csv if it is csv: its separator is found, or named with --delimiter",
    ".dat": "call it {stem}.csv if it is csv: its separator is found, or named with --delimiter",
    ".data": "call it {stem}.csv if it is csv: its separator is found, or named with --delimiter",
    ".db": "save the table as parquet: duckdb {name} \"COPY (FROM …) TO '{stem}.parquet'\"",
    ".duckdb": "save the table as parquet: duckdb {name} \"COPY (FROM …) TO '{stem}.parquet'\"",
    ".sqlite": "save the table with pandas: read_sql('SELECT …', connection).to_parquet('{stem}.parquet')",
    ".npy": "save it with names: pandas.DataFrame(numpy.load('{name}'), columns=…).to_parquet('{stem}.parquet')",
}
"""What to do, by suffix."""

_PACKED = {".gz": "gunzip {name}", ".zst": "zstd -d {name}", ".bz2": "bunzip2 {name}", ".xz": "unxz {name}",
           ".lz4": "lz4 -d {name}", ".snappy": "decompress {name}", ".br": "brotli -d {name}"}  # fmt: skip


def way_in(path: Path) -> str | None:
    """
    Args:
        path: of a file whose format is not read.
    Returns: what to do; None where its name says nothing.
    """
    suffix, name, stem = path.suffix.lower(), path.name, path.stem
    if reader := _READERS.get(suffix):
        return (
            f"convert it with pandas: import pandas as pd; "
            f"pd.read_{reader}('{name}').to_parquet('{stem}.parquet')"
        )
    if command := _PACKED.get(suffix):
        return f"decompress it: {command.format(name=name)}; csv and JSON are read compressed, if called .csv.gz …"
    hint = _HINTS.get(suffix)
    return None if hint is None else hint.format(name=name, stem=stem)
