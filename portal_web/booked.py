"""After booking or moving: the confirmation pages and the calendar file (B9, A3)."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from portal_web.chosen_view import chosen_of, moment
from portal_web.pages import Pages
from portal_web.sources import technician_of, visit_of
from portal_web.times import span_words
from tracker.actions import overview
from tracker.actions.agenda import appointment_for
from tracker.actions.letters.calendar import calendar_of
from tracker.domain import changing
from tracker.domain.appointments import Role, State
from tracker.records.appointments import Appointment
from tracker.web.guard import VIEWERS, actor_of, door, guard_of, house_of

LETTER = "It goes to the e-mail address you sign in with."


@dataclass(frozen=True, slots=True)
class BookedDoors:
    """Below `/appointments/{id}`: what was booked, what was moved, and the file for one's own calendar."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """Pages for the customer; the file for whoever may see the appointment."""
        at, customer = "/appointments/{appointment}", {Role.CUSTOMER}
        return [
            door(f"{at}/booked", self.booked, roles=customer, name="booked"),
            door(f"{at}/moved", self.moved, roles=customer, name="moved"),
            door(f"{at}/calendar.ics", self.calendar, roles=VIEWERS, name="calendar"),
        ]

    async def booked(self, request: Request) -> Response:
        """All details of a new appointment, and what happens next."""
        return await self._confirmed(request, "booking/booked.html")

    async def moved(self, request: Request) -> Response:
        """The old time struck through beside the new one."""
        return await self._confirmed(request, "booking/moved.html")

    async def calendar(self, request: Request) -> Response:
        """The appointment as an iCalendar file: the same UID for good, so that a second one replaces the first."""
        house, public = house_of(request), guard_of(request).public
        found = await appointment_for(house, actor_of(request), request.path_params["appointment"])
        headers = {"Content-Disposition": f'attachment; filename="{found.booking_id}.ics"', "Cache-Control": "private, no-store"}
        body = calendar_of(found, public.url, house.settings.now, house.clock())
        return Response(body, headers=headers, media_type="text/calendar; charset=utf-8")

    async def _confirmed(self, request: Request, template: str) -> Response:
        house, actor = house_of(request), actor_of(request)
        found = await appointment_for(house, actor, request.path_params["appointment"])
        row = await overview.technician_of(house, found.technician_id) if found.technician_id else None
        was = await overview.moved_from(house, found)
        settings = house.settings.now
        return self.pages.answer(
            request,
            template,
            here="book" if template.endswith("booked.html") else "home",
            visit=visit_of(found, technician_of(row, phone=False), actor.signed),
            chosen=chosen_of(found.arrival_at, found.zone, actor.zone),
            was=chosen_of(was, found.zone, actor.zone) if was else None,
            duration=span_words(found.duration_min),
            details=found.details,
            asset_words=await overview.asset_words(house, found),
            letter=LETTER if found.keep_informed and found.contact_id else None,
            tracking=settings.technician_tracking and found.state is State.SCHEDULED,
            until_words=changing.until_words(settings),
        )


def seen_moment(said: object) -> datetime | None:
    """The arrival that a form showed."""
    return moment(said) if isinstance(said, str) else None


def changed_words(found: Appointment, was: datetime | None, now_words: str, was_words: str | None) -> str:
    """What somebody else did in the meantime, for who comes second (A9)."""
    if was and was_words and was != found.arrival_at:
        return f"**This appointment was moved in the meantime:** from {was_words} to {now_words}. Nothing of yours was saved."
    return f"**This appointment was changed in the meantime.** It is now {now_words}. Nothing of yours was saved."
