"""
The folders of a SageMaker training container: what `train` reads and writes there.

    /opt/ml/input/config/hyperparameters.json   an object of texts
    /opt/ml/input/data/<channel>/               the rows
    /opt/ml/model/                              the package
    /opt/ml/output/failure                      why it failed

Source: Amazon SageMaker AI developer guide, "How Amazon SageMaker AI Provides Training Information", "How Amazon
SageMaker AI Processes Training Output".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.errors import SettingsError
from stream.training.overrides import json_or_text

__all__ = ["BASE", "BASE_VARIABLE", "Order", "container", "read_order", "tell_failure"]

BASE = Path("/opt/ml")
"""Where SageMaker mounts its folders."""

BASE_VARIABLE = "SAGEMAKER_BASE_DIR"
"""Environment variable that names another folder, as in SageMaker's own training toolkit."""

_CHANNEL = "training"
"""The channel that SageMaker's SDK makes of a single input."""

_THEIRS = ("sagemaker_", "_tuning_")
"""Hyperparameters that SageMaker's SDK and its tuner add for themselves."""

_FAILURE_CHARACTERS = 1_024
"""SageMaker shows only so many characters of the failure; the log has all of it."""


@dataclass(frozen=True, slots=True)
class Order:
    """
    What the container is asked to do.

    Attributes:
        recipe: the recipe's file.
        out: the package's folder.
        data: the rows, in place of the recipe's DATA; None for its own.
        seed: in place of the recipe's; None for its own.
        fixed: estimator parameters.
        card: whether the package gets a card.
    """

    recipe: Path
    out: Path
    data: Path | None
    seed: int | None
    fixed: Mapping[str, object]
    card: bool


def container(environment: Mapping[str, str]) -> Path | None:
    """
    Args:
        environment: of the process.
    Returns: the base folder when this is a training container, else None.
    """
    base = Path(environment.get(BASE_VARIABLE) or BASE)
    return base if (base / "input" / "config").is_dir() else None


def read_order(base: Path) -> Order:
    """
    Read the hyperparameters: ours, SageMaker's own (ignored), and the estimator's.

    Args:
        base: the container's base folder.
    Returns: what to do.
    Raises: SettingsError naming the file, the hyperparameter and what was expected.
    """
    place = base / "input" / "config" / "hyperparameters.json"
    values = {name: value for name, value in _hyperparameters(place).items() if not name.startswith(_THEIRS)}
    recipe = values.pop("recipe", None)
    if not isinstance(recipe, str):
        raise SettingsError(
            f"{place}: there is no recipe",
            hint='set the hyperparameter recipe to its path in the image, or in a channel: "code/train.py"',
        )
    channel, seed, card = values.pop("channel", None), values.pop("seed", None), values.pop("card", True)
    if not (seed is None or type(seed) is int):
        raise SettingsError(f"{place}: seed: expected a whole number, found {seed!r}", hint="correct it")
    if not isinstance(card, bool):
        raise SettingsError(f"{place}: card: expected true or false, found {card!r}", hint="correct it")
    data = _data(base / "input" / "data", channel)
    return Order(_recipe(base, recipe), base / "model", data, seed, values, card)


def _hyperparameters(place: Path) -> dict[str, object]:
    """All values are texts; what is JSON is taken as such."""
    try:
        values = json.loads(place.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{place}: can't be read: {error}", hint="write an object of texts") from error
    if not isinstance(values, dict):
        raise SettingsError(
            f"{place}: expected an object, found {type(values).__name__}", hint="write an object"
        )
    return {name: json_or_text(value) if isinstance(value, str) else value for name, value in values.items()}


def _recipe(base: Path, text: str) -> Path:
    """A path in a channel, else in the image."""
    inside = base / "input" / "data" / text
    return inside if inside.is_file() else Path(text)


def _data(channels: Path, request: object) -> Path | None:
    """The channel's one file; the folder where it has several."""
    folder = channels / str(request or _CHANNEL)
    if not folder.is_dir():
        if request is None:
            return None
        found = ", ".join(sorted(path.name for path in channels.glob("*"))) or "none"
        raise SettingsError(f"there is no channel {folder}; found: {found}", hint="correct the channel")
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    return files[0] if len(files) == 1 else folder


def tell_failure(base: Path, text: str) -> None:
    """
    Write the reason where SageMaker looks for it.

    Args:
        base: the container's base folder.
        text: what went wrong.
    Raises: OSError from the disk.
    """
    place = base / "output" / "failure"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text[:_FAILURE_CHARACTERS], "utf-8")
