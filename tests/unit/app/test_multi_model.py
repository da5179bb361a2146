"""What opens the packages of a multi-model endpoint."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from stream.app.container import models_folder
from stream.app.multi_model import Opener
from stream.rest import Problem
from stream.settings import ModelSettings, Settings
from tests.unit.rest.models import pack_delay

SETTINGS = Settings(model=replace(ModelSettings(), open_timeout=None))


def test_multi_model_endpoint_is_known_by_its_variable() -> None:
    """Where neither a file nor a variable says which model is served."""
    many = {"SAGEMAKER_MULTI_MODEL": "true"}

    assert Path("/opt/ml/models") == models_folder(many, configured=False)
    assert Path("/x/models") == models_folder({**many, "SAGEMAKER_BASE_DIR": "/x"}, configured=False)
    assert None is models_folder(many, configured=True)
    assert None is models_folder({**many, "STREAM_MODEL__URI": "x"}, configured=False)
    assert None is models_folder({}, configured=False)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a folder of its own."""
    return pack_delay(tmp_path_factory.mktemp("model") / "delay")


def test_package_is_found_in_the_archives_folder(package: Path) -> None:
    """Itself, or a folder that has its name."""
    opener = Opener(SETTINGS)

    assert ("delay@1", "delay@1") == (
        opener(package.parent).title,
        opener(package).title,
    )


@pytest.mark.parametrize("damage", ["hash", "nothing", "signature"])
def test_package_that_is_refused_is_a_500(package: Path, tmp_path: Path, damage: str) -> None:
    """With the reason; the next one opens."""
    settings = SETTINGS
    if damage == "hash":
        shutil.copytree(package, tmp_path / "bad")
        with (tmp_path / "bad" / "versions" / "1" / "golden.avro").open("ab") as file:
            file.write(b"\0")
    elif damage == "signature":
        shutil.copytree(package, tmp_path / "bad")
        settings = replace(SETTINGS, model=replace(SETTINGS.model, require_signature=True))
    opener = Opener(settings)

    with pytest.raises(Problem) as refused:
        opener(tmp_path / "bad")

    assert 500 == refused.value.status
    assert refused.value.message
    if damage != "signature":
        assert "delay@1" == opener(package).title
