"""`deploy.py`, as it is run against an AWS of the loopback, by boto3, which checks every request's shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.sagemaker.account import IMAGE, ROLE, Account

pytestmark = pytest.mark.platform

Export = Callable[..., Path]


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """As a user edits `sagemaker.json`."""
    plan = json.loads((folder / "sagemaker.json").read_text("utf-8"))
    change(plan)
    (folder / "sagemaker.json").write_text(json.dumps(plan), "utf-8")


def named(folder: Path, kind: str, name: str) -> Path:
    """An export whose endpoint has a name of the test's own."""
    edit(folder, lambda plan: plan[kind].update(EndpointName=name))
    return folder


@pytest.mark.parametrize("kind", ["endpoint", "serverless", "async", "multi-model"])
def test_endpoint_is_made_once(account: Account, export: Export, kind: str) -> None:
    """A second run finds everything, and changes nothing; --delete leaves the archive only."""
    folder = named(export(), kind, f"once-{kind}")

    first = account.deploy(folder, kind)
    models = [name for name in account.names("models", "Model") if name.startswith(f"once-{kind}-")]
    configs = [
        name for name in account.names("endpoint_configs", "EndpointConfig") if f"once-{kind}-" in name
    ]
    second = account.deploy(folder, kind)
    endpoint = account.ask("describe_endpoint", EndpointName=f"once-{kind}")
    model = account.ask("describe_model", ModelName=models[0])
    config = account.ask("describe_endpoint_config", EndpointConfigName=configs[0])
    deleted = account.deploy(folder, kind, "--delete")

    assert (0, 0, 0) == (first.code, second.code, deleted.code), first.err + second.err + deleted.err
    assert (1, 1, configs[0]) == (len(models), len(configs), endpoint["EndpointConfigName"])
    assert "Creating" in first.out
    assert "has " + configs[0] in second.out
    assert ": made" not in second.out
    container = model["PrimaryContainer"]
    assert (IMAGE, ROLE) == (container["Image"], model["ExecutionRoleArn"])
    assert ("MultiModel" if kind == "multi-model" else None) == container.get("Mode")
    assert (kind != "serverless") == model.get("EnableNetworkIsolation", False)
    variant = config["ProductionVariants"][0]
    assert (kind == "serverless") == ("ServerlessConfig" in variant)
    assert (kind == "async") == ("AsyncInferenceConfig" in config)
    assert "error" in account.ask("describe_endpoint", EndpointName=f"once-{kind}")
    assert [] == [name for name in account.names("models", "Model") if name.startswith(f"once-{kind}-")]
    key = container["ModelDataUrl"].removeprefix("s3://acme/")
    listed = account.ask("list_objects_v2", "s3", Bucket="acme", Prefix=key)
    assert [(folder / "model.tar.gz").stat().st_size] == [one["Size"] for one in listed["Contents"]]


def test_another_export_is_an_update_and_the_older_one_the_way_back(account: Account, export: Export) -> None:
    """Each has a configuration of its own name; the endpoint goes from one to the other."""
    old = named(export("old"), "endpoint", "updated")
    new = named(export("new", image=IMAGE.replace(":1", ":2")), "endpoint", "updated")
    config: list[str] = []
    runs = []
    for folder in (old, new, old):
        runs.append(account.deploy(folder, "endpoint"))
        config.append(account.ask("describe_endpoint", EndpointName="updated")["EndpointConfigName"])

    assert [0, 0, 0] == [one.code for one in runs], runs[1].err
    assert config[0] == config[2] != config[1]
    assert f"changes from {config[0]} to {config[1]}" in runs[1].out
    assert "Updating" in runs[1].out
    account.deploy(new, "endpoint", "--delete")
    assert [] == [name for name in account.names("endpoint_configs", "EndpointConfig") if "updated-" in name]


def test_update_that_is_rolled_back_is_said(account: Account, export: Export) -> None:
    """SageMaker goes back to what was there; exit 1, its reason, and where the log is."""
    account.deploy(named(export("good"), "endpoint", "rolled"), "endpoint")
    before = account.ask("describe_endpoint", EndpointName="rolled")["EndpointConfigName"]
    bad = named(export("bad", image=IMAGE.replace(":1", ":breaking")), "endpoint", "rolled")

    found = account.deploy(bad, "endpoint")

    assert 1 == found.code
    assert f"InService with {before}: The container did not pass the ping health check" in found.err
    assert "/aws/sagemaker/Endpoints/rolled" in found.err


def test_endpoint_that_failed_is_made_anew(account: Account, export: Export) -> None:
    """A failed one can't be updated."""
    bad = named(export("bad", image=IMAGE.replace(":1", ":breaking")), "endpoint", "anew")
    good = named(export("good"), "endpoint", "anew")

    failed, made = account.deploy(bad, "endpoint"), account.deploy(good, "endpoint")

    assert (1, 0) == (failed.code, made.code)
    assert "Failed with anew-" in failed.err
    assert "had failed (The container did not pass the ping health check.), and is made anew" in made.out


def test_endpoint_that_changes_is_waited_for(account: Account, export: Export) -> None:
    """Without waiting, what goes on is left; the next run waits for it first."""
    folder = named(export(), "endpoint", "busy")

    begun = account.deploy(folder, "endpoint", "--timeout", "0")
    ended = account.deploy(folder, "endpoint")

    assert (0, 0) == (begun.code, ended.code), begun.err + ended.err
    assert "in service" not in begun.out
    assert "is Creating; waiting for that first" in ended.out


def test_transform_job_runs_once_for_the_same_rows(account: Account, export: Export) -> None:
    """Unless --again; other rows are another job, and a failed one is tried again."""
    folder = export()
    rows = ("--input", "s3://acme/in/a.csv", "--output", "s3://acme/out")

    runs = [
        account.deploy(folder, "transform", *rows),
        account.deploy(folder, "transform", *rows),
        account.deploy(folder, "transform", *rows, "--again"),
        account.deploy(folder, "transform", "--input", "s3://acme/in/b.csv", "--output", "s3://acme/out"),
    ]
    jobs = account.names_of_jobs("flights-transform")
    job = account.ask("describe_transform_job", TransformJobName=jobs[0])

    assert [0] * 4 == [one.code for one in runs], runs[0].err
    assert 3 == len(jobs)
    assert ["1", "1", "2"] == sorted(name.rpartition("-")[2] for name in jobs)
    assert "--again runs it once more" in runs[1].out
    assert "InProgress" in runs[0].out
    assert ("Line", "Line") == (job["TransformInput"]["SplitType"], job["TransformOutput"]["AssembleWith"])
    assert "Input" == job["DataProcessing"]["JoinSource"]


def test_transform_job_that_fails_is_said_and_tried_again(account: Account, export: Export) -> None:
    """Exit 1 with its reason."""
    folder = export(image=IMAGE.replace(":1", ":breaking"))
    rows = ("--input", "s3://acme/in/c.csv", "--output", "s3://acme/out")

    first, second = account.deploy(folder, "transform", *rows), account.deploy(folder, "transform", *rows)

    assert (1, 1) == (first.code, second.code)
    assert "-1: Failed: The container did not pass the ping health check." in first.err
    assert "-2: Failed: " in second.err


def test_model_package_is_registered_once_and_approved(account: Account, export: Export) -> None:
    """It is found again by its archive's hash; another approval is a change of the same version."""
    folder = export()

    made, found, approved = (
        account.deploy(folder, "package"),
        account.deploy(folder, "package"),
        account.deploy(folder, "package", "--approve"),
    )
    listed = account.ask("list_model_packages", ModelPackageGroupName="flights")["ModelPackageSummaryList"]
    package = account.ask("describe_model_package", ModelPackageName=listed[0]["ModelPackageArn"])
    deleted = account.deploy(folder, "package", "--delete")
    left = account.ask("list_model_packages", ModelPackageGroupName="flights")["ModelPackageSummaryList"]

    assert [0] * 4 == [one.code for one in (made, found, approved, deleted)], made.err + deleted.err
    assert "is there, PendingManualApproval" in found.out
    assert (1, "Approved", []) == (len(listed), package["ModelApprovalStatus"], left)
    assert "flights@1" == package["CustomerMetadataProperties"]["model"]
    assert ["text/csv", "application/json"] == package["InferenceSpecification"]["SupportedContentTypes"][:2]


def test_packages_share_a_multi_model_endpoint(account: Account, export: Export) -> None:
    """Another package is another archive below the same folder; the endpoint does not change."""
    first = named(export("a", s3="s3://acme/shared"), "multi-model", "shared")
    second = named(export("b", s3="s3://acme/shared"), "multi-model", "shared")
    edit(second, lambda plan: plan.update(name="delays", version=7))

    runs = [account.deploy(folder, "multi-model") for folder in (first, second)]

    assert [0, 0] == [one.code for one in runs]
    assert "TargetModel=delays-7.tar.gz: s3://acme/shared/multi-model/delays-7.tar.gz" in runs[1].out
    assert "already" in runs[1].out
    listed = account.ask("list_objects_v2", "s3", Bucket="acme", Prefix="shared/multi-model/")["Contents"]
    assert ["delays-7.tar.gz", "flights-1.tar.gz"] == sorted(one["Key"].rpartition("/")[2] for one in listed)


def test_what_others_made_stays(account: Account, export: Export) -> None:
    """Nothing without our mark is deleted, whatever its name."""
    folder = named(export(), "endpoint", "theirs")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://acme/model.tar.gz"}
    account.ask(
        "create_model", ModelName="theirs-0123abcd", ExecutionRoleArn=ROLE, PrimaryContainer=container
    )

    found = account.deploy(folder, "endpoint", "--delete")

    assert (0, "") == (found.code, found.err)
    assert "theirs-0123abcd" in account.names("models", "Model")


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (
            lambda plan: plan.update(image="IMAGE_URI"),
            ["endpoint"],
            "sagemaker.json: image: fill in IMAGE_URI",
        ),
        (lambda plan: plan.update(role="ROLE_ARN"), ["endpoint"], "sagemaker.json: role: fill in ROLE_ARN"),
        (lambda plan: plan.update(s3="s3://BUCKET/FOLDER"), ["endpoint"], "s3: fill in s3://BUCKET/FOLDER"),
        (lambda plan: plan["archive"].update(sha256="0" * 64), ["endpoint"], "is not what was exported"),
        (lambda plan: plan.update(s3="s3://nowhere/x"), ["endpoint"], "nowhere/x"),
        (lambda plan: None, ["transform", "--input", "rows.csv"], "--input: expected s3://bucket/…"),
    ],
)
def test_what_can_t_be_deployed_is_refused(
    account: Account,
    export: Export,
    change: Callable[[dict[str, Any]], object],
    arguments: list[str],
    said: str,
) -> None:
    """Exit 1 with one line, and no traceback."""
    folder = export()
    edit(folder, change)

    found = account.deploy(folder, *arguments)

    assert 1 == found.code, found.out
    assert found.err.startswith("error: ")
    assert said in found.err
    assert 1 == found.err.count("\n")


def test_script_is_a_program_of_its_own(account: Account, export: Export) -> None:
    """With boto3 beside it and nothing of ours; `--help` says what it does."""
    helped = account.spawn(export(), "--help")
    refused = account.spawn(export(s3="s3://nowhere/x"), "endpoint")

    assert (0, "") == (helped.code, helped.err)
    assert "python deploy.py endpoint --delete" in helped.out
    assert 1 == refused.code
    assert refused.err.startswith("error: ")
