"""The table: every estimator that is packed in tests, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import joblib
import numpy as np

from stream.files import read_sample
from stream.store import Package, PackRequest, pack_estimator_file
from tests.estimators.doors import Answers
from tests.estimators.other_libraries import OTHERS
from tests.estimators.owned import Owned, answers_of
from tests.estimators.pipelines import PIPELINES
from tests.estimators.plain_models import PLAIN
from tests.estimators.samples import ID, WRITERS, arranged

__all__ = ["ESTIMATORS", "assert_own_answers", "owned", "packed"]

ESTIMATORS: dict[str, Callable[[], Owned]] = {**PLAIN, **PIPELINES, **OTHERS}


ASKED = 24
"""Rows of each frame that are packed and asked about: `pack` asks for each alone, which is most of a test's time."""


@cache
def owned(name: str) -> Owned:
    """The estimator of that name, fitted once on all rows; its first ones to ask about."""
    case = ESTIMATORS[name]()
    return replace(case, x=case.x[:ASKED], frame=case.frame[:ASKED])


def packed(case: Owned, kind: str, order: str, folder: Path) -> tuple[Package, Path]:
    """
    Write the frame as a sample and pack the estimator with it.

    Args:
        case: the estimator.
        kind: of the file: csv, parquet, jsonl or avro.
        order: of its columns: own, reversed or foreign.
        folder: an empty one.
    Returns: the package, and the sample's file.
    """
    frame = arranged(case.frame, order)
    file = folder / f"rows.{kind}"
    WRITERS[kind](frame, file)
    options = dict(case.options)
    if case.nameless and order != "own":
        options["columns"] = tuple(case.frame.columns)
    model = folder / "model.joblib"
    joblib.dump(case.estimator, model)
    request = PackRequest("m", folder / "package", carry=(ID,), **options)
    return pack_estimator_file(model, request, sample=read_sample(file)).package, file


def assert_own_answers(case: Owned, package: Package, answers: Answers) -> None:
    """Labels are the estimator's own on its owner's frame, numbers within the package's tolerance."""
    manifest = package.manifest
    expected = answers_of(case, manifest.task, scored=manifest.score is not None)
    assert len(case.frame) == len(answers)
    for name, wanted in expected.items():
        found = [answers[f"r{i}"][name] for i in range(len(wanted))]
        if name == "label":
            assert wanted == found
        elif name == "labels":
            assert wanted == [list(labels) for labels in found]
        else:
            np.testing.assert_allclose(found, wanted, rtol=manifest.tolerance, atol=manifest.tolerance)
