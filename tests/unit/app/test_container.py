"""`stream serve` where SageMaker runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.app.container import in_container
from stream.settings import Settings


@pytest.fixture
def ml(tmp_path: Path) -> Path:
    """SageMaker's folder, with a package in it."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "current").write_text("1\n")
    return tmp_path


def test_model_and_address_are_sagemakers(ml: Path) -> None:
    """The package itself, every address, the port that is named."""
    plain = in_container(Settings(), {}, configured=False, ml=ml)
    named = in_container(Settings(), {"SAGEMAKER_BIND_TO_PORT": "9000"}, configured=False, ml=ml)

    assert [str(ml / "model"), "0.0.0.0", 8080] == [plain.model.uri, plain.serve.host, plain.serve.port]
    assert 9000 == named.serve.port


def test_package_in_a_folder_of_the_archive_is_found(ml: Path) -> None:
    """`tar` of a package's folder has the folder's name in it."""
    (ml / "model" / "current").unlink()
    (ml / "model" / "flights").mkdir()
    (ml / "model" / "flights" / "current").write_text("1\n")

    assert str(ml / "model" / "flights") == in_container(Settings(), {}, configured=False, ml=ml).model.uri


def test_what_is_configured_stays(ml: Path) -> None:
    """A file says all; variables say what they set; elsewhere nothing changes."""
    names = ("HOST", "PORT", "DRAIN_TIMEOUT")
    given = {f"STREAM_SERVE__{name}": "x" for name in names}

    assert Settings() == in_container(Settings(), {}, configured=True, ml=ml)
    assert Settings() == in_container(Settings(), {"STREAM_MODEL__URI": "x"}, configured=False, ml=ml)
    assert Settings() == in_container(Settings(), {}, configured=False, ml=ml / "nowhere")
    assert Settings().serve == in_container(Settings(), given, configured=False, ml=ml).serve


def test_batch_transform_may_send_more_rows(ml: Path) -> None:
    """Unless a variable says how many."""
    batch = {"SAGEMAKER_BATCH": "true"}
    given = {**batch, "STREAM_SERVE__QUEUE_ROWS": "7"}

    assert 200_000 == in_container(Settings(), batch, configured=False, ml=ml).serve.queue_rows
    assert (
        Settings().serve.queue_rows
        == in_container(Settings(), given, configured=False, ml=ml).serve.queue_rows
    )


def test_process_ends_before_it_is_killed(ml: Path) -> None:
    """SageMaker sends SIGKILL 30 s after SIGTERM."""
    assert 25.0 == float(in_container(Settings(), {}, configured=False, ml=ml).serve.drain_timeout)


def test_multi_model_endpoint_has_the_address_and_no_model(tmp_path: Path) -> None:
    """Whether or not there is a folder for one."""
    found = in_container(Settings(), {"SAGEMAKER_MULTI_MODEL": "true"}, configured=False, ml=tmp_path)

    assert ("0.0.0.0", 8080, Settings().model) == (found.serve.host, found.serve.port, found.model)
