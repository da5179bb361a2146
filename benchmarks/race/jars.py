"""Jars that contestants need, fetched by their Maven coordinates into `.cache`, each compared with its sha256."""

from __future__ import annotations

from pathlib import Path

from tests.kafka.artifacts import fetched

__all__ = ["spark_kafka_jars"]

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / ".cache" / "race"
_HASHES = _HERE / "jars.sha256"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

_SPARK = (
    "spark-sql-kafka-0-10_2.13",
    "spark-token-provider-kafka-0-10_2.13",
    "kafka-clients",
    "commons-pool2",
)
"""What pyspark has not brought itself."""


def spark_kafka_jars() -> Path:
    """
    The folder with Spark's Kafka source and sink; fetched once.

    Raises: Unavailable without Maven, or when it can't fetch them; WrongHash.
    """
    pom = _HERE / "spark" / "pom.xml"
    arguments = ["-f", str(pom), _COPY, f"-DincludeArtifactIds={','.join(_SPARK)}"]
    return fetched("Spark's Kafka source and sink", _CACHE / "spark", arguments, _HASHES)
