"""Technicians: who they are, where their day begins, what they can do and where they serve."""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from msgspec.structs import replace

from tracker.actions.catalog.editing import audited, check_seen, check_there, editing, optional
from tracker.actions.catalog.unkept import marking
from tracker.actions.house import House
from tracker.actions.people.accounts import close_sockets
from tracker.actions.people.customers import text
from tracker.actions.staff import only_staff
from tracker.actions.trip.gates import open_gate, regate
from tracker.domain import weekly
from tracker.domain.accounts import Actor
from tracker.domain.geo import Point, on_the_globe
from tracker.errors import BadInput, NotFound, StillAtWork
from tracker.live.control import Ask
from tracker.records import sessions, staffing, technicians
from tracker.records.database import Transaction, new_id
from tracker.records.staffing import Absence, Member
from tracker.roads.zones import zone_at

MOST_NAMED = 500
"""Skills or territories that one technician has."""
SHORT = {"title": 100, "vehicle": 100, "plate": 16, "phone": 32}
"""Characters of the texts that customers read."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A technician as staff see them: with the absences that are not over, and the visits that are promised from now on."""

    member: Member
    absences: list[Absence]
    promised: list[str]


async def find_technicians(house: House, actor: Actor, query: str = "", most: int = 100, after: str = "") -> list[Member]:
    """Technicians by name, active or not; those with ``query`` in it, behind the one with the id ``after``."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return await staffing.find(tx, query.strip()[:100], most, after)


async def technician(house: House, actor: Actor, technician: str) -> Posted:
    """One technician; `NotFound`."""
    only_staff(actor)
    now = house.clock()
    async with house.db.reading() as tx:
        found = there(await staffing.by_id(tx, technician))
        away = await staffing.absences_of(tx, technician, now)
        return Posted(found, away, await staffing.promised(tx, technician, now))


async def add_technician(house: House, actor: Actor, **said: Any) -> Member:
    """A new technician of the fields of `Member`. Without a zone it comes of the home base; without either `BadInput`."""
    only_staff(actor)
    zone = said.pop("zone", None) or await _zone_of(said)
    async with editing(house, actor) as tx:
        made = await _checked(tx, Member(id=new_id(), zone=zone, **said))
        await staffing.add(tx, made)
        await audited(tx, house, actor, "technician.added", None, made)
    return made


async def change_technician(house: House, actor: Actor, technician: str, seen: str | None = None, **said: Any) -> Member:
    """Change the named fields; their week too, if ``hours`` or ``breaks`` are among them.

    A technician is never removed, because visits and trips point at them: ``active=False`` ends what their phones and
    browsers may say and see, takes them from the map before this returns, and offers them no more. The visits they are
    promised to stay theirs until somebody hands them over.

    Errors: `StillAtWork`, `ChangedMeanwhile`, `BadInput`, `BadHours`, `NotFound`.
    """
    only_staff(actor)
    change = _Change(house, actor, technician, seen, said)
    try:
        async with editing(house, actor) as tx:
            await change.write(tx)
    except BaseException:
        if change.closed:
            await regate(house, technician)
        raise
    await open_gate(house, technician)  # other hours or another zone: what phones may say changes now
    for device in change.devices:
        await house.control.ask(Ask.REPLACE_DEVICE, device)
    await close_sockets(house, change.sessions)  # they may come back, and are judged anew
    return change.after


@dataclass
class _Change:
    house: House
    actor: Actor
    technician: str
    seen: str | None
    said: dict[str, Any]
    after: Member = None  # type: ignore[assignment]  # known once it was written
    closed: bool = False
    devices: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    async def write(self, tx: Transaction) -> None:
        locked = await technicians.locked(tx, self.technician)
        before = there(await staffing.by_id(tx, self.technician))
        check_seen(before, self.seen)
        self.after = await _checked(tx, replace(before, **self.said))
        if not await audited(tx, self.house, self.actor, "technician.changed", before, self.after):
            return
        async with marking(tx, self.house.clock(), [self.technician]):
            await staffing.replace(tx, self.after)
        if before.active and not self.after.active and locked is not None:
            await self._send_home(tx, locked)

    async def _send_home(self, tx: Transaction, locked: technicians.Technician) -> None:
        """Nothing of them is seen or stored from before the commit on, as when they pause."""
        if await staffing.under_way(tx, locked.id):
            raise StillAtWork
        self.devices = tuple([device.id for device in await technicians.devices_of(tx, locked.id)])
        self.sessions = tuple(await sessions.of_technician(tx, locked.id, self.house.clock()))
        gen = await technicians.next_gate(tx, locked)
        self.closed = True
        await self.house.positions.close(locked.id, None, gen, forget=True)


async def _checked(tx: Transaction, one: Member) -> Member:
    """As it is kept; `BadInput` for what cannot be."""
    if (one.home_lat is None) is not (one.home_lon is None):
        raise BadInput("A home base needs latitude and longitude.")
    if one.home_lat is not None and one.home_lon is not None and not on_the_globe(Point(one.home_lat, one.home_lon)):
        raise BadInput("The home base is off the globe.")
    if one.zone not in zones():
        raise BadInput(f"{one.zone[:64]!r} is no time zone. It reads like Europe/Helsinki.")
    if max(len(one.skills), len(one.territories)) > MOST_NAMED:
        raise BadInput(f"A technician has at most {MOST_NAMED} skills or territories.")
    await check_there(tx, "skills", one.skills, "skill")
    await check_there(tx, "territories", one.territories, "territory")
    return replace(
        one,
        name=text(one.name, "name"),
        skills=tuple(sorted(set(one.skills))),
        territories=tuple(sorted(set(one.territories))),
        hours=weekly.checked(one.hours, "working hours"),
        breaks=weekly.checked(one.breaks, "breaks"),
        **{name: optional(getattr(one, name), name, most) for name, most in SHORT.items()},
    )


async def _zone_of(said: dict[str, Any]) -> str:
    lat, lon = said.get("home_lat"), said.get("home_lon")
    if lat is None or lon is None or not on_the_globe(Point(lat, lon)):
        raise BadInput("Give the time zone of the working hours, or a home base that it comes of.")
    return await asyncio.to_thread(zone_at, Point(lat, lon))


@cache
def zones() -> frozenset[str]:
    """The names of all time zones: reading them takes a while."""
    return frozenset(available_timezones())


def there(found: Member | None) -> Member:
    """`NotFound` if there is none."""
    if found is None:
        raise NotFound("There is no technician with this id.")
    return found
