"""
A build context for Docker: this project's own Dockerfile and sources, and one version of a package in every target.

In a clone the files are the clone's; an installed wheel has them in the folder `build_context` beside this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import SettingsError
from stream.export.exporter import write_files
from stream.export.model_archive import package_entries
from stream.export.trust_variables import trust_variables
from stream.manifest import Manifest
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.store import Package

__all__ = ["docker_context"]

_FILES = ("pyproject.toml", "requirements.lock", "scripts/uv.lock", "LICENSE")
_FOLDERS = {
    "deploy/docker": "deploy/docker",
    "models/flights": "demo/models/flights",
    "schemas": "demo/schemas",
}
"""In a clone → in the installed package; the first is of `build_context` there."""

_LEFT = frozenset({"__pycache__", "build_context"})

_IGNORED = "**/__pycache__\n**/*.pyc\n"
_OURS = "COPY models/flights /app/models/flights\n"
_BUILT = "COPY models models\n"


def docker_context(package: Package, settings: Settings, folder: Path) -> tuple[Path, ...]:
    """
    Write the context.

    Args:
        package: opened.
        settings: whose trust the image shares.
        folder: for it; made when it is not there.
    Returns: what is in the context's folder: files, and folders, in which there are some hundred.
    Raises: SettingsError where this installation has no Dockerfile; PackageError when the package has changed; OSError.
    """
    source = Path(__file__).parents[1]
    clone = source.parent
    root = clone if (clone / "Dockerfile").is_file() else Path(__file__).parent / "build_context"
    if not (root / "Dockerfile").is_file():
        raise SettingsError(
            f"{root}: there is no Dockerfile in this installation",
            hint="export from a clone, or install the wheel",
        )
    files = {name: (root / name).read_bytes() for name in _FILES}
    files |= _tree("stream", source)
    for name, inside in _FOLDERS.items():
        installed = root / name if (root / name).is_dir() else source / inside
        files |= _tree(name, installed)
    packaged = [(name, content) for name, content in package_entries(package) if content is not None]
    files |= {f"package/{name}": content for name, content in packaged}
    files["package.txt"] = _libraries(package.manifest, files["requirements.lock"].decode()).encode()
    trust = trust_variables(settings)
    files["package.env"] = "".join(
        f"export {name}={_quoted(value)}\n" for name, value in trust.items()
    ).encode()
    dockerfile = (root / "Dockerfile").read_text("utf-8")
    files["Dockerfile"] = _with_package(dockerfile, package.manifest, trust).encode()
    files[".dockerignore"] = _IGNORED.encode()
    files["README.md"] = _readme(package.manifest).encode()
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_files(folder, files)
    return tuple(folder / name for name in dict.fromkeys(name.partition("/")[0] for name in files))


def _tree(name: str, folder: Path) -> dict[str, bytes]:
    """The files of a folder by their names in the context; no bytecode, and nothing that a wheel has put there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not _LEFT.intersection(inside.parts):
            found[f"{name}/{inside.as_posix()}"] = path.read_bytes()
    return found


def _with_package(dockerfile: str, manifest: Manifest, trust: Mapping[str, str]) -> str:
    """The Dockerfile with the package in it: built from, verified with its golden rows, and the model by default."""
    place = f"models/{_plain(manifest.name)}"
    variables = {"STREAM_MODEL__URI": f"/app/{place}", **trust}
    copied = f"COPY package /app/{place}\n"
    copied += "".join(f"ENV {name}={_quoted(value)}\n" for name, value in variables.items())
    built = f"{_BUILT}COPY package.txt package.env ./\nCOPY package package\n"
    for line, instead in ((_OURS, copied), (_BUILT, built)):
        if dockerfile.count(line) != 1:
            raise SettingsError(
                f"Dockerfile: expected the line {line.strip()!r} once",
                hint="export from a clone as it was released",
            )
        dockerfile = dockerfile.replace(line, instead)
    return dockerfile


def _plain(name: str) -> str:
    """A model's name as a Dockerfile takes it in a path; a registry's may hold spaces, `$` and all else."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "model"


def _quoted(value: str) -> str:
    """A value as a shell and a Dockerfile read it alike; a quote in JSON is said in another way."""
    if re.fullmatch(r"[\w./-]+", value, re.ASCII):
        return value
    return "'" + value.replace("'", "\\u0027") + "'"


def _libraries(manifest: Manifest, lock: str) -> str:
    """The libraries that the package was made with, for pip: in the lock's version where that has one."""
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    names = {re.sub(r"[-_.]+", "-", name.lower()): said for name, said in manifest.libraries.items()}
    del names["python"]
    return "".join(
        f"{name}\n" if name in locked else f"{name}=={said}\n" for name, said in sorted(names.items())
    )


def _readme(manifest: Manifest) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", f"{manifest.name}-{manifest.version}".lower()).strip("-")
    ours = version("prediction-stream")
    return (
        f"{manifest.model} in images of prediction-stream {ours}: targets worker, serve, batch, train.\n"
        f"Build: `docker build --target serve -t {name}-serve .`; the build fails if the golden rows score otherwise.\n"
        f"Run: `docker run --read-only --tmpfs /tmp -p 8080:8080 {name}-serve`; docs/docker.md says the rest.\n"
    )
