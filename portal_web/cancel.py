"""Canceling a visit: a page of its own that a script shows as a dialog; a reason is asked for, on the way twice (A4–A7)."""

from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.book import CUSTOMER
from portal_web.booked import changed_words, seen_moment
from portal_web.chosen_view import chosen_of
from portal_web.modify import refused
from portal_web.pages import Pages
from portal_web.sources import technician_of, visit_of
from tracker.actions import overview
from tracker.actions.agenda import appointment_for
from tracker.actions.trip.visits import MOST_REASON, Wish, take_step
from tracker.domain import changing
from tracker.domain.appointments import State, Step
from tracker.errors import NotAllowed, NotConfirmed, StepNotPossible, VersionMismatch
from tracker.records.appointments import Appointment
from tracker.web.guard import actor_of, door, house_of

NO_REASON = "Add a few words about why."
NOT_SURE = "Your technician is already on the way. Tick the box if you want to cancel all the same."
ON_THE_WAY_NOW = "**The technician has set off in the meantime.** Look again before you cancel."


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the page: what was written so far, and what stands against it."""

    reason: str = ""
    status: int = 200
    error: str | None = None
    error_at: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class CancelDoors:
    """`/appointments/{id}/cancel`."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """For customers."""
        at = "/appointments/{appointment}/cancel"
        return [
            door(at, self.look, roles=CUSTOMER, name="cancel"),
            door(at, self.press, roles=CUSTOMER, methods=("POST",), name="cancel.post"),
        ]

    async def look(self, request: Request) -> Response:
        """The question, or why it cannot be canceled."""
        return await self._page(request, await self._found(request), Look())

    async def press(self, request: Request) -> Response:
        """Cancel; then the past appointments, where it stands as canceled."""
        found, form = await self._found(request), await request.form()
        reason, sure = str(form.get("reason", "")).strip()[: 2 * MOST_REASON], form.get("sure") == "1"
        version = str(form.get("version", ""))
        if not 0 < len(reason) <= MOST_REASON:
            return await self._page(request, found, Look(reason=reason, status=422, error=NO_REASON, error_at="reason"))
        wish = Wish(
            step=Step.CANCEL,
            reason=reason,
            version=int(version) if version.isdecimal() and len(version) <= 9 else None,
            seen=State.TRAVELING if sure else None,
        )
        try:
            await take_step(house_of(request), actor_of(request), found.id, wish)
        except (VersionMismatch, NotConfirmed, NotAllowed, StepNotPossible) as refusal:
            return await self._again(request, form, reason, refusal)
        return RedirectResponse(f"/past?canceled={found.id}", 303)

    async def _again(
        self,
        request: Request,
        form: FormData,
        reason: str,
        refusal: VersionMismatch | NotConfirmed | NotAllowed | StepNotPossible,
    ) -> Response:
        """The question once more, with what is different now."""
        found, status = await self._found(request), int(refusal.status)
        if found.state is State.TRAVELING and form.get("state") != State.TRAVELING:
            return await self._page(request, found, Look(reason=reason, status=status, notice=ON_THE_WAY_NOW))
        if isinstance(refusal, NotConfirmed):
            return await self._page(request, found, Look(reason=reason, status=status, error=NOT_SURE, error_at="sure"))
        was = seen_moment(form.get("was"))
        words = chosen_of(found.arrival_at, found.zone, None).words
        before = chosen_of(was, found.zone, None).words if was else None
        return await self._page(
            request, found, Look(reason=reason, status=status, notice=changed_words(found, was, words, before))
        )

    async def _found(self, request: Request) -> Appointment:
        return await appointment_for(house_of(request), actor_of(request), request.path_params["appointment"])

    async def _page(self, request: Request, found: Appointment, look: Look) -> Response:
        house, actor = house_of(request), actor_of(request)
        why = changing.cancel_refusal(found.state, found.arrival_at, house.settings.now, house.clock())
        if why is not None:
            return refused(self.pages, request, found, "This visit can’t be canceled", why, look.status)
        row = await overview.technician_of(house, found.technician_id) if found.technician_id else None
        return self.pages.answer(
            request,
            "booking/cancel.html",
            look.status,
            here="home",
            visit=visit_of(found, technician_of(row, phone=False), actor.signed),
            version=found.version,
            when=chosen_of(found.arrival_at, found.zone, actor.zone),
            traveling=found.state is State.TRAVELING,
            reason=look.reason,
            error=look.error,
            error_at=look.error_at,
            notice=look.notice,
        )
