"""Letters about a visit: each says what is so when it is sent, and is dropped if that is not what it was written for."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tracker.actions.house import House
from tracker.actions.letters.calendar import calendar_of
from tracker.actions.letters.carried_links import Carried, carried
from tracker.actions.trip.looks import look
from tracker.domain import letters_of_visits as letters
from tracker.domain import letters_on_the_day as on_the_day
from tracker.domain.appointments import State
from tracker.domain.calendar import Method
from tracker.domain.changing import modify_refusal
from tracker.domain.letter_kinds import Kind
from tracker.domain.letters import Sender, Words
from tracker.domain.letters_of_visits import Visit
from tracker.domain.letters_on_the_day import Expected
from tracker.post.message import Calendar
from tracker.records import appointments, customers, outbox, technicians
from tracker.records.appointments import Appointment
from tracker.records.outbox import Letter

CALENDAR = {Kind.CONFIRMATION: Method.REQUEST, Kind.RESCHEDULED: Method.REQUEST, Kind.CANCELED: Method.CANCEL}
"""Which letters carry a calendar part (N4)."""

UNLINKED = frozenset({Kind.CANCELED, Kind.NOT_DONE})
"""Letters whose button leads elsewhere."""

MINUTE = timedelta(minutes=1)


async def compose(
    house: House, letter: Letter, appointment: str, sender: Sender, now: datetime
) -> tuple[Words, str, Calendar | None, Carried | None] | None:
    """Words, the recipient's name, calendar part and the link it carries; None if what happened since has overtaken it."""
    async with house.db.reading() as tx:
        found = await appointments.by_id(tx, appointment)
        contact = await customers.contact(tx, found.contact_id) if found and found.contact_id else None
        technician = await technicians.by_id(tx, found.technician_id) if found and found.technician_id else None
        theirs = contact if contact and contact.email == letter.recipient else None  # it was somebody else's when it was written
        link = await carried(tx, house.secret, found, theirs, sender.url, now) if found else None
    kind = Kind(letter.kind)
    if theirs is not None and theirs.ended_at is not None:
        return None  # nothing of the account is theirs any more
    if kind is Kind.LINK and theirs is None:
        return None  # it was asked for with a link of somebody else's by now
    if kind is Kind.TAKEN_BACK and not await _may_be_read(house, letter.payload["letter"]):
        return None  # what it takes back never went out
    if found is None or not _STILL[kind](found, letter, now):
        return None
    name = contact.name if contact else ""
    vehicle = ", ".join(filter(None, (technician.vehicle, technician.plate))) if technician else ""
    link = None if kind in UNLINKED else link
    visit = _visit(found, technician.name if technician else "", vehicle, link.address if link else "")
    words = await _words(house, kind, found, visit, letter, sender, now)
    return words, name, _calendar(house, kind, found, sender, letter, now), link


async def _may_be_read(house: House, letter: str) -> bool:
    """Whether a letter went out, or may have: a worker handed it in and died before it noted the answer."""
    async with house.db.reading() as tx:
        found = await outbox.by_id(tx, letter)
    return found is not None and (found.sent_at is not None or found.unsure)


def _visit(found: Appointment, technician: str, vehicle: str, link: str) -> Visit:
    return Visit(
        id=found.id,
        booking_id=found.booking_id,
        service=found.service,
        duration_min=found.duration_min,
        address=found.address,
        zone=found.zone,
        arrival_at=found.arrival_at,
        in_portal=found.source == "portal",
        technician=technician,
        vehicle=vehicle,
        link=link,
    )


async def _words(
    house: House, kind: Kind, found: Appointment, visit: Visit, letter: Letter, sender: Sender, now: datetime
) -> Words:
    match kind:
        case Kind.RESCHEDULED:
            return letters.rescheduled(sender, visit, datetime.fromisoformat(letter.payload["was"]))
        case Kind.TAKEN_BACK:
            return on_the_day.taken_back(sender, visit, State(letter.payload["was"]))
        case Kind.REMINDER:
            return letters.reminder(sender, visit, now)
        case Kind.CANCELED:
            return letters.canceled(sender, visit, found.cancel_reason or "")
        case Kind.TRAVELING:
            return on_the_day.traveling(sender, visit, found.since, await _expected(house, found, now))
        case Kind.DELAY:
            low, high = (datetime.fromisoformat(letter.payload[name]) for name in ("low", "high"))
            can_move = modify_refusal(found.state, found.arrival_at, house.settings.now, now) is None
            return on_the_day.delay(sender, visit, Expected(low, high, letter.created_at), can_move=can_move)
        case Kind.ARRIVING:
            return on_the_day.arriving(sender, visit, letter.created_at)
        case Kind.COMPLETED:
            return on_the_day.completed(sender, visit, found.started_at, found.since, asks=house.settings.now.surveys)
        case Kind.NOT_DONE:
            return on_the_day.not_done(sender, visit, found.outcome or "")
    return _PLAIN[kind](sender, visit)


_PLAIN = {Kind.CONFIRMATION: letters.confirmation, Kind.LINK: letters.new_link}
"""Letters that say nothing but what the visit is."""


async def _expected(house: House, found: Appointment, now: datetime) -> Expected:
    """The arrival as the customer's page says it at this moment: under the same rules, coarse while the origin is hidden."""
    view = await look(house, found.id, found.technician_id, now)
    low, high = (datetime.fromisoformat(view.eta[name]) if view.eta else found.arrival_at for name in ("low", "high"))
    whole = low.replace(second=0, microsecond=0)
    return Expected(max(whole, now.replace(second=0, microsecond=0)), _up(max(high, now)), now)


def _up(at: datetime) -> datetime:
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + MINUTE


def _calendar(house: House, kind: Kind, found: Appointment, sender: Sender, letter: Letter, now: datetime) -> Calendar | None:
    if kind not in CALENDAR:
        return None
    method = CALENDAR[kind]
    people = (house.post.sender, letter.recipient) if house.post else None
    settings, tongue = house.settings.now, sender.tongue
    return Calendar(calendar_of(found, sender.url, settings, now, method=method, people=people, tongue=tongue), method.value)


def _arrival(letter: Letter) -> datetime | None:
    said = letter.payload.get("arrival_at")
    return datetime.fromisoformat(said) if said else None


def _planned(found: Appointment, _letter: Letter, now: datetime) -> bool:
    return found.state is State.SCHEDULED and now < found.ends_at


def _as_written(found: Appointment, letter: Letter, now: datetime) -> bool:
    """Still scheduled, for the time that the letter was written about: after a further move that move's letter counts."""
    return _planned(found, letter, now) and found.arrival_at == _arrival(letter)


def _ahead(found: Appointment, letter: Letter, now: datetime) -> bool:
    return _as_written(found, letter, now) and now < found.arrival_at


_BACK_IN = {State.TRAVELING: State.SCHEDULED, State.COMPLETED: State.IN_PROGRESS}
"""Where a step leads back to that a letter told of: anything else by now has a letter of its own."""
_STILL: dict[Kind, Callable[[Appointment, Letter, datetime], bool]] = {
    Kind.CONFIRMATION: lambda found, _letter, now: found.state is not State.CANCELED and now < found.ends_at,
    Kind.RESCHEDULED: _as_written,
    Kind.REMINDER: _ahead,
    Kind.CANCELED: lambda found, _letter, _now: found.state is State.CANCELED and found.outcome is None,
    Kind.NOT_DONE: lambda found, _letter, _now: found.state is State.CANCELED and found.outcome is not None,
    Kind.TRAVELING: lambda found, letter, _now: found.state is State.TRAVELING and found.leg_id == letter.payload.get("leg"),
    Kind.DELAY: _as_written,
    Kind.TAKEN_BACK: lambda found, letter, _now: found.state is _BACK_IN[State(letter.payload["was"])],
    Kind.LINK: lambda _found, _letter, _now: True,
    Kind.ARRIVING: lambda found, letter, _now: found.state is State.TRAVELING and found.leg_id == letter.payload.get("leg"),
    Kind.COMPLETED: lambda found, letter, _now: (
        found.state is State.COMPLETED and found.since.isoformat() == letter.payload.get("completed_at")
    ),
}
