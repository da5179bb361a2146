"""A unit of work: read, score, write a part and its dead rows; the same in every engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from stream.batch.fingerprint import Fingerprint
from stream.batch.input_files import Input
from stream.batch.output import output_avro, output_schema, part_name, write_part
from stream.batch.plan import Unit
from stream.batch.pooled_chunks import Pool, pools
from stream.durable import written_whole
from stream.files import Chunk, SpanReader
from stream.records import DeadLetter
from stream.store import Package
from stream.table import ScoredTable, TableScorer

__all__ = ["Done", "Job", "Work", "dead_name", "done_name", "unit_files"]


@dataclass(frozen=True, slots=True)
class Job:
    """
    What every process of a run needs to know; can be pickled.

    Attributes:
        opener: opens the model's version in the process that calls it; can be pickled.
        inputs: the files; spans refer to them by number.
        folder: of the run; every process must be able to write to it.
        format: the name of the parts' format.
        base: the folder to which relative input paths refer; empty for the process's working directory.
        prints: of the inputs, in the same order, where they are read on other machines; else empty.
    """

    opener: Callable[[], Package]
    inputs: tuple[Input, ...]
    folder: str
    format: str
    base: str = ""
    prints: tuple[Fingerprint, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """
    A unit that is finished.

    Attributes:
        number: the unit's.
        rows: how many it has.
        predictions: how many rows were scored.
        dead_by_reason: the number of the other rows, by reason.
    """

    number: int
    rows: int
    predictions: int
    dead_by_reason: Mapping[str, int] = field(default_factory=dict)


def done_name(number: int) -> str:
    """The file that marks a unit as finished; it is written last."""
    return f"done-{number:05d}.json"


def dead_name(number: int) -> str:
    """The file of a unit's dead rows."""
    return f"dead-{number:05d}.jsonl"


def unit_files(number: int, kind: str) -> tuple[str, ...]:
    """The files that a unit leaves in the run's folder, with parts of the format called `kind`."""
    return f"out/{part_name(number, kind)}", f"work/{dead_name(number)}", f"work/{done_name(number)}"


class Work:
    """
    Does units of one job, in one process.

    Args:
        job: the run's job.
    Raises: PackageError when the model can't be opened.
    """

    def __init__(self, job: Job) -> None:
        package = job.opener()
        self._job = job
        self._scorer = TableScorer(package.model, package.features)
        self._schema = output_schema(self._scorer.schema, package.prediction)
        self._avro = output_avro(package.prediction)
        self._open: tuple[int, Input, SpanReader] | None = None

    def do(self, unit: Unit) -> Done:
        """
        Do a unit: 1 its part, 2 its dead rows, 3 the note that it is done; each file whole or not at all.

        Args:
            unit: of the job's plan.
        Returns: its counts.
        Raises: SampleError when a file is not the one that was planned; OSError from the disk. The unit
            is then not noted as done.
        """
        folder, kind = Path(self._job.folder), self._job.format
        predictions, dead = 0, Counter[str]()
        with (
            written_whole(folder / "work" / dead_name(unit.number)) as dead_file,  # 2
            write_part(
                folder / "out" / part_name(unit.number, kind), kind, self._schema, self._avro
            ) as part,  # 1
        ):
            for pool in pools(self._chunks(unit)):
                scored = pool.score(self._scorer)
                if len(batch := self._rows(pool, scored)):
                    part.write_batch(batch)
                    predictions += len(batch)
                for path, number, fault in pool.faults(scored):
                    dead_file.write(_dead_line(path, number, fault))
                    dead[fault.reason] += 1
        done = Done(unit.number, unit.rows, predictions, dict(dead))
        with written_whole(folder / "work" / done_name(unit.number)) as file:  # 3
            file.write(json.dumps({"predictions": predictions, "dead": done.dead_by_reason}).encode())
        return done

    def _chunks(self, unit: Unit) -> Iterator[tuple[Input, Chunk]]:
        for span in unit.spans:
            given = self._job.inputs[span.file]
            located, reader = self._reader(span.file, given)
            try:
                for chunk in located.chunks(span, self._scorer.wanted, reader=reader):
                    yield given, chunk
            except BaseException:
                reader.close()
                self._open = None
                raise

    def _reader(self, number: int, given: Input) -> tuple[Input, SpanReader]:
        """Of a file; the one that was read last is kept open, since its next span may be read next."""
        if self._open is None or self._open[0] != number:
            if self._open is not None:
                self._open[2].close()
            located = replace(given, path=str(Path(self._job.base) / given.path))
            opener = self._job.prints[number].open if self._job.prints else None
            self._open = number, located, located.reader(opener)
        return self._open[1:]

    def _rows(self, pool: Pool, scored: ScoredTable) -> pa.RecordBatch:
        """The output's rows."""
        columns = [
            column if column.type == kind.type else column.cast(kind.type)
            for column, kind in zip(scored.predictions.columns, self._schema, strict=False)
        ]
        places = pool.places()
        if len(scored.rows) < scored.count:
            kept = pa.array(scored.rows, pa.int64())
            places = places[0].take(kept), places[1].take(kept)
        return pa.RecordBatch.from_arrays([*columns, *places], schema=self._schema)


def _dead_line(path: str, number: int, fault: DeadLetter) -> bytes:
    line = {
        "source_file": path,
        "source_row": number,
        "stage": fault.stage,
        "reason": fault.reason,
        "exception": fault.exception,
        "message": fault.message,
    }
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
