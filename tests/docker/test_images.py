"""`scripts/images` pins every image that is not ours by digest; a registry is not asked here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FILES = ("Dockerfile", "docker-compose.yml")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that it changes, and a `docker` that answers with what the file `digest` holds."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    for name in (*FILES, "scripts/images"):
        shutil.copy(ROOT / name, tmp_path / name)
    fake = tmp_path / "bin" / "docker"
    fake.write_text('#!/bin/sh\necho "$*" >>asked\ncat digest\n')
    fake.chmod(0o755)
    return tmp_path


def _run(clone: Path, digest: str, *arguments: str) -> int:
    (clone / "digest").write_text(digest + "\n")
    environment = {"PATH": f"{clone / 'bin'}:/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "scripts/images", *arguments], cwd=clone, env=environment, capture_output=True, check=False
    ).returncode


def _texts(clone: Path) -> list[str]:
    return [(clone / name).read_text("utf-8") for name in FILES]


def test_images_are_pinned_and_checked(clone: Path) -> None:
    """All of them, each time to the newest; ours, which is built here, is left alone."""
    first, second = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"

    assert 1 == _run(clone, first, "--check")
    before = _texts(clone)
    assert 0 == _run(clone, first)
    pinned = _texts(clone)
    assert 0 == _run(clone, first, "--check")
    assert 1 == _run(clone, second, "--check")
    assert pinned == _texts(clone)
    assert 0 == _run(clone, second)
    assert [text.replace(first, second) for text in pinned] == _texts(clone)

    lines = [
        line
        for text in pinned
        for line in text.splitlines()
        if line.strip().startswith(("FROM ", "image: ")) and ":" in line.removeprefix("  image: ")
    ]
    assert 6 == len(lines)
    assert ["  image: prediction-stream:0.1.0"] == [line for line in lines if f"@{first}" not in line]
    assert before == [text.replace(f"@{first}", "") for text in pinned]


@pytest.mark.parametrize("answer", ["", "no such manifest", "sha256:123", f"sha256:{'g' * 64}"])
def test_answer_that_is_no_digest_changes_nothing(clone: Path, answer: str) -> None:
    """Nothing is made up."""
    before = _texts(clone)

    assert 2 == _run(clone, answer)
    assert before == _texts(clone)
