"""The description of the JSON doors (OpenAPI 3.1), made from the same types they read and write."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import msgspec
from msgspec.structs import fields
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from tracker.web.answers import ProblemAnswer
from tracker.web.bodies import json_answer, only
from tracker.web.guard import EVERYBODY, Door, Endpoint, door

MOMENTS = frozenset({"from", "to"})
"""Names of parameters that are times."""
REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One JSON door: where, who, what it takes and gives. ``refusals`` beyond those of every door."""

    method: str
    path: str
    endpoint: Endpoint
    roles: frozenset[Any]
    answer: type | None
    body: type | None = None
    status: int = 200
    query: tuple[str, ...] = ()  # moments
    asks: type | None = None  # or the whole query as one type
    headers: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()
    most_bytes: int = 16 * 1024
    scope: str | None = None

    def door(self) -> Door:
        """The door itself."""
        return door(
            self.path,
            self._strictly() if self.query or self.asks else self.endpoint,
            roles=self.roles,
            methods=[self.method],
            kind="api",
            most_bytes=self.most_bytes,
            scope=self.scope,
        )

    def _strictly(self) -> Endpoint:
        """The endpoint for queries that it knows: of a filter with a slip in its name everything would be listed."""
        known = frozenset((*self.query, *(one.encode_name for one in (fields(self.asks) if self.asks else ()))))

        @wraps(self.endpoint)
        async def strictly(request: Request) -> Response:
            only(request, known)
            return await self.endpoint(request)

        return strictly

    @property
    def statuses(self) -> list[int]:
        """Every status it may answer with, but 5xx."""
        refused = {400, 403, 413, 422} if self.body else set()
        refused |= set(self.refusals) | ({401, 403} if self.roles != EVERYBODY else set())
        refused |= {404} if "{" in self.path else set()
        refused |= {422} if self.query or self.asks else set()
        return sorted({self.status} | refused)


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole OpenAPI document."""
    types = {t for each in operations for t in (each.answer, each.body) if t is not None}
    named = sorted({*types, ProblemAnswer}, key=lambda each: each.__name__)
    _, schemas = msgspec.json.schema_components(named, ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "technician-tracker", "version": "1", "description": _WORDS},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


def routes(operations: Sequence[Operation]) -> list[BaseRoute]:
    """The doors, and the document that describes them at `/api/v1/openapi.json`."""
    described = cache(lambda: document(operations))  # made when somebody asks: a start need not wait for it

    async def openapi(_request: Request) -> Response:
        return json_answer(described())

    return [*(each.door() for each in operations), door("/api/v1/openapi.json", openapi, roles=EVERYBODY, kind="machine")]


_WORDS = (
    "Sign in with POST /api/v1/sessions and keep the cookie; what changes something also needs the Origin of the service. "
    "A phone or a program shows its token as Bearer instead and needs no Origin. Times are RFC 3339 with their offset. "
    "A field that a body does not have is refused with its name as `field` (422), "
    "a parameter that a query does not have, too."
)
_SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-tt", "description": "`tt` on plain http (loopback)"},
    "phone": {"type": "http", "scheme": "bearer"},
    "token": {"type": "http", "scheme": "bearer", "description": "An API token (`tta_…`) with the operation's `x-scope`"},
}


def _described(operation: Operation) -> dict[str, Any]:
    words = (operation.endpoint.__doc__ or "").strip()
    said: dict[str, Any] = {
        "operationId": operation.endpoint.__name__,
        "summary": words.splitlines()[0],
        "x-roles": sorted(operation.roles),
        "parameters": list(_parameters(operation)),
        "responses": {str(status): _response(operation, status) for status in operation.statuses},
    }
    if operation.roles != EVERYBODY:
        said["security"] = [{"session": []}, {"phone": []}, *([{"token": []}] if operation.scope else [])]
    if operation.scope:
        said["x-scope"] = operation.scope
    if operation.body is not None:
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(operation.body)}}}
    return said


def _parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for part in operation.path.split("/"):
        if part.startswith("{"):
            yield {"name": part.strip("{}"), "in": "path", "required": True, "schema": {"type": "string"}}
    for name in operation.query:
        form = {"type": "string", "format": "date-time"} if name in MOMENTS else {"type": "string"}
        yield {"name": name, "in": "query", "schema": form}
    if operation.asks is not None:
        yield from _asked(operation.asks)
    for name in operation.headers:
        yield {"name": name, "in": "header", "schema": {"type": "string"}}


def _asked(kind: type) -> Iterable[dict[str, Any]]:
    """A query's type as parameters."""
    parts = msgspec.json.schema(kind)["$defs"]
    whole = parts[kind.__name__]
    for name, schema in whole["properties"].items():
        said = _of_text(schema)
        said = parts[said["$ref"].rpartition("/")[2]] if "$ref" in said else said  # an enum's words stand with the parameter
        yield {"name": name, "in": "query", "required": name in whole.get("required", ()), "schema": said}


def _of_text(schema: dict[str, Any]) -> dict[str, Any]:
    """A query says nothing where JSON says null."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return dict(options[0]) if options else {key: value for key, value in schema.items() if key != "default"}


def _response(operation: Operation, status: int) -> dict[str, Any]:
    if status == 304:
        return {"description": "It is still as the ETag says."}
    if status != operation.status:
        return {"description": "Refused.", "content": {"application/problem+json": {"schema": _ref(ProblemAnswer)}}}
    if operation.answer is None:
        return {"description": "Done."}
    words = (operation.answer.__doc__ or "").strip().splitlines()[0]
    return {"description": words, "content": {"application/json": {"schema": _ref(operation.answer)}}}


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=kind.__name__)}
