"""
Operators that run `stream train` and `stream batch` as child processes.

    with DAG("flights_predict", schedule="@daily"):
        StreamBatchOperator(
            task_id="score",
            inputs="/data/flights/{{ ds }}.parquet",
            output_dir="/data/scored",
            model="/data/models/flights",
        )

A run is published whole or not at all, and once per `run_key`: a retry finds what the attempt before it published,
finishes what it left, or waits for it if it is still at work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException

from stream.airflow.asset_uris import is_fixed, model_asset, predictions_asset
from stream.airflow.child_operator import ChildOperator, NotGiven, plain
from stream.airflow.command_line import batch_arguments, train_arguments
from stream.airflow.lineage import lineage_of_batch, lineage_of_training
from stream.airflow.links import ModelCardLink, OutputLink, TrackedRunLink

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["StreamBatchOperator", "StreamTrainOperator"]

RUN_KEY = (
    "{{ ti.dag_id }}/{{ ti.task_id }}/{{ ti.run_id }}{% if ti.map_index >= 0 %}/{{ ti.map_index }}{% endif %}"
)
"""One run per task and DAG run, however often it is tried."""

CONFIGURED: Any = NotGiven()
"""In the place of a model: what the configuration names."""


class StreamTrainOperator(ChildOperator):
    """
    Trains a model by a recipe and packs it: `stream train`. A new version updates the model's asset.

    Returns (XCom): what `stream train` prints: `package`, `name`, `version`, `params`, `metrics`, `intervals`,
    `comparison`, `card`.

    Args:
        recipe: the recipe's file.
        out: the package's folder.
        require: `better` or `not-worse`: fail, and pack nothing, if the comparison with the current version says no.
        fixed: parameters of the estimator, for `--set`.
        track: MLflow's server, to which the run is logged.
        run_key: names the work: `out` gets one version of it. To train again, clear the task after changing the key, or
            begin another DAG run.
        arguments: further arguments of the command, as they are.
        options: of `ChildOperator` and `BaseOperator`; without `outlets`, the outlet is the model's asset.
    """

    template_fields = (
        "recipe",
        "out",
        "require",
        "fixed",
        "track",
        "run_key",
        *ChildOperator.template_fields,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "fixed": "json",
        **ChildOperator.template_fields_renderers,
    }
    operator_extra_links = (ModelCardLink(), OutputLink(), TrackedRunLink())
    ui_color = "#dff0e3"

    def __init__(
        self,
        *,
        recipe: str | PathLike[str],
        out: str | PathLike[str],
        require: str | None = None,
        fixed: Mapping[str, Any] | None = None,
        track: str | None = None,
        run_key: str = RUN_KEY,
        arguments: Sequence[object] = (),
        **options: Any,
    ) -> None:
        package = plain(out)
        if "outlets" not in options and is_fixed(package):
            options["outlets"] = [model_asset(package)]
        super().__init__(arguments=arguments, **options)
        chosen = {"require": require, "track": track, "fixed": fixed}
        self.needed = (
            "recipe",
            "out",
            "run_key",
            *(name for name, value in chosen.items() if value is not None),
        )
        self.recipe = plain(recipe)
        self.out = package
        self.require = require
        self.fixed = fixed
        self.track = track
        self.run_key = run_key
        self.tracked: str | None = None
        self.card: str | None = None

    def command_arguments(self) -> tuple[str, ...]:
        """After `stream`."""
        options = {"require": self.require, "track": self.track, "run_key": self.run_key}
        return train_arguments(
            self.recipe, self.out, fixed=self.fixed or {}, options=options, more=self.arguments
        )

    def folder_beside(self) -> Path:
        """The package's parent: the package itself holds versions and nothing else."""
        return self.place(self.out).parent

    def finish(self, printed: Mapping[str, Any] | None, context: Context) -> dict[str, Any]:
        """The version that was packed: for the links, the asset's event and XCom."""
        if printed is None:
            raise ValueError("stream train printed nothing")
        self.written = str(self.place(printed["package"]) / "versions" / str(printed["version"]))
        self.card = printed["card"] and str(self.place(printed["card"]))
        self.tracked = (printed.get("run") or {}).get("url")
        model = f"{printed['name']}@{printed['version']}"
        self.tell_asset(
            context,
            {"model": model, "metrics": printed["metrics"], "card": self.card, "found": printed["found"]},
        )
        return {**printed, "card": self.card, "model": model}

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """For OpenLineage's provider, which calls it if it is installed."""
        return self.printed and lineage_of_training(self.printed, self.out, str(self.place("")))


class StreamBatchOperator(ChildOperator):
    """
    Scores files: `stream batch`. A new run updates the asset of the predictions.

    Returns (XCom): the run's record: `run`, `folder`, `model`, `rows`, `predictions`, `dead_rows`, `dead_by_reason`,
    `found` (it was there before this attempt), the number of `files` … Skipped where nothing is new.

    Args:
        inputs: a file, a folder or a glob; or several.
        output_dir: the folder of all runs. (An operator's attribute `output` is Airflow's own.)
        model: a package's folder, or a URI such as `models:/flights@champion`; left out: what `stream.toml` names.
            None or an empty text, as another task may return it, is refused.
        run_key: names the work: `output_dir` gets one run of it.
        replace: whether a run of that key makes way where the inputs or the model are others now: what clearing the
            task then means. Without it, other inputs are refused, and another model is told in the log.
        format: of the predictions: `parquet`, `csv`, `jsonl`, `avro`.
        arguments: further arguments of the command, as they are: `["--since", "last"]`.
        options: of `ChildOperator` and `BaseOperator`; without `outlets`, the outlet is the asset of `output_dir`, and
            without `inlets`, the inlet that of the model.
    """

    template_fields = ("inputs", "output_dir", "model", "run_key", "format", *ChildOperator.template_fields)
    template_fields_renderers = ChildOperator.template_fields_renderers
    ui_color = "#dfe9f5"

    def __init__(
        self,
        *,
        inputs: str | PathLike[str] | Sequence[str | PathLike[str]],
        output_dir: str | PathLike[str],
        model: str | PathLike[str] = CONFIGURED,
        run_key: str = RUN_KEY,
        replace: bool = False,
        format: str = "parquet",  # as the command calls it
        **options: Any,
    ) -> None:
        output, package = plain(output_dir), None if model is CONFIGURED else plain(model)
        if "outlets" not in options and is_fixed(output):
            options["outlets"] = [predictions_asset(output)]
        if "inlets" not in options and is_fixed(package):
            options["inlets"] = [model_asset(package)]
        super().__init__(**options)
        self.needed = (
            "inputs",
            "output_dir",
            "run_key",
            "format",
            *(() if model is CONFIGURED else ("model",)),
        )
        self.inputs = list(map(plain, inputs)) if isinstance(inputs, (list, tuple)) else plain(inputs)
        self.output_dir = output
        self.model = package
        self.run_key = run_key
        self.replace = replace
        self.format = format

    def command_arguments(self) -> tuple[str, ...]:
        """After `stream`."""
        inputs = [self.inputs] if isinstance(self.inputs, str) else list(self.inputs)
        options = {"model": self.model, "format": self.format, "run_key": self.run_key}
        return batch_arguments(
            inputs, self.output_dir, replace=self.replace, options=options, more=self.arguments
        )

    def folder_beside(self) -> Path:
        """The folder of all runs: its hidden folders are no runs."""
        return self.place(self.output_dir)

    def finish(self, printed: Mapping[str, Any] | None, context: Context) -> dict[str, Any]:
        """The run: for the links, the asset's event and XCom."""
        if printed is None:
            raise AirflowSkipException(f"nothing new: {self.output_dir} has runs of all files")
        self.written = str(self.place(printed["folder"]))
        told = {
            name: printed[name]
            for name in ("run", "model", "rows", "predictions", "dead_rows", "dead_by_reason", "found")
        }
        self.tell_asset(context, {**told, "folder": self.written})
        kept = {name: value for name, value in printed.items() if name not in ("inputs", "columns")}
        return {**kept, "folder": self.written, "files": len(printed["inputs"])}

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """For OpenLineage's provider, which calls it if it is installed."""
        folder = str(self.place(""))
        return self.printed and lineage_of_batch(self.printed, self.output_dir, self.model, folder)
