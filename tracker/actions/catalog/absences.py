"""When a technician is away: holidays, illness, training."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.actions.catalog.editing import audited, editing, optional
from tracker.actions.catalog.staffing import there
from tracker.actions.catalog.unkept import marking
from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.errors import AwayAlready, BadInput, NotFound
from tracker.records import staffing
from tracker.records.database import new_id
from tracker.records.staffing import Absence

LONGEST = timedelta(days=730)
MOST_REASON = 200


@dataclass(frozen=True, slots=True)
class Away:
    """An absence, and the visits that are promised within it: they stay until somebody moves them or hands them over."""

    absence: Absence
    promised: list[str]


async def add_absence(
    house: House, actor: Actor, technician: str, starts_at: datetime, ends_at: datetime, reason: str | None = None
) -> Away:
    """They are away from then until then; `BadInput` for a stretch that is none, is over, or lasts beyond two years.

    `AwayAlready` if another absence of theirs lies upon it: which of both ends it, and why, would be a guess.
    """
    if ends_at <= starts_at:
        raise BadInput("An absence ends after it begins.")
    if ends_at <= house.clock():
        raise BadInput("This absence is over already.")
    if ends_at - starts_at > LONGEST:
        raise BadInput("An absence lasts two years at most. Make the technician inactive instead.")
    why = optional(reason, "reason", MOST_REASON)
    made = Absence(id=new_id(), technician_id=technician, starts_at=starts_at, ends_at=ends_at, reason=why)
    async with editing(house, actor) as tx:
        member = there(await staffing.by_id(tx, technician))
        async with marking(tx, house.clock(), [technician]):  # their row is locked: no other absence comes between
            if (other := await staffing.away_then(tx, technician, starts_at, ends_at)) is not None:
                raise AwayAlready(_sentence(other, member.zone), absence=other.id)
            await staffing.add_absence(tx, made)
        await audited(tx, house, actor, "absence.added", None, made)
        return Away(made, await staffing.promised(tx, technician, starts_at, ends_at))


def _sentence(other: Absence, zone: str) -> str:
    """When they are away already, as their own clock shows it."""
    starts, ends = (f"{each.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for each in (other.starts_at, other.ends_at))
    return f"This technician is away from {starts} to {ends} already. Take that absence back first, or say another time."


async def remove_absence(house: House, actor: Actor, absence: str) -> None:
    """They are there after all; `NotFound`."""
    async with editing(house, actor) as tx:
        before = await staffing.absence(tx, absence)
        if before is None:
            raise NotFound("There is no absence with this id.")
        async with marking(tx, house.clock(), [before.technician_id]):
            if not await staffing.remove_absence(tx, absence):
                raise NotFound("There is no absence with this id.")
        await audited(tx, house, actor, "absence.removed", before, None)
