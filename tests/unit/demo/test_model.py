"""The committed model: what it knows, what it was never shown, and that its figures are true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from stream.codec import RecordSchema
from stream.demo import flights
from stream.store import Package, open_package
from stream.training.recipe import Recipe, read_recipe

FOLDER = Path("models/flights")

KNOWN_AT_DEPARTURE = {
    "carrier", "origin", "dest", "distance", "dep_delay", "month", "weekday", "hour", *flights.WEATHER,
}  # fmt: skip
"""A list of what may be known, not of what may not: a new field has to be thought about here first."""


@pytest.fixture(scope="module")
def package() -> Package:
    """The committed package's current version."""
    return open_package(FOLDER)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """The recipe it was made with."""
    return read_recipe(FOLDER / "train.py")


@pytest.fixture(scope="module")
def scored(package: Package, departures: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Truth and score of every held-out departure that has a truth."""
    _, replay = flights.split(departures)
    replay = replay[replay[flights.TRUTH].notna()]
    columns = {
        feature.path: pa.array(replay[feature.path], from_pandas=True)
        for feature in package.manifest.features
    }
    answers = package.model.score(columns, len(replay))
    assert not answers.faults
    return replay[flights.TRUTH].to_numpy(bool), answers.columns["score"].to_numpy()


def test_every_feature_is_known_at_departure(package: Package, recipe: Recipe) -> None:
    """Neither the package nor its recipe asks for anything from the air, the arrival or the outcome."""
    assert {feature.path for feature in package.manifest.features} <= KNOWN_AT_DEPARTURE
    assert set(recipe.features) <= KNOWN_AT_DEPARTURE


def test_no_field_of_the_packages_schemas_tells_the_outcome(package: Package) -> None:
    """What an event must hold is what the model takes and what identifies the flight."""
    fields = set(RecordSchema(package.features).fields)

    assert fields <= KNOWN_AT_DEPARTURE | {"flight_id"}


def test_package_was_trained_on_earlier_flights_than_are_replayed(
    package: Package, departures: pd.DataFrame
) -> None:
    """The last moment that was learned from lies before the first that is replayed."""
    training, replay = flights.split(departures)
    until = pd.Timestamp(str(package.manifest.metrics["trained_until"]))

    assert until <= training["departed_at"].max() < replay["departed_at"].min()
    assert training["late"].notna().sum() == package.manifest.metrics["rows_trained"]


def test_auc_is_that_of_the_manifest(package: Package, scored: tuple[np.ndarray, np.ndarray]) -> None:
    """Scored again from the package, the held-out flights have the AUC and log loss that it claims."""
    truth, score = scored
    claimed = package.manifest.metrics

    assert [claimed["auc"], claimed["log_loss"]] == pytest.approx(
        [roc_auc_score(truth, score), log_loss(truth, score)], abs=1e-9
    )


def test_auc_is_what_such_a_model_reaches(scored: tuple[np.ndarray, np.ndarray]) -> None:
    """Far better than the departure's delay alone (0.877), and not too good to be true."""
    assert 0.89 <= roc_auc_score(*scored) <= 0.90


def test_package_is_the_recipes(package: Package, recipe: Recipe) -> None:
    """Name, features and carried fields of the package are those of the recipe beside it."""
    manifest = package.manifest

    assert (recipe.name, recipe.features, recipe.carry) == (
        manifest.name, tuple(feature.name for feature in manifest.features), manifest.carry,
    )  # fmt: skip
    assert (False, True) == manifest.classes


def test_prediction_schema_is_the_packages(package: Package) -> None:
    """`schemas/prediction.avsc` is a copy of what the package publishes."""
    assert package.prediction == Path("schemas/prediction.avsc").read_text()


def test_events_take_the_fast_path() -> None:
    """The event's schema and the prediction's are within what the Rust codec is trusted with."""
    for name in ("flight", "prediction"):
        assert RecordSchema(Path(f"schemas/{name}.avsc").read_text()).rust is not None


def test_every_version_is_small() -> None:
    """The wheel and a clone carry it: less than 2 MB."""
    for version in (FOLDER / "versions").iterdir():
        assert sum(file.stat().st_size for file in version.iterdir()) < 2_000_000
