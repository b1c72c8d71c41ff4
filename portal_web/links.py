"""Links: the page that takes the token out of a letter's link, and where a customer makes view-only ones for the family (M8)."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.forms import network_address, text
from portal_web.pages import Pages
from portal_web.sources import visit_of
from portal_web.times import clock, day
from tracker.actions.agenda import appointment_for
from tracker.actions.people import link_again, link_care
from tracker.actions.people.link_care import LONGEST_NAME, Open
from tracker.domain import links as rules
from tracker.domain.appointments import Role, State
from tracker.errors import BadInput, Conflict
from tracker.web.guard import EVERYBODY, actor_of, door, guard_of, house_of

AGAIN = "/v/new"
"""Where a new link is asked for with a dead one, and where that is answered."""
OVER = frozenset({State.COMPLETED, State.CANCELED})


@dataclass(frozen=True, slots=True)
class Shared:
    """A link in the customer's list."""

    id: str
    name: str
    address: str
    made: str
    made_at: datetime
    until: str
    until_at: datetime
    opened: int


@dataclass(frozen=True, slots=True)
class LinkDoors:
    """`/v` for whoever has a link; `/appointments/{id}/links` for the customer."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """Looking at `/v` changes nothing, however often a mail scanner does: the script posts what stands behind the ``#``."""
        at, customer = "/appointments/{appointment}/links", {Role.CUSTOMER}
        return [
            door(rules.PATH, self.opening, roles=EVERYBODY, name="link"),
            door(AGAIN, self.asked, roles=EVERYBODY, name="link.asked"),
            door(AGAIN, self.ask_again, roles=EVERYBODY, methods=("POST",), name="link.again"),
            door(at, self.look, roles=customer, name="links"),
            door(at, self.make, roles=customer, methods=("POST",), name="links.post"),
            door(f"{at}/{{link}}/end", self.end, roles=customer, methods=("POST",), name="links.end"),
        ]

    async def opening(self, request: Request) -> Response:
        """The same page for everybody; which of its parts is shown, the script decides."""
        return self.pages.answer(request, "live/open.html")

    async def ask_again(self, request: Request) -> Response:
        """A new link for the contact the old one belonged to, which is shown by its token, or by its cookie on the visit's page.

        Answered in the same bytes whatever becomes of it.
        """
        form, guard = await request.form(), guard_of(request)
        token = text(form, "token") or request.cookies.get(guard.link_cookie(text(form, "appointment")), "")
        await link_again.ask(house_of(request), token, address=network_address(request))
        return RedirectResponse(AGAIN, 303)

    async def asked(self, request: Request) -> Response:
        """What happens now; the same for everybody."""
        return self.pages.answer(request, "live/asked.html")

    async def look(self, request: Request) -> Response:
        """The links there are, and a form for one more."""
        return await self._page(request)

    async def make(self, request: Request) -> Response:
        """One more; then the page with it, so that a reload makes none."""
        name = text(await request.form(), "name")
        appointment = request.path_params["appointment"]
        try:
            made = await link_care.share(house_of(request), actor_of(request), appointment, name)
        except (BadInput, Conflict) as refusal:
            return await self._page(request, int(refusal.status), name=name, error=refusal.sentence)
        return RedirectResponse(f"/appointments/{appointment}/links?new={made.link.id}", 303)

    async def end(self, request: Request) -> Response:
        """End one; whoever looks through it is shown out before this is answered."""
        await link_care.end(house_of(request), actor_of(request), request.path_params["link"])
        return RedirectResponse(f"/appointments/{request.path_params['appointment']}/links?ended=1", 303)

    async def _page(self, request: Request, status: int = 200, *, name: str = "", error: str | None = None) -> Response:
        house, actor = house_of(request), actor_of(request)
        found = await appointment_for(house, actor, request.path_params["appointment"])
        open_ = await link_care.family_links(house, actor, found.id)
        url = guard_of(request).public.url
        return self.pages.answer(
            request,
            "live/links.html",
            status,
            here="links",
            visit=visit_of(found, None, actor.signed),
            links=[_shared(one, url, found.zone) for one in open_],
            over=found.state in OVER,
            name=name,
            longest=LONGEST_NAME,
            error=error,
            new=request.query_params.get("new"),
            ended="ended" in request.query_params,
        )


def _shared(one: Open, url: str, zone: str) -> Shared:
    made, until = one.link.created_at, one.until
    return Shared(
        id=one.link.id,
        name=one.link.name or "View-only link",
        address=rules.address(url, one.token),
        made=f"{day(made, zone)}, {clock(made, zone)}",
        made_at=made,
        until=day(until, zone),
        until_at=until,
        opened=one.link.opened,
    )
