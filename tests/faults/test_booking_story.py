"""F7: anything that people may do to appointments, in any order: nobody is promised twice, every story is a legal one."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from tests.bookable import PLACE, Bookable, at, cells_of, settle
from tests.faults.bounded import report, rounds
from tests.servers import Postgres
from tests.world import ALL_WEEK, NOW, Clock
from tracker.actions.booking.booking import book
from tracker.actions.booking.holding import drop_hold, extend_hold, hold, sweep_holds
from tracker.actions.booking.moving import TOLD_FROM, move
from tracker.actions.house import close, furnish
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import MOVES, State, Step
from tracker.domain.cells import cells, epoch_s
from tracker.domain.geo import moved
from tracker.errors import Refusal
from tracker.records import appointments, events, outbox, people, technicians
from tracker.records import settings as settings_records
from tracker.records.appointments import Appointment
from tracker.records.database import Database
from tracker.records.schema import appointments as rows
from tracker.records.schema import holds as held_rows
from tracker.roads.fallback import FallbackRouter

SLOTS = [at(8, days=-1) + timedelta(minutes=30 * n) for n in range(10, 40)]
"""The half hours of today and tomorrow: few, so that people are in each other's way."""


class Story(RuleBasedStateMachine):
    """Two technicians, three customers in two places, a desk. Whatever is refused must be refused politely."""

    make_database: Callable[[], tuple[str, Callable[[], None]]]
    redis_url: str
    refused: ClassVar[Counter[str]] = Counter()
    answered: ClassVar[Counter[str]] = Counter()
    taken = 0
    made = 0
    overlapping = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        url, self.drop = type(self).make_database()
        self.clock, self.booked = Clock(), 0
        self.db = Database(url)
        self.house = furnish(self.db, self.redis_url, FallbackRouter(None), b"s" * 32, self.clock)
        self.house.settings._settings = settings_records.checked({"lead_time_min": 0, "hold_min": 5})
        self.company: Bookable = self.runner.run(self._settle())

    async def _settle(self) -> Bookable:
        company = await settle(self.db, 2, customers=2)
        async with self.db.transaction() as tx:
            for technician in company.technicians:
                await technicians.set_hours(tx, technician, ALL_WEEK)
            far = moved(PLACE, 45, 6000)
            self.far = await people.add_account(
                tx, "Far", NOW, address="Kaukana 1", lat=far.lat, lon=far.lon, zone="Europe/Helsinki"
            )
        return company

    def teardown(self) -> None:
        type(self).made += self.booked
        self.runner.run(close(self.house))
        self.runner.run(self.db.close())
        self.runner.close()
        self.drop()

    def do(self, action: Coroutine[Any, Any, object]) -> None:
        """Anything but a refusal below 500 is a mistake."""
        type(self).taken += 1
        try:
            self.runner.run(action)
        except Refusal as refusal:
            self.answered[f"{refusal.status // 100}xx"] += 1
            if refusal.status >= 500:
                raise
            self.refused[refusal.code] += 1

    def who(self, number: int) -> Actor:
        return self.company.others[number]

    async def visit(self, number: int) -> str | None:
        async with self.db.reading() as tx:
            found = [row[0] for row in await tx.tuples(select(rows.c.id).order_by(rows.c.created_at, rows.c.id))]
        return found[number % len(found)] if found else None

    # -- what people do ------------------------------------------------------------------------------------------------

    @rule(customer=st.integers(0, 1), slot=st.sampled_from(SLOTS))
    def books(self, customer: int, slot: Any) -> None:
        self.do(book(self.house, self.who(customer), self.company.need(), slot))

    @rule(slot=st.sampled_from(SLOTS))
    def desk_books_far_away(self, slot: Any) -> None:
        need = self.company.need()
        self.do(book(self.house, self.company.desk, type(need)(account=self.far, service_type=need.service_type), slot))

    @rule(customer=st.integers(0, 1), slot=st.sampled_from(SLOTS))
    def holds(self, customer: int, slot: Any) -> None:
        self.do(hold(self.house, self.who(customer), self.company.need(), slot))

    @rule(customer=st.integers(0, 1), what=st.sampled_from([extend_hold, drop_hold]))
    def extends_or_drops(self, customer: int, what: Callable[..., Any]) -> None:
        self.do(what(self.house, self.who(customer)))

    @rule(number=st.integers(0, 20), customer=st.integers(0, 1), slot=st.sampled_from(SLOTS))
    def moves(self, number: int, customer: int, slot: Any) -> None:
        if visit := self.runner.run(self.visit(number)):
            self.do(move(self.house, self.who(customer), visit, slot))

    @rule(number=st.integers(0, 20), step=st.sampled_from(list(Step)), customer=st.booleans(), switch=st.booleans())
    def steps(self, number: int, step: Step, customer: bool, switch: bool) -> None:
        if visit := self.runner.run(self.visit(number)):
            actor = self.who(0) if customer and step is Step.CANCEL else self.company.desk
            self.do(take_step(self.house, actor, visit, Wish(step=step, reason="so it is", switch=switch)))

    @rule(number=st.integers(0, 20), technician=st.integers(0, 2))
    def hands_over(self, number: int, technician: int) -> None:
        if visit := self.runner.run(self.visit(number)):
            to = [*self.company.technicians, None][technician]
            self.do(hand_over(self.house, self.company.desk, visit, to))

    @rule(minutes=st.integers(1, 45), sweeps=st.booleans())
    def time_goes_by(self, minutes: int, sweeps: bool) -> None:
        self.clock.move(minutes=minutes)
        if sweeps:
            self.runner.run(sweep_holds(self.house))

    # -- what holds ----------------------------------------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        self.runner.run(self._holds())

    async def _holds(self) -> None:
        async with self.db.reading() as tx:
            ids = [row[0] for row in await tx.tuples(select(rows.c.id))]
            visits = [one for each in ids if (one := await appointments.by_id(tx, each))]
            self.booked = len(visits)
            stories = {one.id: await events.of_appointment(tx, one.id) for one in visits}
            letters = {one.id: await outbox.of_appointment(tx, one.id) for one in visits}
            living = {row[0]: row for row in await tx.tuples(select(held_rows.c.id, held_rows.c.technician_id))}
        held = await cells_of(self.db)
        self._nobody_is_promised_twice(visits, held)
        self._cells_belong(visits, held, living)
        for one in visits:
            legal(one, stories[one.id])
            as_told(one, stories[one.id], letters[one.id])

    def _nobody_is_promised_twice(self, visits: list[Appointment], held: dict[tuple[str, int], str]) -> None:
        """Work lies upon work only where staff were told: a visit that was begun and undone, or overran."""
        waiting = [one for one in visits if one.state is State.SCHEDULED and one.technician_id]
        for one in waiting:
            if one.flag is None:
                leaves = epoch_s(one.arrival_at) - (one.travel_s or 0)
                owners = {held.get((one.technician_id or "", cell)) for cell in cells(leaves, epoch_s(one.ends_at))}
                assert owners == {one.id}, one
        for one in waiting:
            for other in waiting:
                if one.id < other.id and one.technician_id == other.technician_id and not (one.flag or other.flag):
                    apart = one.ends_at <= other.arrival_at or other.ends_at <= one.arrival_at
                    type(self).overlapping += not apart
                    assert apart, (one, other)

    def _cells_belong(self, visits: list[Appointment], held: dict[tuple[str, int], str], living: dict[str, Any]) -> None:
        """No cell is anybody's who is gone, another's technician's, or still to come for what is over."""
        by_id, now = {one.id: one for one in visits}, epoch_s(self.clock.now) // 300
        for (technician, cell), owner in held.items():
            if owner in living:
                assert living[owner][1] == technician
                continue
            visit = by_id[owner]
            assert visit.technician_id == technician
            assert visit.state is not State.CANCELED
            assert visit.state is not State.COMPLETED or cell <= now


def legal(visit: Appointment, story: list[Any]) -> None:
    """The states follow each other along the arrows of the diagram."""
    state = State.SCHEDULED
    for event in story:
        if event.kind not in set(State):
            continue
        assert event.payload["from"] == state
        step = event.payload["step"]
        if step in set(Step):
            assert MOVES[state, Step(step)].to == event.kind
        else:
            assert (state, event.kind, step) in {
                (State.TRAVELING, State.SCHEDULED, "hand_over"),
                (State.TRAVELING, State.SCHEDULED, "switch"),
            }
        state = State(event.kind)
    assert state is visit.state


def as_told(visit: Appointment, story: list[Any], letters: list[Any]) -> None:
    """Letters and events are the same story (for visits that somebody reported)."""
    kinds = Counter(event.kind for event in story)
    assert kinds["booked"] == 1
    moved_far = [
        event for event in story if event.kind == "rescheduled" and _apart(event.payload["arrival_at"], event.payload["was"])
    ]
    given_up = [event for event in story if event.kind == "canceled" and event.payload["step"] == Step.CANCEL]
    wanted = Counter({"confirmation": 1, "rescheduled": len(moved_far), "canceled": len(given_up)})
    told = Counter(letter.kind for letter in letters if letter.kind in wanted)
    assert told == (+wanted if visit.contact_id else Counter())


def _apart(one: str, other: str) -> bool:
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) > TOLD_FROM


def machine(redis_url: str, make_database: Callable[[], tuple[str, Callable[[], None]]]) -> type[Story]:
    return type("Story", (Story,), {"redis_url": redis_url, "make_database": staticmethod(make_database)})


@pytest.fixture(params=["sqlite", "postgres"])
def story(request: pytest.FixtureRequest, valkey_url: str) -> type[Story]:
    """The machine on either database; each example begins with an empty one."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")

        def copied() -> tuple[str, Callable[[], None]]:
            folder = Path(tempfile.mkdtemp()) / "db"
            shutil.copytree(template, folder)
            return f"sqlite+aiosqlite:///{folder / 'tracker.db'}", lambda: shutil.rmtree(folder.parent)

        return machine(valkey_url, copied)
    server: Postgres = request.getfixturevalue("postgres")
    empty: str = request.getfixturevalue("postgres_template")

    def created() -> tuple[str, Callable[[], None]]:
        name = server.lend(empty)
        return server.url(name), lambda: server.take_back(name)

    return machine(valkey_url, created)


def told(story: type[Story], examples: int, steps: int, *, anew: bool = False) -> None:
    """Run it, with as many examples and steps; ``anew``: with others than the time before."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        story,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=not anew,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_every_story_is_a_legal_one(story: type[Story]) -> None:
    told(story, 5, 15)


@pytest.mark.faults
def test_five_hundred_stories(story: type[Story], request: pytest.FixtureRequest) -> None:
    """The whole form (`make faults`), by tens so that it ends in time."""
    story.refused, story.answered, made = Counter(), Counter(), 0
    try:
        made = sum(10 for _ in rounds(50) if told(story, 10, 50, anew=True) is None)
    finally:
        figures = {"steps": story.taken, "visits": story.made, "refused": dict(story.refused)}
        faults = {"overlaps": story.overlapping, "5xx": story.answered["5xx"]}
        report("F7", request.node.callspec.params["story"], made, 500, figures, faults)
