"""The runtime that BigQuery documents, ONNX Runtime 1.12.0: each graph's answers there are the estimator's."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from stream.export.onnx_proof import compare
from stream.scoring import Model
from tests.conftest import had
from tests.kafka.artifacts import find_java, onnx_jars
from tests.unit.compiled.graph_cases import FRAME, MIXED, NUMBERS, PLAIN, WHOLE, Prepared, prepared

pytestmark = pytest.mark.platform

PROGRAM = Path(__file__).with_name("Runtime.java")


def _write(folder: Path, case: Prepared) -> None:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(case.content)
    lines: list[str] = []
    for name, values in case.feed.items():
        texts = values.dtype == object
        lines.append(f"{name}\t{'string' if texts else 'double'}\t{values.shape[0]}\t{values.shape[1]}")
        plain = values if texts else np.ascontiguousarray(values).view(np.int64)
        lines += [str(value) for value in plain.ravel().tolist()]
    (folder / "rows.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _read(folder: Path, rows: int) -> dict[str, npt.NDArray[Any]]:
    lines = iter((folder / "answers.txt").read_text("utf-8").splitlines())
    found: dict[str, npt.NDArray[Any]] = {}
    for head in lines:
        name, kind, count = head.split("\t")
        values = [next(lines) for _ in range(int(count))]
        match kind:
            case "double":
                found[name] = np.array(values, np.int64).view(np.float64).reshape(rows, -1).squeeze()
            case "string":
                found[name] = np.array(values)
            case _:
                found[name] = np.array(values, np.int64)
    return found


def test_graphs_answer_there_as_the_estimators_do(tmp_path: Path) -> None:
    """Every kind of model and step, at and beside thresholds: labels equal, numbers within 1e-12."""
    java, jars = had(find_java), had(onnx_jars)
    cases = {name: prepared(estimator, FRAME, target) for name, (estimator, target) in MIXED.items()}
    cases |= {
        f"plain {name}": prepared(estimator, WHOLE[NUMBERS], target)
        for name, (estimator, target) in PLAIN.items()
    }
    folders = {name: tmp_path / str(number) for number, name in enumerate(cases)}
    for name, case in cases.items():
        _write(folders[name], case)

    done = subprocess.run(
        [java, "-cp", f"{jars}/*", PROGRAM, *folders.values()],
        check=False,
        timeout=100,
        capture_output=True,
        text=True,
    )
    assert "" == done.stderr

    for name, case in cases.items():
        found = _read(folders[name], len(case.asked))
        proof = compare(Model(case.estimator, case.manifest), case.asked, found, 1e-12)
        assert (name, "") == (name, proof.wrong)
        assert proof.rows > 25
