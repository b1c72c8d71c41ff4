"""The promises of technicians as their diaries need them: what is booked and held, and where they were before."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, cast, null, or_, select, text, union_all

from tracker.domain.appointments import State
from tracker.domain.cells import epoch_s, moment
from tracker.domain.diaries import Promise
from tracker.domain.geo import Point
from tracker.records.database import Transaction
from tracker.records.prepared import Prepared, Values
from tracker.records.promises import LIVE, REACH
from tracker.records.schema import Instant, appointments, holds


async def of_technicians(
    tx: Transaction, technicians: Collection[str], start: int, end: int, now: datetime, *, but: Collection[str] = ()
) -> dict[str, list[Promise]]:
    """What these technicians have promised between two moments (seconds since the epoch), and where they were before.

    ``but``: ids of appointments and holds that are to count as not there. Holds that have ended do not count.
    """
    return answered(await tx.tuples(*asked(technicians, start, end, now)), technicians, now, but)[0]


def asked(technicians: Collection[str], start: int, end: int, now: datetime) -> tuple[Prepared, Values]:
    """The question of `of_technicians`."""
    since, until = moment(start) - REACH, moment(end) + REACH
    return _STORIES, {"technicians": list(technicians), "since": since, "until": until, "now": now}


def answered(
    rows: Sequence[tuple[Any, ...]], technicians: Collection[str], now: datetime, but: Collection[str]
) -> tuple[dict[str, list[Promise]], list[str]]:
    """What was answered, and the ids of holds that have ended."""
    found: dict[str, list[Promise]] = {technician: [] for technician in technicians}
    ended: list[str] = []
    for technician, *row in rows:
        if row[1] == _ENDED:
            ended.append(row[0])
        elif row[0] not in but:
            found[technician].append(promise_of(*row, now=now))
    return found, ended


_STORY = (
    *("technician_id", "id", "state", "arrival_at", "ends_at", "lat", "lon"),
    *("travel_s", "traveling_at", "started_at", "completed_at"),
)
_HELD, _ENDED = "held", "ended"
"""What stands for the state of a hold."""


_UNDER_WAY = text("appointments.state IN ('traveling', 'in_progress')")
"""In the words of the index that answers it."""


def _stories() -> Prepared:
    """Appointments that are or were, those under way whatever day they were promised for, and holds, as one statement."""
    a, h = appointments.c, holds.c
    technicians: Any = bindparam("technicians", expanding=True)
    since, until, now = (bindparam(name, type_=Instant) for name in ("since", "until", "now"))
    visits = (
        a.technician_id.in_(technicians) & a.arrival_at.between(since, until) & or_(a.state.in_(LIVE), a.started_at.is_not(None))
    )
    elsewhen = a.technician_id.in_(technicians) & ~a.arrival_at.between(since, until) & _UNDER_WAY
    held = h.technician_id.in_(technicians) & h.arrival_at.between(since, until)
    state = case((h.expires_at > now, _HELD), else_=_ENDED)
    columns = [h.technician_id, h.id, state, h.arrival_at, h.ends_at, h.lat, h.lon, h.travel_s]
    never = [cast(null(), Instant) for _ in range(3)]
    story = select(*(a[name] for name in _STORY))
    parts = story.where(visits), story.where(elsewhen), select(*columns, *never).where(held)
    return Prepared(union_all(*parts), lists=("technicians",))


_STORIES = _stories()


def promise_of(
    id: str,
    state: str,
    arrival_at: datetime,
    ends_at: datetime,
    lat: float,
    lon: float,
    travel_s: int | None,
    traveling_at: datetime | None,
    started_at: datetime | None,
    completed_at: datetime | None,
    *,
    now: datetime,
) -> Promise:
    """A stretch. One under way lasts at least until now, and nothing can be put before it any more."""
    place, arrival = Point(lat, lon), epoch_s(arrival_at)
    if state in (State.SCHEDULED, _HELD):
        return Promise(id, arrival - (travel_s or 0), arrival, epoch_s(ends_at), place, hold=state == _HELD)
    if state in LIVE:
        began = epoch_s((started_at if state == State.IN_PROGRESS else traveling_at) or arrival_at)
        return Promise(id, began, began, epoch_s(max(ends_at, now)), place, mendable=False)
    began = epoch_s(started_at or arrival_at)
    over = max(began, epoch_s(completed_at or started_at or arrival_at))
    return Promise(id, began, began, over, place, mendable=False)
