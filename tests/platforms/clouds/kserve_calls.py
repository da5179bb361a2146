"""
KServe's own client asks a service: `kserve_calls.py URL NAME ROW_JSON`, run in this environment.

Prints one JSON object: what it says of itself, its answers over protocol 1 and 2, and to a model that is not there.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from httpx import HTTPStatusError
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig


def tensors(name: str, row: dict[str, Any]) -> InferRequest:
    """A tensor for each field."""
    inputs = []
    for field, value in row.items():
        kind = "BYTES" if isinstance(value, str) else "INT64" if isinstance(value, int) else "FP64"
        inputs.append(InferInput(name=field, shape=[1], datatype=kind, data=[value]))
    return InferRequest(model_name=name, infer_inputs=inputs)


async def main() -> None:
    """Ask, over both protocols."""
    url, name, row = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    said: dict[str, Any] = {}
    async with (
        InferenceRESTClient(RESTConfig(protocol="v1", retries=0)) as first,
        InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as second,
    ):
        said["live"] = await second.is_server_live(url)
        said["ready"] = await second.is_server_ready(url)
        said["model ready"] = [await one.is_model_ready(url, name) for one in (first, second)]
        said["v1"] = await first.infer(url, {"instances": [row]}, model_name=name)
        answer = await second.infer(url, tensors(name, row), model_name=name)
        said["v2"] = {output.name: output.data for output in answer.outputs}
        said["v2 model"] = answer.model_name
        said["unknown"] = []
        for one in (first, second):
            try:
                await one.infer(url, {"instances": [row]}, model_name="nobody")
            except HTTPStatusError as error:
                said["unknown"].append(error.response.status_code)
    print(json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
