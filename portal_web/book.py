"""Booking a visit: one page of numbered sections that is a plain form (B1–B3, B8, B9, B11, B13)."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.book_form import Answers, answers_of, new_key, pressed
from portal_web.book_view import Found, book_context
from portal_web.chosen_view import moment
from portal_web.pages import Pages
from portal_web.times import clock, zone_of
from tracker.actions.booking import booking, holding
from tracker.actions.booking.booking import Choices, Need, Times
from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import BadInput, HoldExtended, HoldOver, IdempotencyMismatch, SlotTaken
from tracker.records.holds import Hold
from tracker.web.guard import actor_of, door, house_of

CUSTOMER = frozenset({Role.CUSTOMER})
BOOKED_BEFORE = "This form has booked a visit before, with other answers. **Book again only if you want a second one.**"


@dataclass(frozen=True, slots=True)
class BookDoors:
    """`/book`: looking changes nothing; each button of the form is a POST that keeps every answer."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """For customers."""
        return [
            door("/book", self.look, roles=CUSTOMER, name="book"),
            door("/book", self.press, roles=CUSTOMER, methods=("POST",), name="book.post"),
        ]

    async def look(self, request: Request) -> Response:
        """The page with the choices of its address."""
        actor = actor_of(request)
        if not actor.accounts:
            return self.pages.answer(request, "booking/no_account.html", here="book")
        return await self._page(request, answers_of(request.query_params, actor.account))

    async def press(self, request: Request) -> Response:
        """One button of the form: book, hold, or look at other times."""
        form = await request.form()
        answers = pressed(answers_of(form, actor_of(request).account), form)
        if "book" in form:
            return await self._book(request, answers, form)
        if "extend" in form:
            return await self._extend(request, answers)
        return await self._hold(request, answers, chosen="to_at" in form)

    async def _book(self, request: Request, answers: Answers, form: FormData) -> Response:
        at = moment(str(form["book"]))
        if at is None or answers.service is None:
            return await self._page(request, answers, 422, notice="Choose a service and a time first.")
        answers = replace(answers, at=at)
        house, actor = house_of(request), actor_of(request)
        try:
            booked = await booking.book(house, actor, need_of(answers), at, key=answers.key)
        except SlotTaken as lost:
            return await self._lost(request, answers, at, lost)
        except IdempotencyMismatch:
            return await self._page(request, replace(answers, key=new_key()), 422, notice=BOOKED_BEFORE)
        except BadInput as refusal:  # also NoAddress and NotBookable
            return await self._page(request, replace(answers, at=None), 422, notice=refusal.sentence)
        return RedirectResponse(f"/appointments/{booked.id}/booked", 303)

    async def _hold(self, request: Request, answers: Answers, *, chosen: bool) -> Response:
        """Keep the chosen time for this reader; also when another choice has made it a time for something else."""
        house, actor = house_of(request), actor_of(request)
        if answers.at is None or answers.service is None:
            return await self._page(request, answers)
        held = await holding.held(house, actor)
        if not chosen and (held is None or _is_for(held, answers, await _choices(house, actor, answers))):
            return await self._page(request, answers)
        try:
            await holding.hold(house, actor, need_of(answers), answers.at)
        except SlotTaken as lost:
            if chosen:
                return await self._lost(request, answers, answers.at, lost)
            return await self._not_for_this(request, answers)
        except BadInput as refusal:
            return await self._page(request, replace(answers, at=None), 422, notice=refusal.sentence)
        return await self._page(request, answers)

    async def _not_for_this(self, request: Request, answers: Answers) -> Response:
        """The time was chosen for another service or place, and is not free for this one."""
        notice = "The time you chose is not free for this. **Choose another time.** Your other answers are kept."
        return await self._page(request, replace(answers, at=None), notice=notice)

    async def _extend(self, request: Request, answers: Answers) -> Response:
        try:
            await holding.extend_hold(house_of(request), actor_of(request))
        except HoldOver:
            return await self._page(
                request, answers, notice="Your hold has ended. The time may still be free: **choose it again.**"
            )
        except HoldExtended as refusal:  # pressed twice, or in two tabs: it is shown with the time it has left
            return await self._page(request, answers, notice=refusal.sentence)
        return await self._page(request, answers)

    async def _lost(self, request: Request, answers: Answers, taken: datetime, lost: SlotTaken) -> Response:
        """Somebody was faster: the nearest times, and nothing else lost."""
        nearest = nearest_of(lost)
        best = min(nearest, key=lambda at: abs(at - taken), default=None)
        answers = replace(answers, at=best, day=None)
        return await self._page(request, answers, 409, taken=taken, why=lost.code, nearest=nearest)

    async def _page(
        self,
        request: Request,
        answers: Answers,
        status: int = 200,
        *,
        taken: datetime | None = None,
        why: str = "",
        nearest: tuple[datetime, ...] = (),
        notice: str | None = None,
    ) -> Response:
        house, actor = house_of(request), actor_of(request)
        choices = await _choices(house, actor, answers)
        answers = _possible(answers, choices)
        times, refusal = await _times(house, actor, answers, choices)
        hold = await _own_hold(house, actor, answers, choices)
        answers, unfree = _still_free(answers, times, hold)
        found = Found(
            answers=answers,
            choices=choices,
            times=times,
            hold=hold,
            taken=taken,
            why=why,
            nearest=nearest,
            notice=notice or refusal or unfree,
        )
        context = book_context(found, house.settings.now, actor.zone, house.clock())
        own = next((one.name for one in actor.own if one.id == answers.account), "") if len(actor.own) > 1 else ""
        return self.pages.answer(request, "booking/book.html", status, here="book", action="/book", account_name=own, **context)


def need_of(answers: Answers) -> Need:
    """What is to be booked, of answers with a service."""
    assert answers.service is not None  # noqa: S101 -- asked for before
    return Need(account=answers.account, service_type=answers.service, asset=answers.asset, details=answers.details or None)


def nearest_of(lost: SlotTaken) -> tuple[datetime, ...]:
    """The free times that a refusal names."""
    named = lost.details.get("nearest")
    return tuple(datetime.fromisoformat(each) for each in named) if isinstance(named, list) else ()


async def _choices(house: House, actor: Actor, answers: Answers) -> Choices:
    """What can be chosen; an asset that is no longer there (an old address) counts as none."""
    found = await booking.choices(house, actor, answers.account)
    if answers.asset and any(one.id == answers.asset for one in found.assets):
        return await booking.choices(house, actor, answers.account, answers.asset)
    return found


def _possible(answers: Answers, choices: Choices) -> Answers:
    """The answers without what cannot be chosen (any more); the only service is chosen already."""
    asset = answers.asset if any(one.id == answers.asset for one in choices.assets) else None
    service = next((one.id for one in choices.services if one.id == answers.service), None)
    only = choices.services[0].id if len(choices.services) == 1 else None
    return replace(answers, asset=asset, service=service or only)


async def _times(house: House, actor: Actor, answers: Answers, choices: Choices) -> tuple[Times | None, str | None]:
    """The times of the week, or why there are none to choose."""
    if answers.service is None or choices.place is None:
        return None, None
    try:
        return await booking.times(house, actor, need_of(answers), _first(answers)), None
    except BadInput as refusal:
        return None, refusal.sentence


def _first(answers: Answers) -> date | None:
    return answers.first or answers.day


async def _own_hold(house: House, actor: Actor, answers: Answers, choices: Choices) -> Hold | None:
    """The reader's hold, if it is for what stands on the page."""
    hold = await holding.held(house, actor)
    return hold if hold and hold.arrival_at == answers.at and _is_for(hold, answers, choices) else None


def _is_for(hold: Hold, answers: Answers, choices: Choices) -> bool:
    """Whether a hold is for this service at this place."""
    place = choices.place.point if choices.place else None
    return (hold.account_id, hold.service_type_id, hold.place) == (answers.account, answers.service, place)


def _still_free(answers: Answers, times: Times | None, hold: Hold | None) -> tuple[Answers, str | None]:
    """The answers without a time that the week shown has no more, and the words for it."""
    at = answers.at
    if at is None or times is None or hold is not None:
        return answers, None
    offered = {offer.arrival_at for day in times.days for offer in day.offers}
    shown = times.days and times.days[0].day <= at.astimezone(zone_of(times.zone)).date() <= times.days[-1].day
    if at in offered or not shown:
        return answers, None
    words = f"{clock(at, times.zone)} is not free any more. **Choose another time.** Your other answers are kept."
    return replace(answers, at=None), words
