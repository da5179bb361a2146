"""What takes how much room in an image."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

__all__ = ["report"]

_LINES = 14


def report(root: Path) -> tuple[float, list[str]]:
    """
    Args:
        root: the image's root folder.
    Returns: MB in all (10⁶ bytes of files, as `docker images` counts), and lines: layers, then the largest libraries.
    """
    layers: Counter[str] = Counter()
    libraries: Counter[str] = Counter()
    for path in root.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        size, parts = path.stat().st_size, path.relative_to(root).parts
        layers[_layer(parts)] += size
        if "site-packages" in parts:
            library = parts[parts.index("site-packages") + 1]
            libraries[library.removesuffix(".libs")] += size
    lines = [f"{size / 1e6:6.1f} MB  {name}" for name, size in layers.most_common()]
    lines += [f"{size / 1e6:6.1f} MB    {name}" for name, size in libraries.most_common(_LINES)]
    return sum(layers.values()) / 1e6, lines


def _layer(parts: tuple[str, ...]) -> str:
    if parts[:2] == ("usr", "local"):
        return "/usr/local: Python"
    if parts[:2] == ("opt", "stream"):
        return "/opt/stream: libraries and ours"
    return "/app: schemas and model" if parts[0] == "app" else "Debian"
