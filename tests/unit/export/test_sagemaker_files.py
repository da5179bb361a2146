"""What `stream export --to sagemaker` writes; tests/platforms/sagemaker runs it."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stream.app import in_container
from stream.configuration import load_settings
from stream.errors import PackageError, SettingsError
from stream.export import EXPORTERS, filled, left_open
from stream.export.model_archive import write_archive
from stream.export.sagemaker_files import environment, sagemaker_name, train_image
from stream.export.sagemaker_rights import deployer_policy, role_policy
from stream.settings import ModelSettings, Settings
from stream.store import open_package
from tests.damage import damaged
from tests.unit.rest.models import pack_kinds

OPTIONS = {
    "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scoring/stream:1",
    "role": "arn:aws:iam::123456789012:role/stream",
    "s3": "s3://acme/models/",
}
SAGEMAKER = EXPORTERS["sagemaker"]


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """A package's folder."""
    return pack_kinds(tmp_path / "kinds")


def test_archive_opens_as_the_package_it_is(kinds: Path, tmp_path: Path) -> None:
    """What SageMaker unpacks is a package, with the same version, and the script has its hash."""
    exported = SAGEMAKER.export(open_package(kinds), Settings(), OPTIONS, tmp_path / "x")
    with tarfile.open(tmp_path / "x" / "model.tar.gz") as archive:
        archive.extractall(tmp_path / "model", filter="data")

    opened, plan = (
        open_package(tmp_path / "model"),
        json.loads((tmp_path / "x" / "sagemaker.json").read_text()),
    )

    assert open_package(kinds).manifest == opened.manifest
    content = (tmp_path / "x" / "model.tar.gz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == plan["archive"]["sha256"]
    assert sorted(path.name for path in exported.files) == sorted(
        path.name for path in (tmp_path / "x").iterdir()
    )
    assert (tmp_path / "x" / "deploy.py").read_text().startswith('"""\nDeploys what')


def test_same_version_is_the_same_archive(kinds: Path, tmp_path: Path) -> None:
    """Whenever it is written, and whatever the disk says of its files; so nothing is deployed twice."""
    package = open_package(kinds)
    first = write_archive(package, tmp_path / "a.tar.gz")
    for path in kinds.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o600)
    second = write_archive(package, tmp_path / "b.tar.gz")

    assert first == second
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        assert {(0o644, 0, 0), (0o755, 0, 0)} == {
            (entry.mode, entry.mtime, entry.uid) for entry in archive.getmembers()
        }


@pytest.mark.parametrize("name", ["golden.avro", "manifest.json"])
def test_package_that_changes_meanwhile_is_not_archived(kinds: Path, tmp_path: Path, name: str) -> None:
    """What is in the archive is what was opened; a file of half of it is not left."""
    package = open_package(kinds)
    content = (package.path / name).read_bytes()
    changed = (
        content.replace(b'"created": "20', b'"created": "19') if name == "manifest.json" else damaged(content)
    )
    assert changed != content
    (package.path / name).write_bytes(changed)

    with pytest.raises(PackageError):
        write_archive(package, tmp_path / "a.tar.gz")

    assert [kinds] == list(tmp_path.iterdir())


def test_container_understands_its_variables(tmp_path: Path) -> None:
    """They are settings of ours, which end in time for SageMaker: 60 s for an answer, 30 s after SIGTERM."""
    trust = ModelSettings(
        require_signature=True,
        trusted_keys=("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n",),
        trusted_types=("acme.Model",),
        max_size=type(ModelSettings().max_size)(5 * 2**30),
    )

    found = load_settings(None, environment(replace(Settings(), model=trust)))

    assert trust == replace(found.model, reload=trust.reload)
    assert None is found.model.reload
    assert 25 * 2**20 == found.serve.max_body
    assert [55.0, 25.0] == [float(found.serve.timeout), float(found.serve.drain_timeout)]
    (tmp_path / "model").mkdir()
    served = in_container(found, environment(Settings()), configured=False, ml=tmp_path)
    assert (str(tmp_path / "model"), "0.0.0.0") == (served.model.uri, served.serve.host)


def test_variable_that_is_too_long_is_refused() -> None:
    """Before anything is written."""
    long = replace(Settings(), model=ModelSettings(trusted_types=("x" * 20_000,)))

    with pytest.raises(SettingsError, match=r"TRUSTED_TYPES: has 20004 characters, SageMaker takes 10240"):
        environment(long)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("flights", "flights"),
        ("late_flights.v2", "late-flights-v2-6a518d60"),
        ("_a__b_", "a-b-ae031e9f"),
        ("x" * 90, f"{'x' * 31}-efdfd9ee"),
    ],
)
def test_names_are_sagemakers(model: str, expected: str) -> None:
    """Letters, digits and single hyphens, with room for what is appended."""
    assert expected == sagemaker_name(model)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (OPTIONS["image"], OPTIONS["image"].replace("stream:1", "stream-train:1")),
        ("host:5000/a/stream", "host:5000/a/stream-train"),
        (f"host/stream@sha256:{'0' * 64}", "TRAIN_IMAGE_URI"),
        ("IMAGE_URI", "TRAIN_IMAGE_URI"),
    ],
)
def test_training_image_lies_beside_the_other(image: str, expected: str) -> None:
    """Its address is left open where it can't be known."""
    assert expected == train_image(image)


def test_rights_are_those_of_the_places_that_are_named() -> None:
    """The bucket's folder, the repository, the role: nothing else of the account."""
    role, deployer = role_policy(OPTIONS), deployer_policy(OPTIONS, ["flights", "multi-model"])

    def resources(policy: dict[str, Any], action: str) -> list[str]:
        return [
            resource for one in policy["Statement"] if action in one["Action"] for resource in one["Resource"]
        ]

    assert ["arn:aws:s3:::acme/models/*"] == resources(role, "s3:GetObject")
    written = [f"arn:aws:s3:::acme/models/{folder}/*" for folder in ("async", "answers", "trained")]
    assert written == resources(role, "s3:PutObject")
    repository = "arn:aws:ecr:eu-west-1:123456789012:repository/scoring/stream"
    assert [repository, f"{repository}-train"] == resources(role, "ecr:BatchGetImage")
    assert [OPTIONS["role"]] == resources(deployer, "iam:PassRole")
    assert "arn:aws:sagemaker:*:*:endpoint/flights*" in resources(deployer, "sagemaker:CreateEndpoint")
    assert "arn:aws:sagemaker:*:*:training-job/flights*" in resources(deployer, "sagemaker:CreateTrainingJob")
    everywhere = {
        action for one in deployer["Statement"] if one["Resource"] == ["*"] for action in one["Action"]
    }
    assert {name for name in everywhere if not name.startswith("sagemaker:List")} == set()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("image", "stream:1"),
        ("image", "host/stream:1 --x"),
        ("role", "stream"),
        ("role", "arn:aws:iam::123:role/stream"),
        ("s3", "gs://acme/x"),
        ("s3", "s3://Acme"),
        ("s3", "s3://acme/a b"),
    ],
)
def test_option_that_aws_would_refuse_is_refused(option: str, value: str) -> None:
    """Before anything is written."""
    with pytest.raises(SettingsError, match=f"--{option}: expected something like"):
        filled(SAGEMAKER, {option: value})


def test_what_is_not_given_is_left_open() -> None:
    """In capitals, which deploy.py asks to be filled in."""
    assert {"image": "IMAGE_URI", "role": "ROLE_ARN", "s3": "s3://BUCKET/FOLDER"} == filled(SAGEMAKER, {})
    assert ["--image", "--s3"] == left_open(SAGEMAKER, {"role": OPTIONS["role"]})
