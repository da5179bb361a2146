"""`scripts/image`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.docker.compose import ROOT
from tests.docker.dockerfile import TARGETS
from tests.image.base_image import make_base
from tests.image.buildah import Buildah
from tests.image.built import Built
from tests.image.exported import export_context, held_to_package
from tests.image.proofs import PROOFS, held_to_all
from tests.image.sagemaker import SAGEMAKER_TARGETS, held_to_sagemaker, made_sagemaker_s
from tests.image.sizes import report
from tests.image.starts import report_starts

LARGEST_MB = {"worker": 500}
"""What the images are held to, everything in them counted."""


def main() -> None:
    """Build, run, count; exit code 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(prog="scripts/image")
    parser.add_argument("--target", action="append", choices=TARGETS, help="only these (default: all)")
    parser.add_argument(
        "--context",
        type=Path,
        default=ROOT,
        help="another build context: what `stream export --to docker` wrote",
    )
    parser.add_argument(
        "--storage", type=Path, help="keep buildah's storage here, to build faster the next time"
    )
    parser.add_argument("--keep", action="store_true", help="build only; print a root folder for each target")
    parser.add_argument(
        "--sagemaker", action="store_true", help="hold serve and train to SageMaker's contract, nothing else"
    )
    parser.add_argument("--starts", action="store_true", help="measure how soon serve answers, nothing else")
    asked = parser.parse_args()
    if os.geteuid():
        raise SystemExit("scripts/image: run it as root: it mounts file systems")
    storage = asked.storage or Path(tempfile.mkdtemp(prefix="image-"))
    buildah = Buildah(storage)
    try:
        print(make_base(buildah))
        if asked.sagemaker:
            _sagemaker(buildah, asked.context)
            return
        if asked.starts:
            report_starts(_built(buildah, asked.context, "serve"))
            return
        for target in asked.target or TARGETS:
            _each(buildah, asked.context, target, keep=asked.keep)
        if not (asked.target or asked.keep or asked.context != ROOT):
            with tempfile.TemporaryDirectory() as folder:
                _each(buildah, export_context(Path(folder)), "serve")
    finally:
        if asked.keep:
            print(f"run in a folder: chroot --userspec=10001:10001 FOLDER env PATH=/opt/stream/bin:/usr/local/bin:"
                  f"/usr/bin:/bin HOME=/tmp stream …\naway with all of it: buildah --root {storage}/root --runroot "
                  f"{storage}/run --storage-driver overlay rm --all; rm -r {storage}")  # fmt: skip
        else:
            buildah.close()
            if not asked.storage:
                shutil.rmtree(storage)


def _each(buildah: Buildah, context: Path, target: str, *, keep: bool = False) -> None:
    built = _built(buildah, context, target)
    if keep:
        print(built.root)
        return
    _measured(built, target)
    held_to_all(built)
    if (context / "package").exists():
        held_to_package(built, context, target)
    else:
        PROOFS[target](built)


def _sagemaker(buildah: Buildah, context: Path) -> None:
    """As they are, and as the export's Dockerfile makes them."""
    own = {target: _built(buildah, context, target) for target in SAGEMAKER_TARGETS}
    roots = {target: made_sagemaker_s(buildah, target, _tag(target)) for target in SAGEMAKER_TARGETS}
    held_to_sagemaker({"image": own, "image-of-root": roots})


def _tag(target: str) -> str:
    return f"localhost/prediction-stream-{target}:test"


def _built(buildah: Buildah, context: Path, target: str) -> Built:
    began, tag = time.monotonic(), _tag(target)
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    buildah.build(context, target, tag, [f"REVISION={revision or 'unknown'}"])
    print(f"=== {target}: built in {time.monotonic() - began:.0f} s", flush=True)
    return Built(buildah.mount(tag), buildah.inspect(tag)["config"])


def _measured(built: Built, target: str) -> None:
    size, lines = report(built.root)
    print("\n".join([f"  {size:.0f} MB in all", *(f"  {line}" for line in lines)]))
    if size > LARGEST_MB.get(target, size):
        raise SystemExit(f"scripts/image: {target} has {size:.0f} MB, more than {LARGEST_MB[target]}")


if __name__ == "__main__":
    main()
