"""Scores a table with a model of Unity Catalog: `score.py MODEL_URI INPUT_TABLE OUTPUT_TABLE`, as a Databricks job."""

import sys

import mlflow
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct


def main() -> None:
    """Replace the output table by the input's rows and a column `prediction`."""
    uri, source, target = sys.argv[1:]
    spark = SparkSession.builder.getOrCreate()
    mlflow.set_registry_uri("databricks-uc")
    predict = mlflow.pyfunc.spark_udf(spark, uri, env_manager="local")
    rows = spark.table(source)
    scored = rows.withColumn("prediction", predict(struct(*rows.columns)))
    scored.write.mode("overwrite").saveAsTable(target)


if __name__ == "__main__":
    main()
