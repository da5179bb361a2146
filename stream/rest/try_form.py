"""The form of `/docs` in which a person tries a row, and the script that sends it."""

from __future__ import annotations

import html
import json
from pkgutil import get_data

from starlette.requests import Request
from starlette.responses import Response

from stream.rest.endpoint import Endpoint
from stream.rest.service import Service
from stream.shown import json_shown

__all__ = ["POLICY", "SCRIPT", "STYLE", "form_of"]

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""What the page may do: run the script of this service and ask this service; no script within the page runs."""

STYLE = """
textarea { width: 100%; box-sizing: border-box; font: .9em/1.4 ui-monospace, monospace }
#answer { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.4em }
#answer.good { border-left: .3rem solid #1b7f4b } #answer.bad { border-left: .3rem solid #b3372f }
"""

_ROWS = 30
"""Lines of the box at most; it scrolls then."""


def form_of(service: Service) -> str:
    """
    The form as HTML, filled with a golden row, or with the fields alone where rows are for those who have the token;
    nothing in it is markup but its own.
    """
    served = service.served
    fields = {served.names[leaf.path]: None for leaf in served.features}
    row_shown = served.examples[0] if served.examples and service.settings.token is None else fields
    row = json_shown(json.dumps(row_shown, ensure_ascii=False, indent=2))
    token = (
        "<p><label>Token <input type=password name=token autocomplete=off></label></p>"
        if service.settings.token is not None
        else ""
    )
    lines = min(row.count("\n") + 1, _ROWS)
    return (
        "<h2>Try it</h2><form id=try><p><label for=row>A row, or a list of rows, as JSON:</label></p>"
        f"<textarea id=row name=row rows={lines} spellcheck=false>{html.escape(row)}</textarea>{token}"
        "<p><button name=ask disabled>Predict</button></p></form>"
        "<noscript><p>This form needs JavaScript; the commands below do not.</p></noscript>"
        "<pre id=answer aria-live=polite></pre><script src=docs.js defer></script>"
    )


async def _script(service: Service, request: Request, body: bytes) -> Response:
    content = get_data("stream.rest", "docs.js") or b""
    return Response(content, media_type="text/javascript", headers={"x-content-type-options": "nosniff"})


SCRIPT = Endpoint("GET", "/docs.js", _script, public=True)
