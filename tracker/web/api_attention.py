"""JSON door for programs of staff: the visits that need a dispatcher."""

from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions import attention
from tracker.domain.appointments import STAFF
from tracker.domain.attention import WORDS, Reason
from tracker.web.bodies import json_answer
from tracker.web.guard import actor_of, house_of
from tracker.web.openapi import Operation


class WaitingAnswer(msgspec.Struct, kw_only=True):
    """A visit that cannot stay as it is: why, and ``words`` for people. It is gone once it was moved, handed over or mended,
    or, on its way with a map that closed by itself, once its state was set."""

    id: str
    booking_id: str
    version: int
    arrival_at: datetime
    ends_at: datetime
    zone: str
    account_id: str
    technician_id: str | None
    reason: Reason
    words: str


class AttentionAnswer(msgspec.Struct):
    """What needs a dispatcher, by arrival; 500 at most."""

    appointments: list[WaitingAnswer]


def operations() -> list[Operation]:
    """The door of this module."""
    return [Operation("GET", "/api/v1/attention", list_attention, STAFF, AttentionAnswer, scope="appointments:read")]


async def list_attention(request: Request) -> Response:
    """Visits whose technician cannot be there as promised, that have nobody, that are too tight, or whose map closed."""
    found = await attention.waiting(house_of(request), actor_of(request))
    return json_answer(AttentionAnswer([_answer(one) for one in found]))


def _answer(one: attention.Waiting) -> WaitingAnswer:
    visit = one.appointment
    return WaitingAnswer(
        id=visit.id,
        booking_id=visit.booking_id,
        version=visit.version,
        arrival_at=visit.arrival_at,
        ends_at=visit.ends_at,
        zone=visit.zone,
        account_id=visit.account_id,
        technician_id=visit.technician_id,
        reason=one.reason,
        words=WORDS[one.reason],
    )
