"""`deploy.py train`, against an AWS of the loopback; what its job made is served, and deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.sagemaker.account import IMAGE, ROLE, Account
from tests.platforms.sagemaker.conftest import Export
from tests.platforms.sagemaker.container import serving, unpack_archive
from tests.platforms.sagemaker.grounds import Ground
from tests.platforms.sagemaker.training import train
from tests.unit.training.recipes import write_recipe

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]


@pytest.fixture
def order(tmp_path: Path) -> list[str]:
    """To train the toy recipe."""
    recipe = write_recipe(tmp_path)
    return ["train", "--recipe", str(recipe), "--file", str(recipe.with_name("point.avsc"))]


def job_of(account: Account, out: str) -> Any:
    """The job that a run names at last."""
    name = [line for line in out.splitlines() if line.startswith("training job ")][-1].split()[2].strip(":")
    return account.ask("describe_training_job", TrainingJobName=name)


def channels_of(account: Account, job: Any, folder: Path) -> dict[str, list[Path]]:
    """A job's channels, as SageMaker brings them: what lies below each place in S3."""
    found = {}
    for channel in job["InputDataConfig"]:
        place = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://acme/")
        listed = account.ask("list_objects_v2", "s3", Bucket="acme", Prefix=place)["Contents"]
        files = [folder / channel["ChannelName"] / Path(one["Key"]).name for one in listed]
        for one, file in zip(listed, files, strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            account.ask("download_file", "s3", Bucket="acme", Key=one["Key"], Filename=str(file))
        found[channel["ChannelName"]] = files
    return found


def test_recipe_is_trained_and_what_it_made_deployed(
    account: Account, export: Export, ground: Ground, order: list[str], tmp_path: Path
) -> None:
    """The container gets what the job says; its archive is the one that the endpoint's container opens."""
    folder = export()

    trained = account.deploy(folder, *order, "--set", "card=false", "--set", "seed=3")
    assert 0 == trained.code, trained.err
    job = job_of(account, trained.out)
    files = channels_of(account, job, tmp_path / "s3")
    done = train(ground, tmp_path / "job", job["HyperParameters"], files)
    assert 0 == done.code, done.said
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://acme/")
    account.ask("upload_file", "s3", Bucket="acme", Key=key, Filename=str(done.archive))
    deployed = account.deploy(folder, "endpoint", "--job", job["TrainingJobName"])
    config = account.ask("describe_endpoint", EndpointName="flights")["EndpointConfigName"]
    [variant] = account.ask("describe_endpoint_config", EndpointConfigName=config)["ProductionVariants"]
    container = account.ask("describe_model", ModelName=variant["ModelName"])["PrimaryContainer"]
    account.deploy(folder, "endpoint", "--delete")
    unpack_archive(done.archive, tmp_path / "ml" / "model")
    with serving(ground, tmp_path / "ml", container["Environment"]) as served:
        answer = served.ask("0.9,red\n0.1,blue").text.splitlines()

    image = IMAGE.replace("stream:1", "stream-train:1")
    assert (image, ROLE) == (job["AlgorithmSpecification"]["TrainingImage"], job["RoleArn"])
    assert {"recipe": "code/toy.py", "card": "false", "seed": "3"} == job["HyperParameters"]
    assert {"code": ["point.avsc", "toy.py"]} == {
        name: sorted(file.name for file in every) for name, every in files.items()
    }
    assert (0, f"s3://acme/{key}") == (deployed.code, container["ModelDataUrl"])
    assert ["true", "false"] == [line.partition(",")[0] for line in answer]


def test_job_runs_once_for_the_same_order(account: Account, export: Export, order: list[str]) -> None:
    """Unless --again; other rows, parameters or another recipe are another job."""
    folder = export()
    rows = ["--input", "s3://acme/rows/a.csv"]

    runs = [
        account.deploy(folder, *order, *rows, *more) for more in ([], [], ["--again"], ["--set", "seed=3"])
    ]
    recipe = Path(order[2])
    recipe.write_text(recipe.read_text("utf-8") + "\n# another\n", "utf-8")
    runs.append(account.deploy(folder, *order, *rows))
    jobs = [job_of(account, run.out) for run in runs]
    names = [job["TrainingJobName"] for job in jobs]

    assert [0] * 5 == [run.code for run in runs], runs[0].err
    assert "--again runs it once more" in runs[1].out
    assert "InProgress" in runs[0].out
    assert names[0] == names[1]
    assert 4 == len(set(names))
    assert [names[0].rpartition("-")[0] + "-2"] == names[2:3]
    [code, training] = jobs[0]["InputDataConfig"]
    assert ("code", "training") == (code["ChannelName"], training["ChannelName"])
    assert "s3://acme/rows/a.csv" == training["DataSource"]["S3DataSource"]["S3Uri"]


def test_job_that_fails_is_said_tried_again_and_not_deployed(
    account: Account, export: Export, order: list[str]
) -> None:
    """Exit 1 with its reason."""
    folder = export(image=IMAGE.replace("/stream:1", "/breaking:1"))

    first, second = account.deploy(folder, *order), account.deploy(folder, *order)
    name = first.err.split()[3].strip(":")
    deployed = account.deploy(folder, "endpoint", "--job", name)

    assert (1, 1, 1) == (first.code, second.code, deployed.code)
    assert "-1: Failed: The container did not pass" in first.err
    assert "-2: Failed: " in second.err
    assert f"--job: {name}: Failed; only what is Completed" in deployed.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train"], "--recipe: which?"),
        (["train", "--recipe", "nowhere.py"], "nowhere.py"),
        (["train", "--recipe", __file__, "--file", __file__], "two files have one name"),
        (["train", "--recipe", __file__, "--set", "seed"], "--set: expected NAME=VALUE, found seed"),
        (["train", "--recipe", __file__, "--set", "recipe=x"], "--recipe names it"),
        (["train", "--recipe", __file__, "--input", "rows.csv"], "--input: expected s3://bucket/…"),
        (["train", "--delete"], "a training job can't be deleted"),
        (["endpoint", "--job", "nowhere"], "--job: there is no training job nowhere"),
        (["package", "--job", "x"], "--job: package can't have it"),
        (["multi-model", "--job", "x"], "--job: multi-model can't have it"),
    ],
)
def test_what_is_no_order_is_refused(
    account: Account, export: Export, arguments: list[str], said: str
) -> None:
    """Exit 1 with one line, and no traceback."""
    found = account.deploy(export(), *arguments)

    assert 1 == found.code, found.out
    assert found.err.startswith("error: ")
    assert said in found.err
    assert 1 == found.err.count("\n")


def test_image_that_is_not_known_is_to_be_filled_in(
    account: Account, export: Export, order: list[str]
) -> None:
    """As the export has left it open."""
    folder = export(image=IMAGE.replace(":1", f"@sha256:{'0' * 64}"))

    found = account.deploy(folder, *order)

    assert "TRAIN_IMAGE_URI" == json.loads((folder / "sagemaker.json").read_text("utf-8"))["train_image"]
    assert (1, "error: sagemaker.json: train_image: fill in TRAIN_IMAGE_URI\n") == (found.code, found.err)
