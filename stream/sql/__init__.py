"""
A model's answers in SQL: `predict(f)` as a function of DuckDB.

    import stream.sql

    connection = stream.sql.connect("models/flights")
    connection.sql("SELECT carrier, avg(predict_score(f)) FROM 'flights.parquet' f GROUP BY carrier").show()

Importing this needs no extra; `connect` and `register` need `prediction-stream[sql]`.
"""

from stream.sql.fault_count import FaultCount
from stream.sql.registration import Registered, connect, register

__all__ = ["FaultCount", "Registered", "connect", "register"]
