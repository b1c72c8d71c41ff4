"""The first page after sign-in: a customer's appointments, a technician's day, the company's day (A1, A2)."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.days import staff_day, technician_day
from portal_web.feedback_view import feedback_of
from portal_web.home_view import Row, row_of, zones_foot
from portal_web.live import trip_in
from portal_web.live_page import page_context
from portal_web.offers import offers_of
from portal_web.pages import Pages
from portal_web.sources import Street, site_of, technician_of, visit_of
from tracker.actions import overview, surveys
from tracker.actions.house import House
from tracker.actions.trip.views import LiveView, without_place
from tracker.actions.trip.watching import live_view
from tracker.domain.accounts import Actor
from tracker.domain.agenda import agenda
from tracker.domain.appointments import Role, State
from tracker.domain.surveys import may_answer
from tracker.records.appointments import Appointment
from tracker.records.delays import Delay
from tracker.records.surveys import Survey
from tracker.records.technicians import Technician
from tracker.web.guard import EVERYBODY, actor_of, door, house_of
from tracker.web.tiles import StreetMap


@dataclass(frozen=True, slots=True)
class HomeDoors:
    """`/` and `/past`: what stands there depends on who looks."""

    pages: Pages
    streets: StreetMap
    street: Street

    def routes(self) -> list[BaseRoute]:
        """For everybody: whoever is not signed in is led to the sign-in page."""
        return [
            door("/", self.home, roles=EVERYBODY, name="home", places=True),
            door("/past", self.past, roles={Role.CUSTOMER}, name="past", places=True),
        ]

    async def home(self, request: Request) -> Response:
        """By role."""
        actor = actor_of(request)
        if actor.role is Role.CUSTOMER:
            return await self._customer(request, actor, past=False)
        if actor.role is Role.TECHNICIAN:
            return await technician_day(self.pages, request, actor)
        if actor.staff:
            return await staff_day(self.pages, self.street, request, actor)
        return RedirectResponse("/sign-in", 303)

    async def past(self, request: Request) -> Response:
        """The *Past appointments* tab: an address of its own, so it works without script."""
        return await self._customer(request, actor_of(request), past=True)

    async def _customer(self, request: Request, actor: Actor, *, past: bool) -> Response:
        house = house_of(request)
        now = house.clock()
        found, who = await overview.appointments_of(house, actor)
        said = await surveys.said_of(house, [one.id for one in found if one.state is State.COMPLETED] if past else [])
        late = await overview.late_of(house, found)
        # last: a leg closed while anything is read after these would leave its place in the answer
        views = await _views(house, actor, [one.id for one in found if one.state is State.TRAVELING], now)
        expected = {id_: datetime.fromisoformat(view.eta["at"]) for id_, view in views.items() if view.eta}
        parts = agenda([_present(one, views) for one in found], expected)

        def row(one: Appointment) -> Row:
            known = views.get(one.id), said.get(one.id), late.get(one.id)
            return self._row(house, actor, one, who.get(one.technician_id or ""), known, now)

        active = row(parts.active) if parts.active else None
        shown = [row(one) for one in (parts.past if past else parts.upcoming)]
        return self.pages.answer(
            request,
            "home.html",
            here="home",
            past=past,
            active=active if not past else None,
            rows=shown,
            counts=(len(parts.upcoming), len(parts.past)),
            foot=zones_foot([one.visit for one in [*shown, *([active] if active else [])]]),
            now=now,
            basemap=self.streets.describe() if active else None,
            facts=self._facts(house, active, views, now) if active and not past else None,
            canceled=request.query_params.get("canceled"),
        )

    def _row(
        self,
        house: House,
        actor: Actor,
        one: Appointment,
        technician: Technician | None,
        known: tuple[LiveView | None, Survey | None, Delay | None],
        now: datetime,
    ) -> Row:
        view, survey, delay = known
        card = technician_of(technician, phone=house.settings.now.show_phone)
        tracked = house.settings.now.technician_tracking
        visit = visit_of(one, card, actor.signed, delay, tracked=tracked)
        trip = trip_in(view, visit, technician, self.street) if view else None
        offers = offers_of(one, house.settings.now, now) if actor.role is Role.CUSTOMER else None
        answers = may_answer(actor, one)
        feedback = feedback_of(one.state, survey, house.settings.now, now, one.zone, answers=answers, staff=False)
        return row_of(visit, trip, now, offers, actor.zone, feedback)

    def _facts(self, house: House, active: Row, views: dict[str, LiveView], now: datetime) -> dict[str, object]:
        """What the card's script starts from: the same two sets as on the live page."""
        view = views[active.visit.id]
        trip = trip_in(view, active.visit, None, self.street)
        context = page_context(active.visit, trip, now, site_of(house), self.pages.assets.url("img/icons.svg"))
        return {"page": context["page_facts"], "panel": context["panel_facts"]}


def _present(one: Appointment, views: dict[str, LiveView]) -> Appointment:
    """The appointment as of the later look, if one was taken."""
    return views[one.id].appointment if one.id in views else one


async def _views(house: House, actor: Actor, visits: list[str], now: datetime) -> dict[str, LiveView]:
    """The live views of some visits. One that was closed while the others were read keeps nothing of the place."""
    views, closed = {}, {}
    for visit in visits:
        views[visit] = await live_view(house, actor, visit, now)
        closed[visit] = house.hub.closed(visit)
    return {id_: view if house.hub.closed(id_) == closed[id_] else without_place(view) for id_, view in views.items()}
