"""A training job as SageMaker runs it: its folders, the one word `train`, and what it makes of the result."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.platforms.sagemaker.grounds import Ground

__all__ = ["Trained", "train"]

TRAIN_S = 300


@dataclass(frozen=True, slots=True)
class Trained:
    """
    How a job ended.

    Attributes:
        code: its exit code.
        said: its log.
        failure: FailureReason; None where it gave none.
        archive: what is at S3ModelArtifacts.
    """

    code: int
    said: str
    failure: str | None
    archive: Path


def train(
    ground: Ground, ml: Path, hyperparameters: Mapping[str, str], channels: Mapping[str, list[Path]]
) -> Trained:
    """
    Run a job.

    Args:
        ground: that it runs in.
        ml: its `/opt/ml`, empty.
        hyperparameters: texts, as CreateTrainingJob has them.
        channels: the files of each.
    """
    config = ml / "input" / "config"
    for folder in (config, ml / "model", ml / "output"):
        folder.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "resourceconfig.json").write_text('{"current_host": "algo-1", "hosts": ["algo-1"]}')
    for name, files in channels.items():
        (ml / "input" / "data" / name).mkdir(parents=True)
        for file in files:
            shutil.copy(file, ml / "input" / "data" / name)
    with ground.runs("train", ml, {"TRAINING_JOB_NAME": "job"}) as (job, _):
        code, said = job.ends(TRAIN_S), job.said()
    failure, archive = ml / "output" / "failure", ml.with_name(f"{ml.name}.tar.gz")
    with tarfile.open(archive, "w:gz") as written:
        for path in sorted((ml / "model").iterdir()):
            written.add(path, path.name)
    return Trained(code, said, failure.read_text("utf-8") if failure.exists() else None, archive)
