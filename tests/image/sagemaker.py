"""The images `serve` and `train` held to SageMaker's contract: tests/platforms/sagemaker, run in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.docker.compose import ROOT
from tests.image.buildah import Buildah
from tests.image.built import Built, hold
from tests.platforms.sagemaker.grounds import IMAGES

__all__ = ["SAGEMAKER_TARGETS", "held_to_sagemaker", "made_sagemaker_s"]

SAGEMAKER_TARGETS = ("serve", "train")

_TESTS = ("test_container.py", "test_many_models.py", "test_training.py", "test_deploy_training.py")


def made_sagemaker_s(buildah: Buildah, target: str, tag: str) -> Built:
    """
    Build an image with the Dockerfile that `stream export --to sagemaker` writes.

    Args:
        buildah: that has the target.
        target: its name.
        tag: its address.
    """
    with tempfile.TemporaryDirectory() as folder:
        export = [
            str(Path(sys.executable).with_name("stream")),
            "export",
            "--to",
            "sagemaker",
            "--out",
            folder,
        ]
        subprocess.run([*export, "models/flights"], cwd=ROOT, check=True, capture_output=True)
        made = f"localhost/sagemaker-{target}:test"
        buildah.build(Path(folder), None, made, [f"IMAGE={tag}"])
    return Built(buildah.mount(made), buildah.inspect(made)["config"])


def held_to_sagemaker(images: Mapping[str, Mapping[str, Built]]) -> None:
    """
    Run the tests in each.

    Args:
        images: name → the word that SageMaker starts a container with → image.
    """
    content = {
        name: {word: {"root": str(one.root), "config": one.config} for word, one in built.items()}
        for name, built in images.items()
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(content, file)
        file.flush()
        tests = [f"tests/platforms/sagemaker/{name}" for name in _TESTS]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "platform", *tests],
            cwd=ROOT,
            env={**os.environ, IMAGES: file.name},
            check=False,
        )
    hold(done.returncode == 0, "SageMaker's contract: see above")
