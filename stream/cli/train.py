"""`stream train`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from stream.cli.options import config_option, delimiter_option, settings_of, sign_option, signing_key
from stream.cli.terminal import as_json, print_data, say, stdout_kept
from stream.cli.training_registered import Registration, registration
from stream.cli.training_shown import say_training, training_entry
from stream.shown import shown, shown_traceback

if TYPE_CHECKING:
    from stream.manifest import Manifest
    from stream.settings import Settings
    from stream.store import Trust
    from stream.training import Job, Recipe, Requirement, Step, Tracked

    Tracker = Callable[[Callable[[Step], None]], AbstractContextManager[Tracked | None]]

__all__ = ["train"]

_FAILED = 1
"""Exit code of a training that ran but whose model is not good enough."""

_LINES_TOLD = 8
"""Of a traceback in SageMaker's failure file, which shows 1,024 characters."""


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The package's folder (default: models/NAME).")
@click.option("--data", type=click.Path(path_type=Path), help="Rows to use instead of the recipe's DATA.")
@delimiter_option
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Use instead of the recipe's SEED.")
@click.option(
    "--set", "fixed", multiple=True, metavar="NAME=VALUE",
    help="Fix a parameter of the estimator; the grid's values for it are not tried.",
)  # fmt: skip
@click.option(
    "--compare", type=click.Path(path_type=Path), metavar="PACKAGE",
    help="Compare with this package (default: the current version in --out).",
)  # fmt: skip
@click.option("--no-compare", is_flag=True, help="Do not compare.")
@click.option(
    "--require", type=click.Choice(["better", "not-worse"]),
    help="Pack only if the comparison says so; else exit 1.",
)  # fmt: skip
@click.option(
    "--card", type=click.Path(path_type=Path, dir_okay=False), help="Also write the model card here."
)
@click.option("--no-card", is_flag=True, help="Do not write a model card.")
@click.option(
    "--allow-difference",
    is_flag=True,
    help="Pack it even if published answers differ from the estimator's own.",
)
@click.option(
    "--run-key", metavar="KEY", callback=lambda _context, _option, value: _key(value),
    help="Name of this training: the package gets one version of it, however often the command is started.",
)  # fmt: skip
@click.option(
    "--track", metavar="URI",
    help="Log the run to this MLflow server (sqlite:///FILE and file:FOLDER will do).",
)  # fmt: skip
@click.option(
    "--experiment", metavar="NAME",
    help="MLflow's experiment (default: the recipe's NAME); without --track, [mlflow] tracking_uri.",
)  # fmt: skip
@click.option(
    "--register", metavar="NAME",
    help="Register the package as a version of this model at the MLflow server, linked to the run.",
)  # fmt: skip
@click.option("--alias", metavar="A", help="An alias that names the registered version, such as champion.")
@sign_option
@config_option
@click.pass_context
@stdout_kept()
def train(  # noqa: PLR0913  # one argument per option of the command
    context: click.Context,
    recipe: Path | None,
    out: Path | None,
    data: Path | None,
    delimiter: str | None,
    seed: int | None,
    fixed: tuple[str, ...],
    compare: Path | None,
    no_compare: bool,
    require: Requirement | None,
    card: Path | None,
    no_card: bool,
    allow_difference: bool,
    run_key: str,
    track: str | None,
    experiment: str | None,
    register: str | None,
    alias: str | None,
    sign: Path | None,
    config: Path | None,
) -> int:
    """
    Run a training RECIPE and pack the best model.

    The recipe is a Python file, and is run: trust it as you would any script. Its rows are split by time, by
    group or at random; a grid is searched by cross-validation on the one part alone, the best candidate is
    fitted on all of it, measured on the other part with confidence intervals, compared with the version in
    use on the same rows, and packed with a model card. Metrics go to stderr, one JSON object to stdout.

    Without RECIPE, in a SageMaker training container, the hyperparameters name it (docs/training.md).

    \b
    Example:
      stream train models/flights/train.py --out /tmp/flights --require not-worse
    """
    if recipe is None:
        return _in_container(context)
    if compare is not None and no_compare:
        raise click.UsageError("--compare and --no-compare contradict each other")
    if require is not None and no_compare:
        raise click.UsageError(f"--require {require} needs a comparison; leave --no-compare out")
    if card is not None and no_card:
        raise click.UsageError("--card and --no-card contradict each other")
    from stream.training import Job, overridden, parameters, read_recipe

    signer = signing_key(sign)
    values = parameters(fixed, "--set")
    plan = overridden(read_recipe(recipe), data=data, delimiter=delimiter, seed=seed, fixed=values)
    against = _against(compare, config)
    job = Job(plan, out, against, not no_compare, require, not no_card, signer, allow_difference, run_key)
    asked = any(option is not None for option in (track, experiment, register))
    settings = _tracking(config, track) if asked else None
    registering = registration(register, alias, settings)
    tracker = _untracked if settings is None else _tracker(plan, settings, experiment)
    with _once(job) as earlier:
        if earlier is not None:
            return _found(job, earlier, config, registering)
        return _run(job, config, card, tracker, registering)


def _key(value: str | None) -> str:
    if value is not None and not value.strip():
        raise click.BadParameter("is empty; every training without a name would be the same one")
    return value or ""


@contextmanager
def _once(job: Job) -> Iterator[Manifest | None]:
    """The version that an earlier command has packed under the same key, if there is one."""
    if not job.key:
        yield None
        return
    from stream.training import trained_once

    def waiting() -> None:
        say(f"another process has the key {job.key}: waiting for its end")

    with trained_once(job.request.folder, job.key, waiting) as earlier:
        yield earlier


def _found(job: Job, manifest: Manifest, config: Path | None, registering: Registration | None) -> int:
    """Answer with a version that is there; its parameters and comparison were not kept, but its card says them."""
    say(f"{manifest.model} has the key {job.key}: nothing is trained again")
    folder = job.request.folder
    card = folder / "versions" / str(manifest.version) / "card.html"
    run = {name: value for name, value in manifest.metrics.items() if name.startswith("mlflow_")}
    registered = None
    if registering is not None:
        from stream.store import open_package

        opened = open_package(folder, manifest.version, trust=_trust(config))
        registered = registering.of(opened, str(run["mlflow_run_id"]) if "mlflow_run_id" in run else None)
    found = {
        "package": str(folder), "name": manifest.name, "version": manifest.version, "params": None,
        "metrics": manifest.metrics, "intervals": None, "comparison": None,
        "card": str(card) if card.exists() else None, "found": True, "run": run or None,
        "registered": registered,
    }  # fmt: skip
    print_data(as_json(found))
    return 0 if registering is None or registered is not None else _FAILED


def _in_container(context: click.Context) -> int:
    """SageMaker calls `train` without arguments, and reads the reason of a failure from a file."""
    from stream.errors import StreamError
    from stream.training import BASE, BASE_VARIABLE, container, read_order, tell_failure

    base = container(os.environ)
    if base is None:
        raise click.UsageError(
            f"Missing argument 'RECIPE': a Python file, see docs/training.md. (There is no SageMaker container "
            f"either: {os.environ.get(BASE_VARIABLE) or BASE}/input/config is not there.)"
        )
    given = [
        name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"without RECIPE no options are taken: {', '.join(given)}")
    from stream.training import Job, overridden, read_recipe

    try:
        order = read_order(base)
        plan = overridden(read_recipe(order.recipe), data=order.data, seed=order.seed, fixed=order.fixed)
        return _run(Job(plan, order.out, card=order.card), None, None, _untracked, None)
    except (StreamError, OSError) as error:
        tell_failure(base, str(error))
        raise
    except Exception as error:  # a bug of ours: SageMaker is to show more than its exit code
        tell_failure(base, "\n".join(shown_traceback(error)[-_LINES_TOLD:]))
        raise


def _against(compare: Path | None, config: Path | None) -> Path | None:
    """The folder of `--compare`; a model of MLflow is copied first."""
    from stream.mlflow import is_uri

    if compare is None or not is_uri(compare):
        return compare
    from stream.resources import package_folder

    return package_folder(settings_of(config, compare))


def _trust(config: Path | None) -> Trust:
    from stream.resources import trust_of

    return trust_of(settings_of(config).model)


@contextmanager
def _untracked(tell: Callable[[Step], None]) -> Iterator[None]:
    yield None


def _tracking(config: Path | None, track: str | None) -> Settings:
    """The settings by which the training is tracked. Raises: SettingsError where no server is named."""
    from stream.training import tracking_settings

    return tracking_settings(settings_of(config), track)


def _tracker(plan: Recipe, settings: Settings, experiment: str | None) -> Tracker:
    """What opens the run."""
    from stream.training import tracked

    return lambda tell: tracked(plan, settings, experiment, tell)


def _run(
    job: Job, config: Path | None, copy: Path | None, tracker: Tracker, registering: Registration | None
) -> int:
    from stream.training import SILENT, run_job

    with _progress() as tell, tracker(tell) as run:
        done = run_job(job, lambda: _trust(config), tell, SILENT if run is None else run)
    registered = None
    if registering is not None and done.packed is not None:
        registered = registering.of(done.packed.package, None if run is None else run.log.begun.id)
    if copy is not None and done.card is not None:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(done.card)
    say_training(job, done)
    print_data(as_json({**training_entry(job, done, run), "registered": registered}))
    if done.packed is None:
        say(f"error: nothing was packed: --require {job.require} does not hold")
    if run is not None and run.lost:
        say("error: the run is not logged as a whole" + ("; the package is written" if done.packed else ""))
    lost = (run is not None and run.lost) or (registering is not None and registered is None)
    return _FAILED if done.packed is None or lost else 0


@contextmanager
def _progress() -> Iterator[Callable[[Step], None]]:
    """A bar of the candidates on a terminal, plain lines otherwise; both on stderr."""
    if not sys.stderr.isatty():
        yield lambda step: say(step.text)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=None)

        def tell(step: Step) -> None:
            bar.console.print(shown(step.text), highlight=False, markup=False)
            bar.update(task, completed=step.done, total=step.of or None)

        yield tell
