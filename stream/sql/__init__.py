"""
A model's answers in SQL: `predict(f)` as a function of DuckDB.

    import stream.sql

    connection = stream.sql.connect("models/flights")
    connection.sql("SELECT carrier, avg(predict_score(f)) FROM 'flights.parquet' f GROUP BY carrier").show()

Importing this needs no extra; `connect` and `register` need `prediction-stream[sql]`.
"""

from stream.sql.duckdb_session import Result, Session
from stream.sql.outcomes import FaultCount, Tally
from stream.sql.registration import Registered, connect, open_connection, register
from stream.sql.saving import FORMAT_OF, check_target, save, written_files

__all__ = [
    "FORMAT_OF",
    "FaultCount",
    "Registered",
    "Result",
    "Session",
    "Tally",
    "check_target",
    "connect",
    "open_connection",
    "register",
    "save",
    "written_files",
]
