"""
MLServer's Kafka server, with a custom runtime and adaptive batching, as its documentation describes both.

It takes only JSON requests of the Open Inference Protocol, and only those that come after it has subscribed: it has
no consumer group. So the events are sent to it as JSON while it is up (`benchmarks.race.requests`).
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from benchmarks.contestants.task import arguments, read_task


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def main() -> None:
    """Write the settings and become `mlserver start`."""
    given = arguments().parse_args()
    task = read_task(given.task)
    folder = Path(task.folder)
    http, grpc, metrics = _free_ports(3)
    settings = {
        "kafka_enabled": True,
        "kafka_servers": task.bootstrap,
        "kafka_topic_input": f"{task.target}.requests",
        "kafka_topic_output": task.target,
        "host": "127.0.0.1",
        "http_port": http,
        "grpc_port": grpc,
        "metrics_port": metrics,
        # In this process: a pool of one would only add a queue in between.
        "parallel_workers": 0,
    }
    model = {
        "name": "flights",
        "implementation": "benchmarks.race.mlserver.runtime.Predictions",
        # Its loop takes every record at once, so that batches fill without waiting.
        "max_batch_size": 1_000,
        "max_batch_time": 0.05,
        "parameters": {"uri": str(given.task)},
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))
    program = str(Path(sys.executable).with_name("mlserver"))
    os.environ["PYTHONPATH"] = str(Path.cwd())
    os.execv(program, [program, "start", str(folder)])


if __name__ == "__main__":
    main()
