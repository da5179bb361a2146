"""Pages for people, generators and scrapers: `/docs`, `/card`, `/openapi.json`, `/metrics`."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.endpoint import Endpoint
from stream.rest.json_schemas import TEXT, Schema
from stream.rest.openapi_document import document
from stream.rest.problems import Problem
from stream.rest.responses import json_response
from stream.rest.service import Service
from stream.rest.try_form import POLICY, SCRIPT, STYLE, form_of
from stream.shown import html_shown, json_shown, shown
from stream.telemetry import Metrics

__all__ = ["metrics_text", "pages_of"]

_CARD_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'none'; sandbox"
)
"""The card loads nothing, and runs no script."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .2rem .8rem .2rem 0;
border-bottom: 1px solid #8884; vertical-align: top } pre { background: #8882; padding: .8rem; overflow-x: auto }
code { font-size: .9em } summary { cursor: pointer } :root { color-scheme: light dark }
"""


def pages_of(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """
    The endpoints for people, generators and scrapers.

    Args:
        endpoints: the others, which the document and the page describe.
    """
    metrics = Endpoint(
        "GET",
        "/metrics",
        _metrics,
        "Prometheus' text exposition.",
        "metrics",
        "operations",
        answer=TEXT,
        media_type="text/plain",
    )
    described = (*endpoints, metrics)

    async def openapi(service: Service, request: Request, body: bytes) -> Response:
        return await json_response(document(described, service))

    async def docs(service: Service, request: Request, body: bytes) -> Response:
        text = _page(document(described, service), str(request.base_url).rstrip("/"), service)
        return _html(text, POLICY)

    return (
        Endpoint("GET", "/docs", docs, public=True),
        SCRIPT,
        Endpoint("GET", "/card", _card),
        Endpoint("GET", "/openapi.json", openapi),
        metrics,
    )


def _html(text: str, policy: str) -> Response:
    headers = {"content-security-policy": policy, "x-content-type-options": "nosniff"}
    return Response(text, media_type="text/html", headers=headers)


async def _card(service: Service, request: Request, body: bytes) -> Response:
    """The version's model card, with the way to the endpoints on top."""
    served = service.served
    if served.card is None:
        raise Problem(
            404, f"{served.title} has no model card: `stream train` makes one; /docs lists the endpoints"
        )
    link = f'<p style="margin: .5rem 1rem"><a href="docs">Try {html_shown(served.title)}, and its endpoints</a></p>'
    return _html(served.card.replace("<body>", f"<body>{link}", 1), _CARD_POLICY)


async def _metrics(service: Service, request: Request, body: bytes) -> Response:
    return await metrics_text(service.metrics)


async def metrics_text(metrics: Metrics) -> Response:
    """A process's metrics, as Prometheus reads them."""
    text = await asyncio.to_thread(metrics.text)
    return Response(
        text, media_type="text/plain; version=0.0.4", headers={"x-content-type-options": "nosniff"}
    )


def _page(api: Schema, base: str, service: Service) -> str:
    """The document as an HTML page."""
    card = ' What the model was made from, and how good it is: <a href="card">its card</a>.'
    schemas = api["components"]["schemas"]
    title = html_shown(api["info"]["title"])
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>",
        '<meta name=viewport content="width=device-width"><link rel=service-desc href=openapi.json>',
        f"<style>{_STYLE}{STYLE}</style><h1>{title}</h1>",
        '<p>The same as an <a href="openapi.json">OpenAPI document</a>, for clients and generators.'
        f"{card if service.served.card is not None else ''}</p>",
        form_of(service),
        "<h2>A row</h2><p>Other fields are ignored.</p>",
        _fields(schemas["Features"]),
        "<h2>A prediction</h2>",
        _fields(schemas["Prediction"]),
        "<h2>Endpoints</h2>",
        *(
            _operation(path, method, operation, base, rows=service.settings.token is None)
            for path, methods in api["paths"].items()
            for method, operation in methods.items()
        ),
    ]
    return "\n".join(parts)


def _fields(schema: Schema) -> str:
    required = schema.get("required", [])
    rows = [
        f"<tr><td><code>{html_shown(name)}</code><td>{html_shown(_type(field))}"
        f"<td>{'required' if name in required else 'optional'}<td>{html_shown(_note(field))}"
        for name, field in schema["properties"].items()
    ]
    return f"<table><tr><th>field<th>type<th>needed<th>note{''.join(rows)}</table>"


def _note(field: Schema) -> str:
    """What else is known of a field: its name in Avro, or what it means."""
    return "; ".join(field[key] for key in ("title", "description") if key in field)


def _quoted(text: str) -> str:
    """A word of a POSIX shell, always within quotes."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _type(schema: Schema) -> str:
    """A field's type in words."""
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    names = " or ".join(kind) if isinstance(kind, list) else kind
    if "items" in schema:
        names = f"list of {_type(schema['items'])}"
    return f"{names} ({schema['format']})" if "format" in schema else names


def _operation(path: str, method: str, operation: Schema, base: str, *, rows: bool) -> str:
    """An endpoint; with a row of the package's where anybody may see those."""
    head = (
        f"<h3><code>{method.upper()} {html_shown(path)}</code></h3><p>{html_shown(operation['summary'])}</p>"
    )
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = content.get("examples", {})
    example = content.get("example", examples["one"]["value"] if examples else None)
    answers = "".join(
        f"<li><code>{status}</code> {html_shown(answer['description'])}"
        for status, answer in operation["responses"].items()
    )
    command = ""
    if example is not None and rows:
        text = json_shown(json.dumps(example, ensure_ascii=False))
        line = f"curl {shown(base)}{path} -H 'content-type: application/json' -d {_quoted(text)}"
        command = f"<pre><code>{html.escape(line)}</code></pre>"
    return f"{head}{command}<details><summary>Answers</summary><ul>{answers}</ul></details>"
