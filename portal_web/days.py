"""The first page of those who work here: a technician's day and the company's day."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from portal_web.day_view import Line, arranged, line_of, waiting
from portal_web.home_view import due_words, today_words, zones_foot
from portal_web.live import trip_in
from portal_web.pages import Pages
from portal_web.sources import Street, technician_of, visit_of
from portal_web.times import same_day
from tracker.actions import agenda, attention, overview
from tracker.actions.attention import Waiting
from tracker.actions.overview import CompanyDay
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.domain.attention import Reason
from tracker.records.appointments import Appointment
from tracker.web.guard import house_of


async def technician_day(pages: Pages, request: Request, actor: Actor) -> Response:
    """A technician's jobs of the day, the present or next one large."""
    house = house_of(request)
    now = house.clock()
    technician, found = await overview.day_of_technician(house, actor, now)
    card = technician_of(technician, phone=False)
    visits = [visit_of(one, card) for one in found if _today(one, technician.zone, now)]
    open_now = [visit for visit in visits if visit.state not in {State.COMPLETED, State.CANCELED}]
    following = next((visit for visit in open_now if visit.state in {State.TRAVELING, State.IN_PROGRESS}), None)
    job = following or (open_now[0] if open_now else None)
    return pages.answer(
        request,
        "day_technician.html",
        here="home",
        technician=technician,
        visits=visits,
        met=await agenda.met_at(house, found),
        details={one.id: one.details for one in found},
        job=job,
        due=due_words(job, now) if job else "",
        tracking=house.settings.now.technician_tracking,
        traveling=any(visit.state is State.TRAVELING for visit in visits),
        today=today_words(now, technician.zone),
        now=now,
    )


async def staff_day(pages: Pages, street: Street, request: Request, actor: Actor) -> Response:
    """Everybody's day for the dispatcher: trouble first, then who is on the way, at work, to come, and what is over."""
    house = house_of(request)
    now = house.clock()
    found = await overview.day_of_company(house, actor, now)
    today = [one for one in found.appointments if _today(one, one.zone, now)]
    waits = await attention.waiting(house, actor)
    closed = {one.appointment.id for one in waits if one.reason is Reason.MAP_CLOSED}
    why = {one.id: Reason.MAP_CLOSED if one.id in closed else one.unkept or one.flag for one in today}
    lines = [_line(found, one, actor, street, now, why[one.id]) for one in today]
    shown = {one.id for one in today}
    later = [one for one in waits if one.appointment.id not in shown]
    return pages.answer(
        request,
        "day_staff.html",
        here="home",
        day=arranged(lines),
        later=[_later(one, actor) for one in later],
        total=len(lines),
        counts={state.value: sum(line.visit.state is state for line in lines) for state in State},
        foot=zones_foot([line.visit for line in lines]),
        today=today_words(now, lines[0].visit.zone if lines else "UTC"),
        now=now,
        zone=lines[0].visit.zone if lines else "UTC",
    )


def _line(found: CompanyDay, one: Appointment, actor: Actor, street: Street, now: datetime, flag: str | None) -> Line:
    view = found.views.get(one.id)
    one = view.appointment if view else one
    technician = found.technicians.get(one.technician_id or "")
    tracked = view.tracked if view else True
    visit = visit_of(one, technician_of(technician, phone=False), actor.signed, tracked=tracked)
    trip = trip_in(view, visit, technician, street) if view else None
    return line_of(visit, trip, now, found.accounts.get(one.account_id, ""), technician.name if technician else None, flag)


def _later(one: Waiting, actor: Actor) -> tuple[str, Line]:
    """A visit of another day that cannot stay as it is, with its day in words."""
    visit = visit_of(one.appointment, technician_of(one.technician, phone=False), actor.signed)
    name = one.technician.name if one.technician else None
    return today_words(visit.arrival_at, visit.zone), Line(visit, one.customer, name, "", trouble=waiting(one.reason))


def _today(one: Appointment, zone: str, now: datetime) -> bool:
    return same_day(one.arrival_at, now, zone) or one.state in {State.TRAVELING, State.IN_PROGRESS}
