"""Bodies and headers of requests: not larger, not slower than allowed, read into types; and JSON answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from tracker.domain.misfits import misfit
from tracker.errors import BadInput, NulCharacter, TooBig, TooSlow, Unreadable, VersionMismatch

BODY_S = 30.0
"""How long a body may take to arrive."""
LATE_S = 0.25
"""Who takes longer over a body is asked again: what they came with may have ended meanwhile."""

type Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def at_most(most_bytes: int, receive: Receive) -> Receive:
    """The request's body, not larger than that and not slower than `BODY_S`."""
    got, deadline = 0, asyncio.get_running_loop().time() + BODY_S

    async def limited() -> Message:
        nonlocal got
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        got += len(message.get("body", b""))
        if got > most_bytes:
            raise TooBig
        return message

    return limited


def asking_if_late(body: Receive, again: Callable[[], Awaitable[None]]) -> Receive:
    """The body; whoever takes long over it is asked again who they are before the last of it counts.

    Else a request could be begun with a session or token, left open, and carried out after that has ended.
    """
    clock = asyncio.get_running_loop().time
    began = clock()

    async def receive() -> Message:
        message = await body()
        if not message.get("more_body", False) and clock() - began > LATE_S:
            await again()
        return message

    return receive


async def body_of[T](request: Request, kind: type[T]) -> T:
    """The JSON body as this type; `Unreadable` if it is not JSON, `BadInput` with the place if it does not fit.

    `NulCharacter` if a text in it has one: PostgreSQL keeps none, and what is kept may not depend on the database.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Unreadable("The body must be application/json.")
    body = await request.body()
    try:
        if b"\\u0000" in body and has_nul(msgspec.json.decode(body)):
            raise NulCharacter
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise misfit(error, kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable from None


def has_nul(value: object) -> bool:
    """Whether any text in this JSON value has a NUL character."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(has_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(has_nul(each) for each in value)


def moment_of(request: Request, name: str) -> datetime | None:
    """A time out of the query."""
    said = request.query_params.get(name)
    if said is None:
        return None
    try:
        moment: datetime = msgspec.convert(said, Moment)
    except msgspec.ValidationError:
        raise BadInput(f"{name} must be a time with its offset, as 2026-11-24T12:00:00Z.") from None
    return within_reach(moment, name)


def within_reach[D: date](moment: D, name: str) -> D:
    """A time or day that calendars can count with; `BadInput` for others."""
    if not 2000 <= moment.year <= 2200:
        raise BadInput(f"{name} lies too far away.")
    return moment


def version_of(request: Request) -> int | None:
    """The version an If-Match names; None if there is none or any will do. What we never gave out matches nothing."""
    said = request.headers.get("if-match")
    if said is None or said.strip() == "*":
        return None
    match = re.fullmatch(r'"(\d{1,9})"', said.strip())
    if match is None:
        raise VersionMismatch
    return int(match[1])


def seen_of(request: Request) -> str | None:
    """The state an If-Match names (its ETag); None if there is none or any will do."""
    said = request.headers.get("if-match", "*").strip()
    return None if said == "*" else said.removeprefix('"').removesuffix('"')


def key_of(request: Request) -> str | None:
    """The Idempotency-Key, if there is one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= 128:
        raise BadInput("An Idempotency-Key has 1 to 128 characters.")
    return key


def asked[T](request: Request, kind: type[T]) -> T:
    """The query as this type; `BadInput` names what does not fit. A parameter given twice counts once."""
    try:
        return msgspec.convert(dict(request.query_params), kind, strict=False)
    except msgspec.ValidationError as error:
        raise misfit(error, kind) from None


def only(request: Request, known: frozenset[str]) -> None:
    """`BadInput` names the first parameter of the query that is not among these."""
    for name in request.query_params:
        if name not in known:
            raise BadInput(
                f"There is no parameter “{name[:100]}” here. Leave it out, or write its name as the description does.",
                field=name[:100],
            )


def json_answer(body: object, status: int = 200, *, etag: str | None = None) -> Response:
    """An answer in JSON; times as RFC 3339. ``etag`` names the state it shows."""
    headers = {"ETag": f'"{etag}"'} if etag else None
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
