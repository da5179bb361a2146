"""A pipeline whose stages are timed, from outside: the pipeline itself has no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from stream.codec import Decoded
from stream.pipeline import Pipeline
from stream.records import DeadLetter, Headers
from stream.scoring import Scored
from stream.telemetry import StageTimes

__all__ = ["timed"]


@dataclass(frozen=True, slots=True)
class _Decode:
    step: Callable[[Sequence[bytes], Sequence[Headers | None] | None], Decoded]

    def decode(self, values: Sequence[bytes], headers: Sequence[Headers | None] | None = None) -> Decoded:
        return self.step(values, headers)


@dataclass(frozen=True, slots=True)
class _Score:
    step: Callable[[Mapping[str, pa.Array], int], Scored]

    def score(self, columns: Mapping[str, pa.Array], n: int) -> Scored:
        return self.step(columns, n)


@dataclass(frozen=True, slots=True)
class _Encode:
    step: Callable[[Mapping[str, pa.Array]], list[bytes | DeadLetter]]

    def encode(self, columns: Mapping[str, pa.Array]) -> list[bytes | DeadLetter]:
        return self.step(columns)


def timed(pipeline: Pipeline, times: StageTimes) -> Pipeline:
    """
    The same pipeline, timed.

    Args:
        pipeline: answers as before.
        times: takes the seconds of `decode`, `score` and `encode`, once a batch each.
    """
    return replace(
        pipeline,
        decoder=_Decode(times.of("decode", pipeline.decoder.decode)),
        model=_Score(times.of("score", pipeline.model.score)),
        encoder=_Encode(times.of("encode", pipeline.encoder.encode)),
    )
