"""
Apache Beam's RunInference with a handler of our own, on the direct runner, over the topic as it is when it starts.

Beam's `ReadFromKafka` is Java behind an expansion service, whose jar can't be had here (`benchmarks.race.rivals`,
`ABSENT`). So a `DoFn` for each partition reads up to its end, and another one writes: a batch job, not a stream.
"""

from __future__ import annotations

import time

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from confluent_kafka import Consumer

from benchmarks.contestants.task import arguments, read_task
from benchmarks.race.beam.steps import Handler, Read, Write


def main() -> None:
    """Run to the end, and stay until SIGTERM: what is measured is measured from outside."""
    task = read_task(arguments().parse_args().task)
    consumer = Consumer({"bootstrap.servers": task.bootstrap, "group.id": task.group})
    partitions = list(consumer.list_topics(task.source, 30).topics[task.source].partitions)
    consumer.close()
    # The direct runner in this process: Prism, its default, is a program that it would download.
    with beam.Pipeline(options=PipelineOptions(["--runner=BundleBasedDirectRunner"])) as pipeline:
        (
            pipeline
            | beam.Create(partitions)
            | beam.ParDo(Read(task))
            | RunInference(Handler(task))
            | beam.ParDo(Write(task))
        )
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
