"""A venv per competitor, so that none uses another's libraries."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

__all__ = ["make_venv"]


def make_venv(folder: Path, requirements: list[str]) -> Path:
    """
    Make a venv with this Python, and this scikit-learn, pandas and numpy.

    Args:
        folder: where; what is there is kept if it was finished for the same requirements.
        requirements: what else to install.
    Returns: its Python.
    Raises: CalledProcessError when something can't be installed.
    """
    pinned = [f"{name}=={version(name)}" for name in ("scikit-learn", "pandas", "numpy", "joblib")]
    wanted = "\n".join([sys.version, *requirements, *pinned])
    done, python = folder / "done", folder / "bin" / "python"
    if done.is_file() and done.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print(f"installing {', '.join(requirements)} into {folder}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    # uv is what scripts/install has put beside this Python.
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *requirements, *pinned], check=True)
    done.write_text(wanted)
    return python
