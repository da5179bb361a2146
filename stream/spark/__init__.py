"""
A model on Apache Spark: SQL functions, and the engine of `stream batch --engine spark`.

    import stream.spark

    stream.spark.register(spark, "models/flights")
    spark.sql("SELECT *, predict(struct(*)).score FROM flights")

Importing this needs no extra; using it needs `prediction-stream[spark]`, on the executors as well.
"""

from stream.spark.batch_engine import run_spark
from stream.spark.functions import register, register_shipped
from stream.spark.query import Query
from stream.spark.shipping import Shipped, ship
from stream.spark.spark_session import open_session

__all__ = ["Query", "Shipped", "open_session", "register", "register_shipped", "run_spark", "ship"]
