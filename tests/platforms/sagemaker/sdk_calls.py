"""
Asks a container as SageMaker's SDK does, with its own serializers and deserializers. Run by the environment's Python.

`python sdk_calls.py URL ROWS.json` prints, as JSON, the answers by the serializers' and deserializers' names.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sagemaker.core import deserializers, serializers


def ask(url: str, serializer: Any, data: Any, deserializer: Any) -> Any:
    """The answer to rows."""
    body = serializer.serialize(data)
    request = urllib.request.Request(
        f"{url}/invocations",
        body.encode() if isinstance(body, str) else body,
        {
            "Content-Type": serializer.CONTENT_TYPE,
            "Accept": ", ".join(deserializer.ACCEPT),
            "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return deserializer.deserialize(answer, answer.headers["Content-Type"])


def plain(answer: Any) -> Any:
    """As JSON has it."""
    if isinstance(answer, pd.DataFrame):
        return answer.to_dict("records")
    return answer.tolist() if isinstance(answer, np.ndarray) else answer


def main() -> None:
    """Every serializer with every deserializer."""
    url, rows = sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8"))
    frame = pd.DataFrame(rows)
    sent = {
        "CSVSerializer": (serializers.CSVSerializer(), frame),
        "JSONSerializer": (serializers.JSONSerializer(), {"instances": rows}),
        "JSONLinesSerializer": (serializers.JSONLinesSerializer(), rows),
        "NumpySerializer": (serializers.NumpySerializer(), frame.fillna("").astype(str).to_numpy(dtype=str)),
    }
    read = {
        "CSVDeserializer": deserializers.CSVDeserializer(),
        "JSONDeserializer": deserializers.JSONDeserializer(),
        "JSONLinesDeserializer": deserializers.JSONLinesDeserializer(),
        "NumpyDeserializer": deserializers.NumpyDeserializer(accept="text/csv"),
        "PandasDeserializer": deserializers.PandasDeserializer(accept="text/csv; header=present"),
    }
    found = {
        f"{one} {other}": plain(ask(url, serializer, data, deserializer))
        for one, (serializer, data) in sent.items()
        for other, deserializer in read.items()
    }
    sys.stdout.write(json.dumps(found, default=str))


if __name__ == "__main__":
    main()
