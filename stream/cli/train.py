"""`stream train`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.options import as_json, sign_option, signing_key

if TYPE_CHECKING:
    from stream.training.run import Step

__all__ = ["train"]


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The package's folder (default: models/NAME).")
@sign_option
def train(recipe: Path, out: Path | None, sign: Path | None) -> None:
    """
    Run a training RECIPE and pack the best model.

    The recipe is a Python file, and is run: trust it as you would any script. Its rows are split by time; a
    grid is searched by cross-validation on the earlier part alone, the best candidate is fitted on all of it,
    measured on the later part, and packed. Metrics go to stderr, one JSON object to stdout.

    \b
    Example:
      stream train models/flights/train.py
    """
    from stream.store import Wish, pack
    from stream.training.recipe import read_recipe
    from stream.training.run import run_recipe

    signer = signing_key(sign)
    plan = read_recipe(recipe)
    with _progress() as tell:
        trained = run_recipe(plan, tell)
    wish = Wish(name=plan.name, out=out, carry=plan.carry, metrics=trained.metrics, signer=signer)
    packed = pack(trained.estimator, wish, schema=plan.schema.read_text("utf-8"), sample=trained.sample)
    for message in packed.messages:
        click.echo(message, err=True)
    for name, value in trained.metrics.items():
        click.echo(
            f"{name:>20}  {value:.4f}" if isinstance(value, float) else f"{name:>20}  {value}", err=True
        )
    manifest = packed.package.manifest
    click.echo(
        as_json(
            {
                "package": str(wish.folder),
                "name": manifest.name,
                "version": manifest.version,
                "params": trained.params,
                "metrics": trained.metrics,
            }
        )
    )


@contextmanager
def _progress() -> Iterator[Callable[[Step], None]]:
    """A bar of the candidates on a terminal, plain lines otherwise; both on stderr."""
    if not sys.stderr.isatty():
        yield lambda step: click.echo(step.text, err=True)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=None)

        def tell(step: Step) -> None:
            bar.console.print(step.text, highlight=False)
            bar.update(task, completed=step.done, total=step.of or None)

        yield tell
