"""docs/images/strategies: a picture of each way to answer, drawn from what it connects. Legible on light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

__all__ = ["PICTURES", "STYLE", "Arrow", "Node", "Picture", "svg"]

Kind: TypeAlias = Literal["ours", "yours", "kept"]
"""What runs our code; what is somebody else's; what keeps data or models."""

_WIDTH, _HEIGHT = 172, 58
_COLUMN, _ROW = 264, 92
_MARGIN = 18

STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de; }
  .ours { fill: #ddf4ff; stroke: #0969da; }
  .yours { fill: #f6f8fa; stroke: #8c959f; }
  .kept { fill: #fff8c5; stroke: #9a6700; }
  text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .name { font-size: 14px; font-weight: 600; text-anchor: middle; }
  .about, .label { font-size: 12px; text-anchor: middle; fill: #59636e; }
  .line { fill: none; stroke: #59636e; stroke-width: 1.5; }
  .head { fill: #59636e; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #3d444d; }
    .ours { fill: #121d2f; stroke: #4493f8; }
    .yours { fill: #151b23; stroke: #9198a1; }
    .kept { fill: #272115; stroke: #d29922; }
    text { fill: #f0f6fc; }
    .about, .label { fill: #9198a1; }
    .line { stroke: #9198a1; }
    .head { fill: #9198a1; }
  }
"""


@dataclass(frozen=True, slots=True)
class Node:
    """
    One box.

    Attributes:
        key: by which arrows name it.
        column: from the left, from 0.
        row: from the top, from 0; a half is between two rows.
        name: its first line.
        about: its second line.
        kind: decides its colour.
    """

    key: str
    column: int
    row: float
    name: str
    about: str
    kind: Kind = "yours"

    @property
    def left(self) -> float:
        """Of the box, in pixels."""
        return _MARGIN + self.column * _COLUMN

    @property
    def top(self) -> float:
        """Of the box, in pixels."""
        return _MARGIN + self.row * _ROW


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box to another; the label is at most some 12 letters."""

    start: str
    end: str
    label: str = ""
    back: bool = False
    """Whether what was asked for comes back the same way: a head at both ends."""


@dataclass(frozen=True, slots=True)
class Picture:
    """
    One picture.

    Attributes:
        title: what it shows, for those who can't see it.
        nodes: its boxes.
        arrows: between them.
    """

    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def svg(picture: Picture) -> str:
    """A picture as an SVG file."""
    nodes = {node.key: node for node in picture.nodes}
    width = max(node.left for node in picture.nodes) + _WIDTH + _MARGIN
    height = max(node.top for node in picture.nodes) + _HEIGHT + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(picture.title)}">',
        f"<title>{escape(picture.title)}</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="head" d="M0 0 10 5 0 10z"/></marker></defs>',
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>',
        *(_arrow(nodes[one.start], nodes[one.end], one) for one in picture.arrows),
        *(_box(node) for node in picture.nodes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _box(node: Node) -> str:
    middle = node.left + _WIDTH / 2
    radius = 14 if node.kind == "kept" else 5
    return (
        f'<rect class="{node.kind}" x="{node.left:g}" y="{node.top:g}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="{radius}"/>'
        f'<text class="name" x="{middle:g}" y="{node.top + 25:g}">{escape(node.name)}</text>'
        f'<text class="about" x="{middle:g}" y="{node.top + 44:g}">{escape(node.about)}</text>'
    )


def _arrow(start: Node, end: Node, arrow: Arrow) -> str:
    heads = 'marker-end="url(#head)"' + (' marker-start="url(#head)"' if arrow.back else "")
    path, x, y, anchor = _down(start, end) if start.column == end.column else _across(start, end)
    label = (
        f'<text class="label" x="{x:g}" y="{y:g}" style="text-anchor:{anchor}">{escape(arrow.label)}</text>'
    )
    return f'<path class="line" d="{path}" {heads}/>' + (label if arrow.label else "")


def _down(start: Node, end: Node) -> tuple[str, float, float, str]:
    """Within a column: the path, and where its label is."""
    x = start.left + _WIDTH / 2
    y1, y2 = (start.top + _HEIGHT, end.top) if start.row < end.row else (start.top, end.top + _HEIGHT)
    return f"M{x:g} {y1:g}V{y2:g}", x + 8, (y1 + y2) / 2 + 4, "start"


def _across(start: Node, end: Node) -> tuple[str, float, float, str]:
    """From one column to another: bent beside the second box where that is higher or lower."""
    way = 1 if start.column < end.column else -1
    x1, x2 = (start.left + _WIDTH, end.left) if way > 0 else (start.left, end.left + _WIDTH)
    y1, y2 = (node.top + _HEIGHT / 2 for node in (start, end))
    bent = f"H{x2 - 16 * way:g}V{y2:g}" if start.row != end.row else ""
    return f"M{x1:g} {y1:g}{bent}H{x2:g}", x1 + way * (_COLUMN - _WIDTH) / 2, y1 - 7, "middle"


PICTURES: dict[str, Picture] = {
    "one-model": Picture(
        "One package is trained, registered, and answers on Kafka, over HTTP, on files, in SQL, and elsewhere.",
        (
            Node("train", 0, 1.5, "stream train", "or stream pack", "ours"),
            Node("package", 1, 1.5, "package", "versions, hashes, proof", "kept"),
            Node("mlflow", 1, 3, "MLflow", "flights@champion", "kept"),
            Node("worker", 2, 0, "stream worker", "Kafka", "ours"),
            Node("serve", 2, 1, "stream serve", "HTTP", "ours"),
            Node("batch", 2, 2, "stream batch", "files", "ours"),
            Node("sql", 2, 3, "stream sql", "queries", "ours"),
            Node("export", 2, 4, "stream export", "images, endpoints, SQL", "ours"),
        ),
        (
            Arrow("train", "package", "packs"), Arrow("package", "mlflow", "push"),
            Arrow("package", "worker"), Arrow("package", "serve"), Arrow("package", "batch"),
            Arrow("package", "sql"), Arrow("package", "export"),
        ),
    ),
    "streaming": Picture(
        "A worker reads events of a topic, and writes predictions and dead letters to two others, in one transaction.",
        (
            Node("producers", 0, 0, "producers", "your services"),
            Node("features", 1, 0, "features topic", "Avro events", "kept"),
            Node("worker", 2, 0, "stream worker", "micro-batches", "ours"),
            Node("predictions", 3, 0, "predictions topic", "one per event", "kept"),
            Node("letters", 3, 1, "dead-letter topic", "original and reason", "kept"),
        ),
        (
            Arrow("producers", "features"), Arrow("features", "worker", "poll"),
            Arrow("worker", "predictions", "once"), Arrow("worker", "letters"),
        ),
    ),
    "rest": Picture(
        "Clients ask a service that holds the model; requests that come together are scored together.",
        (
            Node("clients", 0, 0, "clients", "JSON, csv, tensors"),
            Node("serve", 1, 0, "stream serve", "gathers requests", "ours"),
            Node("package", 2, 0, "package", "looked at every 10 s", "kept"),
        ),
        (Arrow("clients", "serve", "ask, answer", back=True), Arrow("package", "serve")),
    ),
    "batch": Picture(
        "A run reads files and adds one complete folder of predictions.",
        (
            Node("files", 0, 0, "files", "csv, parquet, avro …", "kept"),
            Node("batch", 1, 0, "stream batch", "a process per core", "ours"),
            Node("run", 2, 0, "run=2026…", "whole or not there", "kept"),
            Node("dead", 2, 1, "_dead_rows.jsonl", "row and reason", "kept"),
        ),
        (Arrow("files", "batch", "rows"), Arrow("batch", "run", "rename"), Arrow("batch", "dead")),
    ),
    "sql": Picture(
        "A query over files or tables calls predict for its rows, in the process that runs the query.",
        (
            Node("query", 0, 0, "a query", "SELECT predict(f)"),
            Node("sql", 1, 0, "stream sql", "DuckDB or Spark", "ours"),
            Node("tables", 2, 0, "files, tables", "read where they lie", "kept"),
        ),
        (Arrow("query", "sql", "ask, answer", back=True), Arrow("tables", "sql", "rows")),
    ),
    "airflow": Picture(
        "Two DAGs: one trains when its schedule says, the other scores each day and whenever there is a new model.",
        (
            Node("train", 0, 0, "train DAG", "weekly", "ours"),
            Node("asset", 1, 0, "asset: the model", "name@version", "kept"),
            Node("score", 2, 0, "predict DAG", "daily, or new model", "ours"),
            Node("runs", 3, 0, "runs", "one per interval", "kept"),
        ),
        (Arrow("train", "asset", "updates"), Arrow("asset", "score", "triggers"), Arrow("score", "runs", "batch")),
    ),
    "docker": Picture(
        "One Dockerfile has four targets; export writes a build context with the package in it.",
        (
            Node("package", 0, 0.5, "package", "any", "kept"),
            Node("export", 1, 0.5, "stream export", "--to docker", "ours"),
            Node("context", 2, 0.5, "build context", "Dockerfile, lock", "kept"),
            Node("worker", 3, 0, "worker, serve", "stay up", "ours"),
            Node("batch", 3, 1, "batch, train", "run and end", "ours"),
        ),
        (
            Arrow("package", "export"), Arrow("export", "context", "writes"),
            Arrow("context", "worker", "build"), Arrow("context", "batch"),
        ),
    ),
    "mlflow": Picture(
        "A package is pushed as a version of a registered model; an alias names the one that answers.",
        (
            Node("train", 0, 0, "stream train", "--track", "ours"),
            Node("server", 1, 0, "MLflow", "runs, versions", "kept"),
            Node("alias", 2, 0, "flights@champion", "an alias, moved by you", "kept"),
            Node("doors", 3, 0, "every door", "follows within 10 s", "ours"),
        ),
        (Arrow("train", "server", "push"), Arrow("server", "alias"), Arrow("alias", "doors", "models:/…")),
    ),
    "sagemaker": Picture(
        "Export writes model.tar.gz and a script; the image answers on an endpoint and in batch transforms.",
        (
            Node("export", 0, 0.5, "stream export", "--to sagemaker", "ours"),
            Node("archive", 1, 0.5, "model.tar.gz", "in S3", "kept"),
            Node("endpoint", 2, 0, "endpoint", "our image, /invocations", "ours"),
            Node("transform", 2, 1, "batch transform", "a line in, a line out", "ours"),
        ),
        (Arrow("export", "archive", "deploy.py"), Arrow("archive", "endpoint"), Arrow("archive", "transform")),
    ),
    "bigquery": Picture(
        "A query calls the service as a remote function, or runs the model inside BigQuery as ONNX.",
        (
            Node("query", 0, 0.5, "BigQuery", "SELECT … predict(row)"),
            Node("serve", 1, 0, "stream serve", "Cloud Run, exact", "ours"),
            Node("onnx", 1, 1, "ONNX model", "inside BigQuery", "kept"),
        ),
        (Arrow("query", "serve", "calls", back=True), Arrow("query", "onnx", back=True)),
    ),
}  # fmt: skip
"""File name without `.svg` → what it shows."""
