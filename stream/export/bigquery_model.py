"""
SQL for BigQuery: a compiled model inside it.

Source: cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-onnx
"""

from __future__ import annotations

from stream.compiled import VECTOR, input_null
from stream.export.bigquery import column_name, model_name, sql_name
from stream.export.onnx import Compiled
from stream.manifest import Feature, Manifest

__all__ = ["model_ddl"]


def model_ddl(manifest: Manifest, compiled: Compiled, dataset: str, bucket: str) -> str:
    """
    `CREATE MODEL`, with a query that uses it.

    Args:
        manifest: of the model.
        compiled: the model.
        dataset: `project.dataset`, where the model goes.
        bucket: `gs://…`, a folder that holds the compiled model.
    Returns: a script for BigQuery, ending with a newline.
    """
    model = f"`{dataset}.{model_name(manifest.name)}_{manifest.version}`"
    folder = bucket.rstrip("/")  # of gs://a//b the second / would be part of a name
    null = "the empty one" if compiled.nulls else "can't be asked about"
    return f"""\
-- {manifest.model} inside BigQuery: first copy model.onnx to {folder}/.
-- On the rows that were tried, its labels are the package's, numbers within {compiled.tolerance:.0e} * max(1, |value|).
-- A number that is missing is NaN, a text that is missing {null}.
CREATE OR REPLACE MODEL {model}
OPTIONS (MODEL_TYPE = 'ONNX', MODEL_PATH = '{folder}/model.onnx');

-- SELECT {", ".join([*_carried(manifest, compiled), *compiled.outputs])}
-- FROM ML.PREDICT(MODEL {model}, (SELECT
{_columns(manifest, compiled)}
-- FROM `{dataset}.TABLE`));
"""


def _columns(manifest: Manifest, compiled: Compiled) -> str:
    if manifest.inputs == "vector":
        lines = [f"{column_name(manifest.features[0].path)} AS {VECTOR}"]
    elif manifest.inputs == "matrix":
        lines = [f"[{', '.join(_value(feature) for feature in manifest.features)}] AS {VECTOR}"]
    else:
        pairs = zip(manifest.features, compiled.inputs, strict=True)
        lines = [f"{_value(feature, kind, compiled)} AS `{name}`" for feature, (name, kind) in pairs]
    lines += [f"{column_name(path)} AS {name}" for path, name in _carried_paths(manifest, compiled).items()]
    return ",\n".join(f"--   {line}" for line in lines)


def _value(feature: Feature, kind: str = "double", compiled: Compiled | None = None) -> str:
    """A column in the type that the model takes."""
    column = column_name(feature.path)
    if kind == "string":
        text = f"CAST({column} AS STRING)"
        if compiled is None or not compiled.nulls or input_null(feature) is None:
            return text
        # A null stands as the empty text, and that as one that the model does not know either.
        return f"IF({text} = '', '{compiled.empty}', IFNULL({text}, ''))"
    # BigQuery casts no boolean to FLOAT64.
    number = (
        f"CAST(CAST({column} AS INT64) AS FLOAT64)"
        if feature.avro == "boolean"
        else f"CAST({column} AS FLOAT64)"
    )
    return f"IFNULL({number}, CAST('NaN' AS FLOAT64))" if feature.nullable else number


def _carried_paths(manifest: Manifest, compiled: Compiled) -> dict[str, str]:
    """What is carried, by path → its name in the query; without what is called like an input or an output."""
    taken = {name.lower() for name, _ in compiled.inputs} | {name.lower() for name in compiled.outputs}
    found: dict[str, str] = {}
    for path in manifest.carry:
        name = sql_name(path)
        if name.lower() not in taken:
            taken.add(name.lower())
            found[path] = f"`{name}`"
    return found


def _carried(manifest: Manifest, compiled: Compiled) -> list[str]:
    return list(_carried_paths(manifest, compiled).values())
