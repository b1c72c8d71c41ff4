"""The live page of one appointment: the whole page, its panel alone, and the street the van is on (M1–M6, M9)."""

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from portal_web.chosen_view import own_words
from portal_web.facts import Visit, Whom
from portal_web.feedback_view import Feedback, feedback_of
from portal_web.live_page import page_context
from portal_web.offers import offers_of
from portal_web.pages import Pages
from portal_web.sources import Street, site_of, technician_of, trip_from, visit_of
from portal_web.trip import Trip
from tracker.actions import agenda, surveys
from tracker.actions.house import House
from tracker.actions.overview import technician_of as technician_row
from tracker.actions.trip.views import LiveView, without_place
from tracker.actions.trip.watching import live_view
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State
from tracker.domain.geo import Point
from tracker.domain.surveys import may_answer
from tracker.records.appointments import Appointment
from tracker.records.technicians import Technician
from tracker.web.guard import VIEWERS, actor_of, door, house_of
from tracker.web.tiles import StreetMap


@dataclass(frozen=True, slots=True)
class LiveDoors:
    """The doors below `/appointments/{id}/live`."""

    pages: Pages
    streets: StreetMap
    street: Street

    def routes(self) -> list[BaseRoute]:
        """For everybody who is signed in or has a link; the action decides whose appointment it is."""
        at = "/appointments/{appointment}/live"
        return [
            door(at, self.page, roles=VIEWERS, name="live", places=True),
            door(f"{at}/panel", self.panel, roles=VIEWERS, name="live.panel", places=True),
            door(f"{at}/place", self.place, roles=VIEWERS, kind="api", name="live.place", places=True),
        ]

    async def page(self, request: Request) -> Response:
        """The page: complete without script."""
        context = await self._context(request)
        return self.pages.answer(request, "live/page.html", basemap=self.streets.describe(), **context)

    async def panel(self, request: Request) -> Response:
        """The panel alone, for a page that follows a change of state."""
        return self.pages.answer(request, "live/panel.html", **await self._context(request))

    async def place(self, request: Request) -> Response:
        """``{"street": "Kaivokatu"}``: where the shown position is, in words; null where it is not known or not shown."""
        view = await self._view(request)
        here = view.position
        street = self.street(Point(here["lat"], here["lon"])) if here else None
        return JSONResponse({"street": street}, headers={"Cache-Control": "no-store"})

    async def _view(self, request: Request) -> LiveView:
        house = house_of(request)
        return await live_view(house, actor_of(request), request.path_params["appointment"], house.clock())

    async def _context(self, request: Request) -> dict[str, Any]:
        house, view = house_of(request), await self._view(request)
        seen = view.appointment
        closed = house.hub.closed(seen.id)
        row = await technician_row(house, seen.technician_id) if seen.technician_id else None
        if house.hub.closed(seen.id) != closed:  # closed while the card was read: the answer must hold nothing of the place
            view = without_place(view)
        actor, technician = actor_of(request), technician_of(row, phone=house.settings.now.show_phone)
        visit = visit_of(seen, technician, actor.signed, view.expected, tracked=view.tracked)
        if actor.view_only:
            visit = replace(visit, cancel_reason=None)  # the customer's own words
        if actor.staff:
            visit = replace(visit, whom=await whom_of(house, seen))
        trip = trip_in(view, visit, row, self.street)
        icons = self.pages.assets.url("img/icons.svg")
        now, customer = house.clock(), actor.role is Role.CUSTOMER
        offered = offers_of(seen, house.settings.now, now)
        offers = offered if customer else None
        own = own_words(seen.arrival_at, seen.zone, actor.zone)
        context = page_context(visit, trip, now, site_of(house), icons)
        feedback = await feedback_on(house, actor, seen)
        holder = None if actor.link is None else "family" if actor.view_only else "letter"
        more = {"offers": offers, "own_time": own, "feedback": feedback}
        may_stop = holder == "letter" and offered.cancel and offered.cancel_why is None  # once signed in
        return context | more | {"signed_in": holder is None, "holder": holder, "may_stop": may_stop}


async def whom_of(house: House, seen: Appointment) -> Whom:
    """Whom a visit is for, as dispatchers and admins read it."""
    met = (await agenda.met_at(house, [seen]))[seen.id]
    return Whom(met.account, met.name if met.name != met.account else None, met.phone, seen.details)


async def feedback_on(house: House, actor: Actor, seen: Appointment) -> Feedback | None:
    """The feedback on a visit, for those whom it concerns; None: there is none, and none is asked for."""
    answers = may_answer(actor, seen)
    if seen.state is not State.COMPLETED or not (answers or actor.staff):
        return None
    survey = (await surveys.said_of(house, [seen.id])).get(seen.id)
    now, rules = house.clock(), house.settings.now
    return feedback_of(seen.state, survey, rules, now, seen.zone, answers=answers, staff=actor.staff)


def trip_in(view: LiveView, visit: Visit, technician: Technician | None, street: Street) -> Trip | None:
    """The trip in a live view; ``technician`` says since when sharing is paused, if it is."""
    paused = (view.technician_card or {}).get("sharing") is False
    since = (technician.sharing_since if technician else None) or view.appointment.since
    return trip_from(
        visit,
        position=view.position,
        eta=view.eta,
        route=view.route,
        paused_since=since if paused else None,
        closed=view.leg is None,
        street=street,
        arriving=view.arriving,
    )
