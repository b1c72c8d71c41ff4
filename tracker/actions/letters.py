"""Letters made readable: what stands in a row of the outbox, with its code or link made now from its id (N1, N3)."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.actions.house import House
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.codes import Purpose, code_of
from tracker.domain.letters import PAGES, Written, write
from tracker.records import appointments, customers, outbox, people
from tracker.records.database import Transaction
from tracker.records.outbox import Kind, Letter

_CODED = {Kind.INVITATION: Purpose.INVITATION, Kind.RESET: Purpose.RESET}


@dataclass(frozen=True, slots=True)
class Readable:
    """A letter as it would be sent. ``written`` None: of a kind this version has no words for."""

    letter: Letter
    written: Written | None


async def read_letters(house: House, actor: Actor, url: str, most: int = 50) -> list[Readable]:
    """The newest letters with their words; ``url`` is where people reach the service. Staff only: codes stand in them."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return [Readable(one, await written(tx, house, one, url)) for one in await outbox.latest(tx, most)]


async def written(tx: Transaction, house: House, letter: Letter, url: str) -> Written | None:
    """One letter in words, from what the database says now."""
    try:
        kind = Kind(letter.kind)
    except ValueError:
        return None
    facts = {"company": house.settings.now.company, "page": url + PAGES.get(kind, "/"), "name": await _name(tx, letter)}
    if purpose := _CODED.get(kind):
        code = code_of(house.secret, purpose, letter.message_id.split(".")[1])
        facts |= {"code": code, "link": f"{url}{PAGES[kind]}#{code}"}
    if "account" in letter.payload:
        account = await customers.account(tx, letter.payload["account"])
        facts["account"] = account.name if account else ""
    if letter.appointment_id:
        facts |= await _visit(tx, letter)
    try:
        return write(kind, facts)
    except KeyError:
        return None


async def _name(tx: Transaction, letter: Letter) -> str:
    """How the letter greets: the person of the address, else the contact it was written for."""
    person = await people.by_email(tx, letter.recipient)
    contact = await customers.contact(tx, letter.payload["contact"]) if "contact" in letter.payload else None
    known = person or contact
    return known.name if known else "there"


async def _visit(tx: Transaction, letter: Letter) -> dict[str, str]:
    found = await appointments.by_id(tx, letter.appointment_id or "")
    if found is None:
        return {}
    arrival = _moment(letter.payload.get("arrival_at")) or found.arrival_at
    local = arrival.astimezone(ZoneInfo(found.zone))
    when = f"{local:%a} {local.day} {local:%b %Y}, {local:%H:%M} ({local:%Z})"
    return {"service": found.service, "when": when, "address": found.address, "booking": found.booking_id}


def _moment(said: object) -> datetime | None:
    return datetime.fromisoformat(said) if isinstance(said, str) else None
