"""`stream pack`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.cli.options import PlaceHere, delimiter_option, sign_option, signing_key
from stream.cli.terminal import as_json, print_data, say, stdout_kept, steps_shown

if TYPE_CHECKING:
    from stream.store import Packed

__all__ = ["pack"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("model", type=PlaceHere(path_type=Path, exists=True))
@click.option("--name", required=True, help="The model's name; each prediction carries it.")
@click.option("--schema", type=_FILE, help="Avro schema of the events (.avsc).")
@click.option("--sample", type=_FILE, help="Rows as the events will be: csv, parquet, avro, json …")
@delimiter_option
@click.option("--vector", metavar="FIELD", help="The array field that holds all of the model's columns.")
@click.option(
    "--columns",
    metavar="A,B,C",
    default="",
    help="The model's columns in its own order, for a model that doesn't say their names.",
)
@click.option("--carry", metavar="F,F", default="", help="Event fields to repeat in each prediction.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The package's folder.")
@click.option("--probabilities", is_flag=True, help="Publish the probability of every class.")
@click.option(
    "--allow-difference",
    is_flag=True,
    help="Pack it even if published answers differ from the estimator's own on the sample.",
)
@click.option(
    "--trusted-types",
    metavar="T,T",
    default="",
    help="Types that a .skops file may hold besides scikit-learn's own.",
)
@sign_option
@click.option("--json", "json_out", is_flag=True, help="Print one JSON object.")
@stdout_kept()
def pack(  # noqa: PLR0913  # one argument per option of the command
    model: Path,
    name: str,
    schema: Path | None,
    sample: Path | None,
    delimiter: str | None,
    vector: str | None,
    columns: str,
    carry: str,
    out: Path | None,
    probabilities: bool,
    allow_difference: bool,
    trusted_types: str,
    sign: Path | None,
    json_out: bool,
) -> None:
    """
    Make a model package from an estimator file, or from a model folder of MLflow.

    MODEL is a fitted estimator in a .joblib, .pkl or .skops file, or a folder that mlflow.*.save_model wrote. A
    pickle runs code when it is opened: pack only what you trust. A module that it needs is looked for beside it and
    in the working folder, too. The events' schema is --schema, or is inferred from --sample; with both, the
    schema holds and the sample provides the golden rows. The first version of the folder (default:
    models/NAME) is 1; packing again adds the next and makes it current. A version never changes: one that was
    packed without --sign stays unsigned, and packing again makes a signed next one.

    The estimator itself is asked for the sample's rows, as pandas reads them. Where it answers otherwise than the
    package would publish, the model is refused, with the rows and the columns suspected.

    \b
    Example:
      stream pack churn.joblib --name churn --sample customers.parquet --carry customer_id
    """
    from stream.preload import collect_seldom

    collect_seldom()
    from stream.files import read_sample
    from stream.resources import read_schema
    from stream.store import PackRequest, pack_estimator_file

    if schema is None and sample is None and not model.is_dir():
        raise click.UsageError(
            "give --schema FILE.avsc or --sample FILE, which say what the events look like"
        )
    request = PackRequest(
        name=name,
        out=out,
        vector=vector,
        columns=_each(columns),
        carry=_each(carry),
        probabilities=probabilities,
        allow_difference=allow_difference,
        signer=signing_key(sign),
        types=_each(trusted_types),
    )
    sys.path.append(str(model.absolute().parent))  # a module that was left beside the file
    with steps_shown(f"packing {model.name}") as tell:
        tell("reading the rows")
        rows = None if sample is None else read_sample(sample, delimiter)
        text = None if schema is None else read_schema(schema).text
        packed = pack_estimator_file(model, request, schema=text, sample=rows, tell=tell)
    _print(packed, request.folder, json_out)


def _print(packed: Packed, folder: Path, json_out: bool) -> None:
    """What was found on standard error, then the version's folder, or one JSON object."""
    package = packed.package
    for message in (*packed.messages, *package.notes):
        say(message)
    manifest, signer = package.manifest, package.signer
    by = "" if signer is None else f", signed by {signer.fingerprint}"
    say(f"packed {manifest.model} into {package.path}{by}")
    if not json_out:
        print_data(str(package.path))
        return
    done = {
        "package": str(folder), "name": manifest.name, "version": manifest.version,
        "task": manifest.task, "features": [feature.path for feature in manifest.features],
        "messages": packed.messages, "signer": None if signer is None else signer.fingerprint,
    }  # fmt: skip
    print_data(as_json(done))


def _each(texts: str) -> tuple[str, ...]:
    """The parts of a comma-separated list."""
    return tuple(text.strip() for text in texts.split(",") if text.strip())
