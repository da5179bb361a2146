"""Names and values within what MLflow takes: MLflow's own checks are the judge."""

from __future__ import annotations

import pytest

from stream.mlflow.run_values import Figure, batches, key

NAMES = [
    "auc",
    "slices/town/auc/Köln",
    "a:b",
    "C%",
    "",
    ".",
    "..",
    "../x",
    "/x",
    "x/",
    "a//b",
    "a/./b",
    "日本 ☀",
    "x" * 251,
    "x" * 300,
    "a\nb",
    "\ud800",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_becomes_one_that_mlflow_takes(name: str) -> None:
    """MLflow's own check of a metric's name and of a parameter's."""
    validation = pytest.importorskip("mlflow.utils.validation")

    found = key(name)
    assert validation.validate_param_and_metric_name(found)
    assert not validation.path_not_unique(found)
    assert len(found) <= validation.MAX_ENTITY_KEY_LENGTH


def test_different_names_stay_different() -> None:
    """Also where only characters differ that MLflow does not take."""
    assert len(NAMES) == len({key(name) for name in NAMES})
    assert ("auc", "slices/town/auc/Köln") == (key("auc"), key("slices/town/auc/Köln"))


def test_many_and_long_values_come_in_several_calls() -> None:
    """Each call has at most what MLflow takes, and nothing is left out but the end of a text."""
    params: dict[str, object] = {f"p{i}": i for i in range(250)} | {"long": "é" * 7_000}
    figures = [Figure("loss", 1 / (1 + i), i) for i in range(1_700)]

    calls = list(batches(params, figures, {"note": "t" * 9_000, "odd\ud800": None}))

    assert ([100, 100, 51], [800, 800, 100], [2, 0, 0]) == (
        [len(each.params) for each in calls],
        [len(each.figures) for each in calls],
        [len(each.tags) for each in calls],
    )
    assert figures == [one for each in calls for one in each.figures]
    texts = {name: text for each in calls for name, text in each.params.items()}
    assert (6_000, "…", "7") == (len(texts["long"]), texts["long"][-1], texts["p7"])
    assert 5_000 == len(calls[0].tags["note"])
