"""S11 to S13: a slot search in a large company beside a small one, beside its matrix call; bookings beside bare inserts.

usage: python -m tests.benchmarks --only S11 S12 S13
"""

import asyncio
import itertools
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert, select

from tests.benchmarks.results import Result, Size, by_turns, ratios
from tests.benchmarks.trips import EXTRACT, router_on
from tests.bookable import OFFICE_HOURS, PLACE, ZONE
from tracker.actions.booking.booking import Need, book, times
from tracker.actions.booking.travel import TravelMemory
from tracker.actions.house import House, close, furnish
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.geo import Point, distance_m, moved
from tracker.errors import SlotTaken
from tracker.records import settings as settings_records
from tracker.records.database import Database, new_id
from tracker.records.migrations import migrate
from tracker.records.schema import appointments, events, idempotency, outbox, promised_cells
from tracker.roads.build import read_bounds
from tracker.roads.fallback import FallbackRouter
from tracker.roads.router import Hop, Router
from tracker.roads.valhalla import ValhallaRouter

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
"""A Monday, before office hours."""
DAYS = 14
SEARCHES = 6
DENSITY_KM2 = 0.25
"""Technicians on a square kilometre: a hundred in a city of twenty by twenty."""
CLIENTS = 32
DESK = Actor(Role.DISPATCHER, person="desk")


@dataclass(slots=True)
class Company:
    """A company on its own database, and places where somebody wants a visit."""

    house: House
    needs: Sequence[Need]


@asynccontextmanager
async def company(
    technicians: int, each: int, router: Router | None = None, places: Sequence[Point] = ()
) -> AsyncIterator[Company]:
    """Technicians with ``each`` appointments over fifty days (twenty-five of them to come), spread evenly or over ``places``."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tracker.db"
        db = Database(f"sqlite:///{file}")
        await migrate(db)
        side_m = 1000 * (technicians / DENSITY_KM2) ** 0.5
        needs = _filled(file, technicians, each, side_m, places)
        house = furnish(db, "redis://localhost:1/0", FallbackRouter(router), b"s" * 32, lambda: NOW)
        house.settings._settings = settings_records.checked({"horizon_days": 365})
        yield Company(house, needs)
        await close(house)
        await db.close()


def _filled(file: Path, technicians: int, each: int, side_m: float, places: Sequence[Point]) -> list[Need]:
    """Rows by the million, so past SQLAlchemy: what a company has after years."""
    rng = random.Random(11)

    def somewhere(reach_m: float) -> Point:
        if places:
            return rng.choice(places)
        half = reach_m / 2
        return moved(moved(PLACE, 90, rng.uniform(-half, half)), 0, rng.uniform(-half, half))

    with sqlite3.connect(file) as sql:
        sql.execute("PRAGMA synchronous=OFF")
        sql.execute("INSERT INTO service_types (id, name, duration_min) VALUES ('s', 'Service', 60)")
        homes = [(f"t{n:06}", somewhere(side_m)) for n in range(technicians)]
        sql.executemany(_TECHNICIAN, [(one, one, home.lat, home.lon, ZONE) for one, home in homes])
        hours = [(row.weekday, row.starts, row.ends) for row in OFFICE_HOURS]
        worked = [(one, *row) for (one, _), row in itertools.product(homes, hours)]
        sql.executemany("INSERT INTO technician_hours VALUES (?,?,?,?)", worked)
        spots = [somewhere(min(side_m, 10_000)) for _ in range(40)]
        sql.executemany(
            "INSERT INTO accounts (id, name, active, address, lat, lon, zone, created_at) VALUES (?,?,1,'Street 1',?,?,?,?)",
            [(f"a{n}", "Account", spot.lat, spot.lon, ZONE, _text(NOW)) for n, spot in enumerate(spots)],
        )
        for number, (technician, home) in enumerate(homes):
            sql.executemany(_VISIT, _visits(rng, number, technician, home, each, places))
        sql.execute("ANALYZE")
    return [Need(account=f"a{n}", service_type="s") for n in range(len(spots))]


_TECHNICIAN = """INSERT INTO technicians
    (id, name, home_lat, home_lon, zone, active, sharing, gate_version) VALUES (?,?,?,?,?,1,1,0)"""
_VISIT = """INSERT INTO appointments (id, booking_id, account_id, technician_id, service_type_id, state, version, arrival_at,
    ends_at, duration_min, address, lat, lon, zone, source, created_at, travel_s)
    VALUES (?,?,'a0',?,'s',?,1,?,?,60,'Street 1',?,?,?,'portal',?,1200)"""


def _visits(
    rng: random.Random, number: int, technician: str, home: Point, each: int, places: Sequence[Point]
) -> list[tuple[Any, ...]]:
    """So many visits within ten kilometres of home, spread over the hours of the days round now."""
    rows = []
    per_day = max(1, each // 50)
    for count in range(each):
        day, slot = divmod(count, per_day)
        hours = 8 / per_day * (slot + rng.uniform(0, 0.6))
        arrival = NOW + timedelta(days=day - each // per_day // 2, minutes=5 * round(12 * hours))
        place = rng.choice(places) if places else moved(home, rng.uniform(0, 360), rng.uniform(0, 10_000))
        state = "completed" if arrival < NOW else "scheduled"
        name, times_ = f"{number:06}-{count:04}", (_text(arrival), _text(arrival + timedelta(hours=1)))
        rows.append((name, name, technician, state, *times_, place.lat, place.lon, ZONE, _text(NOW)))
    return rows


def _text(moment: datetime) -> str:
    """As SQLAlchemy writes it into SQLite."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


# -- S11 ---------------------------------------------------------------------------------------------------------------


async def growth_of_search(size: Size) -> list[Result]:
    """S11: CPU of a search over fourteen days in a company a hundred times as large, the travel memory empty each time."""
    few, many = size.bookable
    async with company(few, 100) as small, company(many, 100) as large:
        for one in (small, large):
            await searches(one)
        figures = await by_turns(size.pairs, lambda: searches(large), lambda: searches(small))
    said = [f"{1000 * sorted(part)[len(part) // 2]:.1f} ms CPU" for part in figures]
    note = f"{many:,} technicians and {many * 100:,} appointments beside {few:,} and {few * 100:,}, same density; {DAYS} days"
    return [Result("S11", "slot search, large / small company", ratios(*figures), 3.0, "less", said[0], said[1], note)]


async def searches(where: Company) -> float:
    """CPU seconds of one search (mean of a few at different places)."""
    began = time.process_time()
    for need in where.needs[:SEARCHES]:
        where.house.travels = TravelMemory()
        found = await times(where.house, DESK, need, NOW.date(), DAYS)
        assert any(day.offers for day in found.days)
    return (time.process_time() - began) / SEARCHES


# -- S12 ---------------------------------------------------------------------------------------------------------------


class Recording:
    """The road router, noting what it was asked."""

    def __init__(self, router: ValhallaRouter) -> None:
        self.router, self.name, self.asked = router, router.name, list[tuple[list[Point], list[Point]]]()

    @property
    def ready(self) -> bool:
        return self.router.ready

    async def matrix(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        self.asked.append((list(sources), list(targets)))
        return await self.router.matrix(sources, targets)

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Any:
        return await self.router.route(start, end, heading=heading)

    async def close(self) -> None:
        await self.router.close()


async def search_beside_its_matrix(size: Size) -> list[Result]:
    """S12: wall time of a search with nothing remembered / the same matrix calls alone, on the real router."""
    async with router_on(EXTRACT) as server:
        road = Recording(ValhallaRouter(lambda: server.url))
        spots = await _spots(road.router)
        async with company(size.bookable[0], 100, road, spots) as where:
            await searched(where, 0)
            figures: list[list[float]] = [[], []]
            for number in range(size.pairs * 4):
                road.asked.clear()
                figures[0].append(await searched(where, number))
                figures[1].append(await asked_alone(road))
        pairs = sum(len(a) * len(b) for a, b in road.asked)
        await road.close()
    said = [f"{1000 * sorted(part)[len(part) // 2]:.1f} ms" for part in figures]
    note = f"{size.bookable[0]} technicians, {DAYS} days; {pairs} ways in {len(road.asked)} calls the last time"
    return [Result("S12", "slot search / its road matrix", ratios(*figures), 2.0, "less", said[0], said[1], note)]


async def _spots(road: ValhallaRouter) -> list[Point]:
    """Places well inside the extract that roads lead to and from (at its edge some are cut off)."""
    rng = random.Random(12)
    west, south, east, north = read_bounds(EXTRACT)
    middle = Point((south + north) / 2, (west + east) / 2)
    across = distance_m(Point(middle.lat, west), Point(middle.lat, east))
    reach = 0.4 * min(distance_m(Point(south, middle.lon), Point(north, middle.lon)), across)
    found = [moved(middle, rng.uniform(0, 360), rng.uniform(0, reach)) for _ in range(400)]
    there, back = await road.matrix([middle], found), await road.matrix(found, [middle])
    return [spot for n, spot in enumerate(found) if there[0][n] and back[n][0]]


async def searched(where: Company, number: int) -> float:
    where.house.travels = TravelMemory()
    began = time.perf_counter()
    found = await times(where.house, DESK, where.needs[number % len(where.needs)], NOW.date(), DAYS)
    taken = time.perf_counter() - began
    assert found.source == "road", found.source
    return taken


async def asked_alone(road: Recording) -> float:
    began = time.perf_counter()
    for sources, targets in list(road.asked):
        await road.router.matrix(sources, targets)
    return time.perf_counter() - began


# -- S13 ---------------------------------------------------------------------------------------------------------------


async def bookings(size: Size) -> list[Result]:
    """S13: bookings a second, many clients who all want the nearest technician / transactions that insert the same rows."""
    async with company(20, 0) as where, company(20, 0) as bare:
        days = _office_days()
        rows = await _rows_of_one(where)
        await booked(where, next(days))
        await inserted(bare, rows)
        figures = await by_turns(size.pairs, lambda: booked(where, next(days)), lambda: inserted(bare, rows))
    said = [f"{sorted(part)[len(part) // 2]:.0f} a second" for part in figures]
    note = (
        f"{CLIENTS} clients, 20 technicians, SQLite; bare: appointment, {len(rows['cells'])} cells, event, key, {CLIENTS} at once"
    )
    return [Result("S13", "bookings / bare inserts of the same rows", ratios(*figures), 0.5, "more", said[0], said[1], note)]


def _office_days() -> Iterator[datetime]:
    """The first time of one working day after another: nobody finds a day that is full already."""
    days = (datetime(2026, 11, 23, 7, tzinfo=UTC) + timedelta(days=n) for n in itertools.count(1))
    return (day for day in days if day.weekday() < 5)


async def booked(where: Company, first: datetime) -> float:
    """Bookings a second: everybody wants one of four times of a day, twenty technicians can come to each."""
    wishes = iter([first + timedelta(hours=1.5 * slot) for slot in range(4) for _ in range(20)])
    done = 0

    async def client(number: int) -> None:
        nonlocal done
        for wish in wishes:
            try:
                await book(where.house, DESK, where.needs[number % len(where.needs)], wish, key=new_id())
                done += 1
            except SlotTaken:
                continue

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    assert done > 70, done
    return done / (time.perf_counter() - began)


async def _rows_of_one(where: Company) -> dict[str, Any]:
    """What one booking leaves, to be inserted again and again."""
    made = await book(where.house, DESK, where.needs[0], datetime(2026, 11, 23, 12, tzinfo=UTC), key="k")
    async with where.house.db.reading() as tx:
        appointment = dict((await tx.rows(select(appointments).where(appointments.c.id == made.id)))[0])
        cells = [dict(row) for row in await tx.rows(select(promised_cells).where(promised_cells.c.appointment_id == made.id))]
        event = dict((await tx.rows(select(events).where(events.c.appointment_id == made.id)))[0])
        key = dict((await tx.rows(select(idempotency)))[0])
        assert await tx.rows(select(outbox)) == []  # nobody is written to: staff booked
    del event["id"]
    return {"appointment": appointment, "cells": cells, "event": event, "key": key}


async def inserted(bare: Company, rows: dict[str, Any]) -> float:
    """Transactions a second that write such rows and nothing else, as many at once as there are clients."""
    todo = iter(range(80))
    db = bare.house.db

    async def client() -> None:
        for _ in todo:
            name, first = new_id(), next(_CELL)
            async with db.transaction() as tx:
                await tx.change(insert(appointments).values(rows["appointment"] | {"id": name, "booking_id": name}))
                cells = [row | {"appointment_id": name, "cell": first + n} for n, row in enumerate(rows["cells"])]
                await tx.change(insert(promised_cells), cells)
                await tx.change(insert(idempotency).values(rows["key"] | {"key": name}))
                await tx.change(insert(events).values(rows["event"] | {"appointment_id": name}))

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return 80 / (time.perf_counter() - began)


_CELL = itertools.count(0, 100)
