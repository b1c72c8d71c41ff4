"""Moving a visit to another time: the same form as for booking, the old time kept until the new one is saved (A3, A6, A9)."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.book import CUSTOMER, nearest_of
from portal_web.book_form import Answers, answers_of, new_key, pressed
from portal_web.book_view import Conflict, taken_words
from portal_web.booked import changed_words, seen_moment
from portal_web.chosen_view import chosen_of, moment, near_of
from portal_web.offers import offers_of
from portal_web.pages import Pages
from portal_web.sources import visit_of
from portal_web.times import zone_of
from portal_web.when_view import WEEK, Asked, strip_of, zone_shown
from tracker.actions.agenda import appointment_for
from tracker.actions.booking import booking, moving
from tracker.actions.booking.booking import Need, Times
from tracker.domain import changing
from tracker.errors import BadInput, IdempotencyMismatch, NotAllowed, SlotTaken, StepNotPossible, VersionMismatch
from tracker.records.appointments import Appointment
from tracker.web.guard import actor_of, door, house_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the page: the choices so far, and what happened to the last press."""

    answers: Answers
    status: int = 200
    taken: datetime | None = None
    why: str = ""  # the refusal's code: taken by somebody, over, too soon
    nearest: tuple[datetime, ...] = ()
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class ModifyDoors:
    """`/appointments/{id}/modify`."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """For customers."""
        at = "/appointments/{appointment}/modify"
        return [
            door(at, self.look, roles=CUSTOMER, name="modify"),
            door(at, self.press, roles=CUSTOMER, methods=("POST",), name="modify.post"),
        ]

    async def look(self, request: Request) -> Response:
        """The times that the visit can be moved to, or why it cannot be moved."""
        found = await self._found(request)
        answers = pressed(answers_of(request.query_params, found.account_id), request.query_params)
        return await self._page(request, found, Look(answers=answers))

    async def press(self, request: Request) -> Response:
        """One button of the form: other times, or save."""
        found, form = await self._found(request), await request.form()
        answers = pressed(answers_of(form, found.account_id), form)
        if "save" in form:
            return await self._save(request, found, answers, form)
        changed = self._changed(request, found, form)
        return await self._page(request, found, Look(answers=answers, notice=changed))

    async def _save(self, request: Request, found: Appointment, answers: Answers, form: FormData) -> Response:
        at, version = moment(str(form["save"])), str(form.get("version", ""))
        answers = replace(answers, at=at)
        if at is None or not version.isdecimal() or len(version) > 9:
            return await self._page(request, found, Look(answers=answers, status=422, notice="Choose a new time first."))
        try:
            await moving.move(house_of(request), actor_of(request), found.id, at, version=int(version), key=answers.key)
        except SlotTaken as lost:
            nearest = nearest_of(lost)
            best = min(nearest, key=lambda each: abs(each - at), default=None)
            answers = replace(answers, at=best, day=None)
            look = Look(answers=answers, status=409, taken=at, why=lost.code, nearest=nearest)
            return await self._page(request, await self._found(request), look)
        except VersionMismatch as refusal:
            return await self._second(request, answers, form, int(refusal.status))
        except (NotAllowed, StepNotPossible) as refusal:
            return await self._page(request, await self._found(request), Look(answers=answers, status=int(refusal.status)))
        except IdempotencyMismatch:
            return await self._second(request, replace(answers, key=new_key()), form, 422)
        except BadInput as refusal:
            look = Look(answers=replace(answers, at=None), status=422, notice=refusal.sentence)
            return await self._page(request, found, look)
        return RedirectResponse(f"/appointments/{found.id}/moved", 303)

    async def _second(self, request: Request, answers: Answers, form: FormData, status: int) -> Response:
        """Somebody changed it first: what it is now, and the own choice kept for another press."""
        found = await self._found(request)
        return await self._page(
            request, found, Look(answers=answers, status=status, notice=self._changed(request, found, form, always=True))
        )

    def _changed(self, request: Request, found: Appointment, form: FormData, *, always: bool = False) -> str | None:
        """The words for who looks at an older version than there is."""
        if not always and str(found.version) == form.get("version"):
            return None
        was = seen_moment(form.get("was"))
        now_words = chosen_of(found.arrival_at, found.zone, None).words
        return changed_words(found, was, now_words, chosen_of(was, found.zone, None).words if was else None)

    async def _found(self, request: Request) -> Appointment:
        return await appointment_for(house_of(request), actor_of(request), request.path_params["appointment"])

    async def _page(self, request: Request, found: Appointment, look: Look) -> Response:
        house, actor = house_of(request), actor_of(request)
        why = changing.modify_refusal(found.state, found.arrival_at, house.settings.now, house.clock())
        if why is not None:
            return refused(self.pages, request, found, "This visit can’t be moved", why, max(look.status, 200))
        notice, times = look.notice, None
        try:
            first = look.answers.first or look.answers.day or _week_of(found, house.clock())
            times = await booking.times(house, actor, need_of(found), first, moving=found.id)
        except BadInput as refusal:
            notice = notice or refusal.sentence
        context = self._context(request, found, replace(look, notice=notice), times)
        return self.pages.answer(request, "booking/modify.html", look.status, here="home", **context)

    def _context(self, request: Request, found: Appointment, look: Look, times: Times | None) -> dict[str, Any]:
        house, actor = house_of(request), actor_of(request)
        now, settings = house.clock(), house.settings.now
        at = look.answers.at if look.answers.at != found.arrival_at else None
        asked = Asked(look.answers.day, at, look.taken, own=found.arrival_at)
        today = now.astimezone(zone_of(found.zone)).date()
        strip = strip_of(times, asked, today, settings.horizon_days) if times else None
        return {
            "visit": visit_of(found, None, actor.signed),
            "version": found.version,
            "key": look.answers.key,
            "action": f"/appointments/{found.id}/modify",
            "zone_words": zone_shown(strip, found.zone, now),
            "strip": strip,
            "chosen": chosen_of(at, found.zone, actor.zone) if at and times else None,
            "now_is": chosen_of(found.arrival_at, found.zone, actor.zone),
            "conflict": (
                Conflict(taken_words(look.taken, found.zone, look.why), near_of(look.nearest, found.zone)) if look.taken else None
            ),
            "notice": look.notice,
            "offers": offers_of(found, settings, now),
            "cancel_words": changing.cancel_words(settings),
        }


def _week_of(found: Appointment, now: datetime) -> date:
    """The first day that is shown to who asked for none: today, or later, so that the visit's own day stands among the seven."""
    own, today = (one.astimezone(zone_of(found.zone)).date() for one in (found.arrival_at, now))
    return today if own < today + WEEK else own - timedelta(days=3)


def need_of(found: Appointment) -> Need:
    """What the appointment was booked for."""
    return Need(account=found.account_id, service_type=found.service_type_id, asset=found.asset_id)


def refused(pages: Pages, request: Request, found: Appointment, heading: str, sentence: str, status: int) -> Response:
    """A page that says why something cannot be done to this visit, and what it is now."""
    actor = actor_of(request)
    return pages.answer(
        request,
        "booking/refused.html",
        status,
        here="home",
        heading=heading,
        sentence=sentence,
        visit=visit_of(found, None, actor.signed),
        when=chosen_of(found.arrival_at, found.zone, actor.zone),
    )
