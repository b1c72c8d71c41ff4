"""Alive, ready, and the numbers: for whoever watches over the process."""

import asyncio
from threading import Thread
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import start_http_server
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.house import House
from tracker.actions.letters.mailbag import mailbag
from tracker.errors import LiveUnavailable, RecordsUnavailable
from tracker.records.migrations import behind
from tracker.web.guard import EVERYBODY, Door, door, house_of

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

WAIT_S = 2.0
"""A part that does not answer in this time is away."""


async def parts_of(house: House) -> dict[str, str]:
    """Each part the process stands on: ``ok``, ``away``, or what is wrong with it."""
    records, live = await asyncio.gather(_records(house), _live(house))
    mail = await _mail(house) if records == "ok" else "away"  # without its tables there is no outbox to ask
    return {"records": records, "live": live, "mail": mail}


async def _records(house: House) -> str:
    try:
        async with asyncio.timeout(WAIT_S):
            return "not migrated" if await behind(house.db) else "ok"
    except (RecordsUnavailable, TimeoutError):
        return "away"


async def _live(house: House) -> str:
    try:
        async with asyncio.timeout(WAIT_S):
            await house.positions.gate("-")  # a read that answers None if all is well
            return "ok"
    except (LiveUnavailable, TimeoutError):
        return "away"


async def _mail(house: House) -> str:
    """``off``: no mail server is set up and no letter waits. ``late`` and ``failed`` are for staff to mend (N6)."""
    try:
        async with asyncio.timeout(WAIT_S):
            bag = await mailbag(house)
    except (RecordsUnavailable, TimeoutError):
        return "away"
    if house.post is None or house.post.server is None:
        return "not set up" if bag.waiting else "off"
    return "ok" if bag.ok else "failed" if bag.failed else "late"


async def livez(_request: Request) -> Response:
    """The process answers."""
    return _json({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 if requests can be served: the records answer, and the live part has answered at least once since the start.

    A Redis that goes away later leaves the process ready, "degraded": sign-in, bookings and pages work without it.
    """
    parts = await parts_of(house_of(request))
    state = request.app.state
    state.live_seen = getattr(state, "live_seen", False) or parts["live"] == "ok"
    ready = parts["records"] == "ok" and state.live_seen
    status = "ok" if set(parts.values()) <= {"ok", "off"} else "degraded" if ready else "not ready"
    return _json({"status": status, "parts": parts}, 200 if ready else 503)


def routes() -> list[Door]:
    """The doors of this module."""
    return [
        door("/livez", livez, roles=EVERYBODY, kind="machine"),
        door("/readyz", readyz, roles=EVERYBODY, kind="machine"),
    ]


def serve_metrics(host: str, port: int) -> "tuple[WSGIServer, Thread]":
    """Prometheus' text on a port of its own, which the proxy does not show to the world; on a thread of its own."""
    return start_http_server(port, host)


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
