"""Who is booked out between two moments, as the database finds it, beside the same counted by hand; on both databases."""

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from sqlalchemy import insert

from tests.world import NOW, settle
from tracker.domain.cells import epoch_s
from tracker.records import openings
from tracker.records.database import Database
from tracker.records.schema import appointments, technicians

START, END = NOW, NOW + timedelta(hours=9)
LASTS = timedelta(minutes=60)


async def test_whoever_has_a_gap_is_never_said_to_be_booked_out_and_who_has_none_is(db: Database) -> None:
    world = await settle(db)
    rng = random.Random(7)
    days = {f"t{n:02}": visits(rng) for n in range(60)}
    days["t60"] = [(0, 240), (300, 540)]  # exactly the hour that is wanted
    days["t61"] = [(-30, 240), (299, 600)]  # a minute less; from before to after
    days["t62"] = [(480, 540), (60, 480)]  # the first hour is free
    days["t63"] = []
    rows = [
        {"id": f"{who}-{n}", "booking_id": f"{who}-{n}", "technician_id": who, "state": "scheduled", "version": 1}
        | {"account_id": world.account, "service_type_id": world.service, "duration_min": till - since, "address": "x"}
        | {"arrival_at": START + timedelta(minutes=since), "ends_at": START + timedelta(minutes=till), "created_at": NOW}
        | {"lat": 60.0, "lon": 24.0, "zone": "UTC", "source": "portal"}
        for who, day in days.items()
        for n, (since, till) in enumerate(day)
    ]
    who = [{"id": one, "name": one, "zone": "UTC", "active": True, "sharing": True, "gate_version": 0} for one in days]
    async with db.transaction() as tx:
        await tx.change(insert(technicians), who)
        await tx.change(insert(appointments), rows)
    span = epoch_s(START), epoch_s(END), int(LASTS.total_seconds())
    async with db.reading() as tx:
        full = await openings.full(tx, list(days), *span)
        assert full == {one for one, day in days.items() if longest(day) < 60}
        assert {"t60", "t61", "t62", "t63"} & full == {"t61"}
        assert 5 < len(full) < 55  # the random ones were of both kinds
        assert "t61" not in await openings.full(tx, list(days), *span, but=["t61-0"])
        assert await openings.full(tx, ["t63"], *span) == set()


def visits(rng: random.Random) -> list[tuple[int, int]]:
    """Visits of a day one behind the other, minutes from its start: close together, and not."""
    day, at = list[tuple[int, int]](), rng.choice([0, 0, 30, 90])
    while at < 540:
        lasts = rng.choice([30, 45, 90])
        day.append((at, at + lasts))
        at += lasts + rng.choice([0, 5, 15, 20, rng.choice([0, 70])])
    return day


def longest(day: Sequence[tuple[int, int]]) -> int:
    """The longest gap within the nine hours."""
    ordered = sorted((max(0, since), min(540, till)) for since, till in day if till > 0 and since < 540)
    ends = [(0, 0), *ordered, (540, 540)]
    return max(later[0] - earlier[1] for earlier, later in pairwise(ends))
