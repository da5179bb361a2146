"""
A stand-in for the base image where its registry can't be reached: Debian of the same name, made from its packages, and
this machine's Python in /usr/local, where the official image has its own build.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docker.compose import ROOT
from tests.docker.dockerfile import stage
from tests.image.buildah import Buildah

__all__ = ["make_base"]

_PACKAGES = (
    "ca-certificates", "libbz2-1.0", "libexpat1", "libffi8", "liblzma5", "libreadline8", "libsqlite3-0", "libssl3",
    "libuuid1", "netbase", "tzdata", "usr-is-merged", "zlib1g",
)  # fmt: skip
"""What the official image installs, and what its Python is linked to."""

_UNLIKE = (
    "libfile-find-rule-perl", "libnumber-compare-perl", "libperl5.36", "libtext-glob-perl", "perl", "perl-modules-5.36",
    "usrmerge",
)  # fmt: skip
"""What comes with it, and is not in the official image."""

_LEFT = ("doc", "info", "locale", "man")
_NOT_OURS = ("site-packages", "test", "tests", "idle_test", "__pycache__", "config-*")


def make_base(buildah: Buildah) -> str:
    """
    Make the image that the Dockerfile begins with, unless it is there.

    Returns: what stands in for it, in a line.
    Raises: SystemExit when this machine's Python can't. subprocess.CalledProcessError.
    """
    name = f"docker.io/library/{stage('python').image}"
    prefix, minor = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    if minor.removeprefix("python") != (ROOT / ".python-version").read_text("utf-8").strip():
        raise SystemExit(
            f"tests.image: run it with the Python of .python-version, not with {sys.version.split()[0]}"
        )
    if prefix == Path("/usr"):
        raise SystemExit(
            "tests.image: Debian's own Python can't stand in for the official one, which is in /usr/local"
        )
    if not buildah.has(name):
        container = buildah.run("from", "scratch")
        buildah.run(
            "add", container, str(_debian(stage("python").image.partition("@")[0].rpartition("-")[2])), "/"
        )
        with tempfile.TemporaryDirectory() as folder:
            _copy_python(prefix, minor, Path(folder))
            buildah.run("add", container, folder, "/usr/local")
        links = f"cd /usr/local/bin && ln -s {minor} python3 && ln -s {minor} python && ldconfig && python -m ensurepip"
        buildah.run("run", "--isolation=chroot", container, "--", "sh", "-c", links)
        path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        buildah.run("config", f"--env=PATH={path}", "--cmd=python3", container)
        buildah.run("commit", "--format=docker", "--rm", container, name)
    return f"{name}: a stand-in of Debian's packages and Python {sys.version.split()[0]} from {prefix}"


def _debian(suite: str) -> Path:
    """Its smallest system as an archive, kept in .cache."""
    archive = ROOT / ".cache" / "image" / f"{suite}.tar"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        part = archive.with_suffix(".part.tar")
        unlike = f'chroot "$1" dpkg --purge --force-depends {" ".join(_UNLIKE)} >/dev/null'
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={','.join(_PACKAGES)}",
             *(f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in _LEFT), f"--customize-hook={unlike}",
             suite, str(part)],
            check=True,
        )  # fmt: skip
        part.rename(archive)
    return archive


def _copy_python(prefix: Path, minor: str, to: Path) -> None:
    """A Python without what was installed into it; its symbols stripped, as those of the official one are."""
    (to / "bin").mkdir()
    shutil.copy2(prefix / "bin" / minor, to / "bin" / minor)
    shutil.copytree(
        prefix / "lib" / minor, to / "lib" / minor, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_OURS)
    )
    (to / "lib" / minor / "site-packages").mkdir()
    for each in (prefix / "lib").glob("libpython3*.so*"):
        shutil.copy2(each, to / "lib" / each.name, follow_symlinks=False)
    if shutil.which("strip"):
        binaries = [each for each in to.rglob("*") if each.suffix in {".so", ".0"} or each.name == minor]
        files = [str(each) for each in binaries if each.is_file() and not each.is_symlink()]
        subprocess.run(["strip", "--strip-unneeded", *files], check=True)
