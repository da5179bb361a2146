"""`POST /predict`: one object → one prediction, a list → a list."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from stream.records import DeadLetter
from stream.rest.body import aside, parse_json, require_json
from stream.rest.problems import Problem, wrong_shape
from stream.rest.served import Answer
from stream.rest.service import Service, json_response, row_error
from stream.table import shown

__all__ = ["as_objects", "predict"]


async def predict(service: Service, request: Request, body: bytes) -> Response:
    """Score one object, or a list of them."""
    require_json(request)
    served = service.served
    content = await aside(len(body), lambda: parse_json(body))
    if isinstance(content, dict):
        [answer] = await service.answer(served, [content], len(body), single=True)
        if isinstance(answer, DeadLetter):
            raise Problem(
                422, f"{served.title} has no answer: {answer.message}", [row_error(answer)["error"]]
            )
        return await json_response(answer)
    if not isinstance(content, list):
        raise wrong_shape(f"expected an object or a list of objects, found {shown(content)}")
    answers = await service.answer(served, content, len(body))
    return await json_response(as_objects(answers), len(answers))


def as_objects(answers: list[Answer]) -> list[dict[str, object]]:
    """Predictions, and an object with `error` for each row that the model could not score."""
    return [row_error(answer) if isinstance(answer, DeadLetter) else answer for answer in answers]
