"""Rivals: two processes of the service on one database, each told what many people do in it at the same moment.

usage: python -m tests.faults.rivals     (reads JSON from its input: what it opens, then deeds; answers each line with one)
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec

from tests.bookable import Bookable, Roads, drive, settle
from tests.machine import ROOT
from tests.world import ALL_WEEK, NOW, Clock, process
from tracker.actions.booking.booking import Need, book
from tracker.actions.booking.holding import extend_hold, hold, sweep_holds
from tracker.actions.booking.moving import move
from tracker.actions.house import House
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.geo import Point
from tracker.errors import Refusal
from tracker.records import settings, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Database

DONE, BROKE = "done", "broke"
Way = tuple[Point, Point, float, float]
"""Two places, the minutes between them and the metres."""


class Opening(msgspec.Struct):
    """What a rival opens, and who is there."""

    database: str
    redis: str
    account: str
    service: str
    actors: list[Actor]
    minutes: float
    ways: list[Way] = []


class Deed(msgspec.Struct, omit_defaults=True):
    """What somebody does: ``who`` counts the opening's actors; ``at`` is an arrival; the rest as the actions take it."""

    what: str
    who: int = 0
    at: datetime | None = None
    visit: str = ""
    account: str | None = None
    technician: str | None = None
    step: Step = Step.CANCEL
    version: int | None = None
    seen: State | None = None


class Batch(msgspec.Struct):
    """What is done at once, and when that is."""

    now: datetime
    deeds: list[Deed]


class Told(msgspec.Struct):
    """What came of a deed: `DONE`, a refusal's code, or `BROKE` with what was raised; how many free times were named."""

    what: str
    status: int = 200
    visit: Appointment | None = None
    nearest: int = 0
    why: str = ""

    @property
    def done(self) -> bool:
        """Whether it was done."""
        return self.what == DONE


# -- seen from a test ----------------------------------------------------------------------------------------------------


@dataclass
class Race:
    """A company, and the rivals that serve it."""

    rivals: list["Rival"]
    company: Bookable
    now: datetime = NOW

    @property
    def desk(self) -> int:
        """The number of the desk among the actors."""
        return len(self.company.others)

    def crew(self, technician: str | None) -> int:
        """The number of a technician among the actors."""
        return self.desk + 1 + [*self.company.technicians, None].index(technician)

    async def at_once(self, deeds: Sequence[Deed]) -> list[Told]:
        """All in the same moment, by turns in one process and the other; what each was told, in their order."""
        dealt = [list(deeds[n :: len(self.rivals)]) for n in range(len(self.rivals))]
        found = await asyncio.gather(
            *(rival.ask(Batch(self.now, own)) for rival, own in zip(self.rivals, dealt, strict=True) if own)
        )
        return [found[n % len(self.rivals)][n // len(self.rivals)] for n in range(len(deeds))]

    async def one_by_one(self, deeds: Sequence[Deed]) -> list[Appointment]:
        """One after the other; each must succeed."""
        told = [(await self.at_once([deed]))[0] for deed in deeds]
        assert all(one.done for one in told), told
        return [one.visit for one in told if one.visit is not None]


@asynccontextmanager
async def racing(
    pair: list["Rival"], db: Database, url: str, redis_url: str, crew: int, *, customers: int = 8, ways: Sequence[Way] = ()
) -> AsyncIterator[Race]:
    """A company that works all week, opened by both rivals."""
    company = await settle(db, crew, customers=customers)
    async with db.transaction() as tx:
        for technician in company.technicians:
            await technicians.set_hours(tx, technician, ALL_WEEK)
    crewmen = [Actor(Role.TECHNICIAN, technician=technician) for technician in company.technicians]
    actors = [*company.others, company.desk, *crewmen]
    opening = Opening(url, redis_url, company.account, company.service, actors, 20, list(ways))
    for rival in pair:
        await rival.open(opening)
    try:
        yield Race(pair, company)
    finally:
        for rival in pair:
            await rival.shut()


class Rival:
    """One process, for one test after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.rivals"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    async def open(self, opening: Opening) -> None:
        """Open a house."""
        await asyncio.to_thread(self._ask, msgspec.json.encode(opening))

    async def ask(self, batch: Batch) -> list[Told]:
        """What each of the batch was told."""
        return msgspec.json.decode(await asyncio.to_thread(self._ask, msgspec.json.encode(batch)), type=list[Told])

    async def shut(self) -> None:
        """Close the house."""
        await asyncio.to_thread(self._ask, b"")

    def _ask(self, line: bytes) -> bytes:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "a rival has died"
        return answer

    def end(self) -> None:
        """The process ends when nothing more can come."""
        self._process.communicate()


@contextmanager
def rivals(count: int = 2) -> Iterator[list[Rival]]:
    """So many of them."""
    found = [Rival() for _ in range(count)]
    yield found
    for one in found:
        one.end()


# -- the process itself ----------------------------------------------------------------------------------------------------


@dataclass
class Inside:
    """A house and what was said about it."""

    house: House
    said: Opening
    clock: Clock

    async def told(self, deed: Deed) -> Told:
        """What came of it."""
        try:
            made = await self._done(deed)
        except Refusal as refusal:
            nearest = refusal.details.get("nearest", ())
            return Told(refusal.code, refusal.status, nearest=len(nearest))  # type: ignore[arg-type]
        except Exception as error:
            return Told(BROKE, 500, why=repr(error))
        return Told(DONE, visit=made if isinstance(made, Appointment) else None)

    async def _done(self, deed: Deed) -> object:
        house, actor = self.house, self.said.actors[deed.who]
        need, at = Need(account=deed.account or self.said.account, service_type=self.said.service), deed.at or self.clock()
        match deed.what:
            case "book":
                return await book(house, actor, need, at)
            case "hold":
                return await hold(house, actor, need, at)
            case "extend":
                return await extend_hold(house, actor)
            case "sweep":
                return await sweep_holds(house)
            case "move":
                return await move(house, actor, deed.visit, at, version=deed.version)
            case "hand over":
                return await hand_over(house, actor, deed.visit, deed.technician, version=deed.version)
            case "step":
                wish = Wish(step=deed.step, reason="away", version=deed.version, seen=deed.seen)
                return await take_step(house, actor, deed.visit, wish)
        raise AssertionError(deed)


@asynccontextmanager
async def _inside(said: Opening) -> AsyncIterator[Inside]:
    clock, roads = Clock(), Roads(said.minutes)
    for start, end, minutes, metres in said.ways:
        roads.tell(start, end, minutes, metres)
    db = Database(said.database)
    async with process(db, said.redis, clock) as house:
        drive(house, roads)
        house.settings._settings = settings.checked({"horizon_days": 365, "lead_time_min": 0})
        yield Inside(house, said, clock)
    await db.close()


async def _run() -> None:
    """A line with an opening, lines with batches, an empty line: closed again."""
    async with AsyncExitStack() as stack:
        inside: Inside | None = None
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            answer: object = None
            if not line.strip():
                inside = None
                await stack.aclose()
            elif inside is None:
                inside = await stack.enter_async_context(_inside(msgspec.json.decode(line, type=Opening)))
            else:
                batch = msgspec.json.decode(line, type=Batch)
                inside.clock.now = batch.now
                answer = await asyncio.gather(*(inside.told(deed) for deed in batch.deeds))
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(_run())
