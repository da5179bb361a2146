"""The container `train` as SageMaker runs it, and the endpoint of what it made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.platforms.sagemaker.container import serving, unpack_archive
from tests.platforms.sagemaker.grounds import Ground
from tests.platforms.sagemaker.training import train
from tests.unit.training.recipes import write_recipe

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]


def test_training_job_leaves_a_model_that_serves(ground: Ground, tmp_path: Path) -> None:
    """What SageMaker packs of /opt/ml/model is what an endpoint opens."""
    recipe = write_recipe(tmp_path)
    asked = {"recipe": "code/toy.py", "card": "false", "sagemaker_region": '"eu-west-1"'}

    done = train(ground, tmp_path / "job", asked, {"code": [recipe, recipe.with_name("point.avsc")]})
    assert 0 == done.code, done.said
    unpack_archive(done.archive, tmp_path / "ml" / "model")
    with serving(ground, tmp_path / "ml") as container:
        answer = container.ask("0.9,red\n0.1,blue").text.splitlines()

    assert done.failure is None
    assert ["true", "false"] == [line.partition(",")[0] for line in answer]


@pytest.mark.parametrize(
    ("asked", "said"), [({"recipe": "nowhere.py"}, "nowhere.py"), ({}, "there is no recipe")]
)
def test_training_job_that_fails_says_why(
    ground: Ground, tmp_path: Path, asked: dict[str, str], said: str
) -> None:
    """In the file that SageMaker shows as FailureReason; the exit code is not 0, and there is no model."""
    done = train(ground, tmp_path / "job", asked, {})

    assert done.code
    assert said in (done.failure or "")
    assert [] == list((tmp_path / "job" / "model").iterdir())
