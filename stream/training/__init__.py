"""From a recipe to an estimator that is ready to be packed: split, search, fit, measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.training.listener import SILENT, Listener
    from stream.training.overrides import overridden, parameters
    from stream.training.recipe import Recipe, read_recipe
    from stream.training.run_tags import RUN_TAGS
    from stream.training.sagemaker import BASE, BASE_VARIABLE, container, read_order, tell_failure
    from stream.training.split import split_by_time
    from stream.training.tracking import Tracked, tracked
    from stream.training.tracking_uri import tracking_settings
    from stream.training.trained import Step, Trained
    from stream.training.training_job import Done, Job, Requirement, run_job
    from stream.training.training_key import trained_once

__all__ = [
    "BASE",
    "BASE_VARIABLE",
    "RUN_TAGS",
    "SILENT",
    "Done",
    "Job",
    "Listener",
    "Recipe",
    "Requirement",
    "Step",
    "Tracked",
    "Trained",
    "container",
    "overridden",
    "parameters",
    "read_order",
    "read_recipe",
    "run_job",
    "split_by_time",
    "tell_failure",
    "tracked",
    "tracking_settings",
    "trained_once",
]

__getattr__ = lazy_face(__name__)
