"""JSON doors for links: opening one, and looking after those to an appointment (M8)."""

from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.people import link_care, links
from tracker.domain.appointments import STAFF, Role
from tracker.domain.links import Kind, address
from tracker.errors import BadInput
from tracker.records.links import Link
from tracker.web.bodies import Moment, body_of, json_answer
from tracker.web.guard import EVERYBODY, actor_of, guard_of, house_of
from tracker.web.identity import network_of
from tracker.web.openapi import Operation


class OpenLinkBody(msgspec.Struct, forbid_unknown_fields=True):
    """What stood behind the ``#``."""

    token: str


class OpenedLinkAnswer(msgspec.Struct):
    """The appointment it opens; the cookie comes with it."""

    appointment: str


class ShareBody(msgspec.Struct, forbid_unknown_fields=True):
    """For whom, in the customer's own list."""

    name: Annotated[str, msgspec.Meta(max_length=link_care.LONGEST_NAME)] = ""


class LinkChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """``until``: its page stays open until then at least; ``blocked``: it opens nothing until it is unblocked. Absent stays."""

    until: Moment | None = None
    blocked: bool | None = None


class LinkAnswer(msgspec.Struct):
    """A link, without what it opens with. ``until``: when its page closes, as things stand."""

    id: str
    appointment: str
    kind: Kind
    created_at: datetime
    until: datetime
    opened: int
    name: str | None = None
    opened_at: datetime | None = None
    blocked_at: datetime | None = None
    ended_at: datetime | None = None


class LinksAnswer(msgspec.Struct):
    """Links to an appointment, the oldest first."""

    links: list[LinkAnswer]


class NewLinkAnswer(msgspec.Struct):
    """A new link with its whole address, which may be passed on."""

    link: LinkAnswer
    address: str


def operations() -> list[Operation]:
    """The doors of this module."""
    customer = frozenset({Role.CUSTOMER})
    many, one = "/api/v1/appointments/{appointment}/links", "/api/v1/links/{link}"
    op = partial(Operation, scope="appointments:write")
    opening = partial(Operation, answer=OpenedLinkAnswer, body=OpenLinkBody, most_bytes=1024, refusals=(404, 429))
    return [
        opening("POST", "/api/v1/links/open", open_link, EVERYBODY),
        Operation("GET", many, list_links, STAFF | customer, LinksAnswer, scope="appointments:read"),
        Operation("POST", many, share, customer, NewLinkAnswer, ShareBody, status=201, refusals=(409,)),
        op("PATCH", one, change_link, STAFF, LinkAnswer, LinkChangeBody, refusals=(409,)),
        op("DELETE", one, end_link, STAFF | customer, None, status=204),
    ]


async def open_link(request: Request) -> Response:
    """Exchange a link's token for a cookie that opens its appointment. Unknown, ended, blocked and outlived are one 404."""
    token = (await body_of(request, OpenLinkBody)).token
    holder = await links.open_link(house_of(request), token, address=network_of(request))
    assert holder.appointment is not None  # noqa: S101 - holders have one
    answer = json_answer(OpenedLinkAnswer(holder.appointment))
    guard_of(request).give_link(answer, holder.appointment, token)
    return answer


async def list_links(request: Request) -> Response:
    """Links to an appointment: all of them for staff; for its customer those for the family that are open."""
    found = await link_care.links_of(house_of(request), actor_of(request), request.path_params["appointment"])
    return json_answer(LinksAnswer([_shown(*each) for each in found]))


async def share(request: Request) -> Response:
    """Make a view-only link for the family: 201 with its address."""
    body = await body_of(request, ShareBody)
    made = await link_care.share(house_of(request), actor_of(request), request.path_params["appointment"], body.name)
    url = guard_of(request).public.url
    return json_answer(NewLinkAnswer(_shown(made.link, made.until), address(url, made.token)), 201)


async def change_link(request: Request) -> Response:
    """Extend, block or unblock a link; blocked once its sockets are closed."""
    body, link = await body_of(request, LinkChangeBody), request.path_params["link"]
    house, actor = house_of(request), actor_of(request)
    if body.until is None and body.blocked is None:
        raise BadInput("Say until, or blocked.")
    changed: tuple[Link, datetime] | None = None
    if body.until is not None:
        changed = await link_care.extend(house, actor, link, body.until)
    if body.blocked is not None:
        changed = await (link_care.block if body.blocked else link_care.unblock)(house, actor, link)
    assert changed is not None  # noqa: S101 - one of the two was said
    return json_answer(_shown(*changed))


async def end_link(request: Request) -> Response:
    """End a link for good: 204 once its sockets are closed. Customers end those for the family."""
    await link_care.end(house_of(request), actor_of(request), request.path_params["link"])
    return Response(status_code=204)


def _shown(link: Link, until: datetime) -> LinkAnswer:
    fields = {name: getattr(link, name) for name in LinkAnswer.__struct_fields__ if name not in {"appointment", "until"}}
    return LinkAnswer(appointment=link.appointment_id, until=until, **fields)
