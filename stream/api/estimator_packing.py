"""`stream pack`, from memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from stream.api.loaded_model import Model
from stream.api.loading import path_from
from stream.errors import InputError, SchemaError
from stream.files import Sample, read_sample, sample_of
from stream.store import PackRequest, SigningKey, pack_estimator_file
from stream.store import pack as pack_estimator
from stream.text_files import read_text_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pack"]

Table: TypeAlias = "pd.DataFrame | Any"
"""A pandas or polars frame, an Arrow table, a list of dicts, or the path of a data file."""

Names: TypeAlias = "str | Sequence[str]"
"""Several names, or one text with commas between them."""


def pack(  # noqa: PLR0913  # one argument per option of `stream pack`
    estimator: object,
    *,
    name: str,
    sample: Table = None,
    delimiter: str | None = None,
    schema: str | Path | Mapping[str, object] | None = None,
    vector: str | None = None,
    columns: Names = (),
    carry: Names = (),
    out: str | Path | None = None,
    probabilities: bool = False,
    allow_difference: bool = False,
    trusted_types: Names = (),
    sign: str | Path | SigningKey | None = None,
    metrics: Mapping[str, float | int | str] | None = None,
) -> Model:
    """
    Pack a fitted estimator: the next version of a model package, made current. As `stream pack` does, with the same
    checks and the same refusals.

    Args:
        estimator: anything with `predict` that can be pickled; or the path of what `stream pack` takes: a `.joblib`
            or `.skops` file, an MLflow model's folder.
        name: the model's name; each prediction carries it.
        sample: rows as the events will be: a pandas or polars frame, an Arrow table, a list of dicts, or a data
            file's path.
        delimiter: what separates the cells of a csv sample; None to find it.
        schema: the events' Avro schema: a file's path, its JSON text, or a dict; None to infer it from the sample.
        vector: the array field that holds all of the model's columns.
        columns: the model's columns in its own order, for a model that doesn't say their names.
        carry: event fields to repeat in each prediction.
        out: the package's folder; None for `models/NAME`.
        probabilities: publish the probability of every class.
        allow_difference: pack it even where published answers differ from the estimator's own on the sample; the
            manifest says so.
        trusted_types: types that a `.skops` file may hold besides scikit-learn's own.
        sign: the private key's file (ed25519, PEM) that signs the version; the password of an encrypted one is in
            the environment variable STREAM_SIGN_PASSWORD.
        metrics: training metrics for the manifest.
    Returns: the new version, opened as a worker opens it; its `messages` say what was inferred, chosen or left out.
    Raises: PackageError, SchemaError, SampleError or SettingsError naming what doesn't fit; nothing was written then.
    """
    request = PackRequest(
        name=name,
        out=None if out is None else path_from(out, "out"),
        vector=vector,
        columns=_names(columns),
        carry=_names(carry),
        probabilities=probabilities,
        allow_difference=allow_difference,
        metrics=metrics or {},
        signer=_signer(sign),
        types=_names(trusted_types),
    )
    text, rows = _schema_text(schema), _sample(sample, delimiter)
    if isinstance(estimator, str | Path):
        packed = pack_estimator_file(Path(estimator), request, schema=text, sample=rows)
    else:
        packed = pack_estimator(estimator, request, schema=text, sample=rows)
    return Model(packed.package, packed.messages)


def _names(names: Names) -> tuple[str, ...]:
    each = names.split(",") if isinstance(names, str) else names
    return tuple(name.strip() for name in each if name.strip())


def _schema_text(schema: str | Path | Mapping[str, object] | None) -> str | None:
    if schema is None or (isinstance(schema, str) and schema.lstrip().startswith("{")):
        return schema
    if isinstance(schema, Mapping):
        return json.dumps(schema)
    hint = "give the path of an .avsc file, or its text"
    return read_text_file(path_from(schema, "schema"), SchemaError, hint, f"schema {schema}")


def _sample(sample: Table, delimiter: str | None) -> Sample | None:
    if sample is None or isinstance(sample, Sample):
        return sample
    if isinstance(sample, str | Path):
        return read_sample(Path(sample), delimiter)
    import pandas as pd
    import pyarrow as pa

    if isinstance(sample, list | tuple):
        return sample_of(pd.DataFrame(list(sample)))
    if isinstance(sample, pd.DataFrame):
        return sample_of(_dense(sample))
    if isinstance(sample, pa.Table):
        return sample_of(sample)
    if hasattr(sample, "to_arrow"):  # polars
        return sample_of(sample.to_arrow())
    raise InputError(
        f"sample: expected a frame, an Arrow table, a list of dicts or a data file's path, "
        f"found {type(sample).__name__}",
        hint="give rows with the columns' names: pandas.DataFrame(X, columns=[...])",
    )


def _dense(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without sparse columns, which Arrow has not."""
    import numpy as np
    import pandas as pd

    if not any(isinstance(kind, pd.SparseDtype) for kind in frame.dtypes):
        return frame
    dense = frame.copy(deep=False)
    for name in frame:
        if isinstance(frame[name].dtype, pd.SparseDtype):
            dense[name] = np.asarray(frame[name])
    return dense


def _signer(sign: str | Path | SigningKey | None) -> SigningKey | None:
    if sign is None or isinstance(sign, SigningKey):
        return sign
    return SigningKey.of_file(path_from(sign, "sign"), f"sign {sign}")
