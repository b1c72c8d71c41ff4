"""F20: letters, whatever the mail server does and however often the worker is killed: none lost, one twin a kill at most."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.faults.rough_post import STEPS, Fault, RoughPost, rough_post
from tests.faults.site import Site, site
from tests.faults.warm import warm
from tests.post.catcher import SENDER
from tests.world import World, process
from tracker.actions.house import House
from tracker.actions.letters.posting import Postman
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.post.smtp import Waits
from tracker.records import outbox
from tracker.records.database import Database
from tracker.records.outbox import Kind, Letter
from tracker.records.schema import appointments, contacts
from tracker.records.schema import outbox as table

WAITS = Waits(answer_s=1.0, connect_s=5.0, letter_s=1.5)
FAULTS = [(step, fault) for fault in Fault for step in STEPS]


def address(number: int) -> str:
    return f"p{number}@example.org"


async def write_letters(db: Database, count: int, now: datetime) -> None:
    async with db.transaction() as tx:
        for number in range(count):
            due = now - timedelta(seconds=1 + number / 1000)
            await outbox.add(tx, Kind.CHANGED, f"x{number}", address(number), now, due_at=due)


async def letters(db: Database) -> dict[str, Letter]:
    async with db.reading() as tx:
        return {one.recipient: one for one in await outbox.latest(tx, 10_000)}


def message_id(letter: Letter) -> str:
    return f"<{letter.message_id}@{SENDER.partition('@')[2]}>"


async def an_hour_away(house: House, port: int) -> None:
    """Nobody listens at the port; every letter waits, none is counted as tried."""
    async with rough_post(port) as gone:
        house.post = gone.post()
    man = Postman(house, waits=WAITS)
    for _ in range(60):
        assert await man.turn() == 0
        house.clock.move(minutes=1)  # type: ignore[attr-defined]
    assert {one.attempts for one in (await letters(house.db)).values()} == {0}


async def everything_wrong(house: House, count: int, each: int) -> None:
    """Down for an hour, then each fault at each step for ``each`` letters, the rest of ``count`` are ordinary."""
    numbers = random.Random(count).sample(range(count), each * len(FAULTS))
    await write_letters(house.db, count, house.clock())
    await an_hour_away(house, 0)
    async with rough_post() as post:
        house.post = post.post()
        post.plans = {address(number): [FAULTS[at % len(FAULTS)]] for at, number in enumerate(numbers)}
        never = {to for to, [(_, fault)] in post.plans.items() if fault is Fault.NEVER}
        faulty = set(post.plans)
        ordinary, everybody = await until_all_went(house, faulty)
        rows = await letters(house.db)
    twins, lost = sum(post.read.values()) - len(post.read), lost_of(post, rows, never)
    faults, refused = (
        f"{sum(post.seen.values())} faults of {len(FAULTS)} sorts",
        sum(bool(one.parked_at) for one in rows.values()),
    )
    print(f"{count} letters, {faults}: {refused} refused for good, {lost} lost, {twins} twins where no answer came")
    print(f"after the hour: the {count - len(faulty)} ordinary ones within {ordinary} min, all within {everybody} min")
    assert (len(rows), lost, refused) == (count, 0, len(never))
    judge(post, rows, never)


async def until_all_went(house: House, faulty: set[str]) -> tuple[int, int]:
    """Minutes of the moved clock until the ordinary letters were sent, and until nothing waited any more."""
    man, minutes, ordinary = Postman(house, waits=WAITS), 0, None
    while minutes < 24 * 60:
        rows = await letters(house.db)
        if ordinary is None and all(one.sent_at for to, one in rows.items() if to not in faulty):
            ordinary = minutes
        if all(one.sent_at or one.parked_at for one in rows.values()):
            break
        await man.turn()
        house.clock.move(minutes=1)  # type: ignore[attr-defined]
        minutes += 1
    assert ordinary is not None
    return ordinary, minutes


def lost_of(post: RoughPost, rows: dict[str, Letter], never: set[str]) -> int:
    """Letters that nobody read whole, or that are not marked as sent, but for those that were refused for good."""
    return sum(to not in never and not (one.sent_at and post.read[message_id(one)]) for to, one in rows.items())


def judge(post: RoughPost, rows: dict[str, Letter], never: set[str]) -> None:
    """Sent is taken, parked is refused for good, nothing else; who was read twice had been left without an answer."""
    assert {to for to, one in rows.items() if one.parked_at} == never
    assert {one.last_error for one in rows.values() if one.parked_at} == {"550"}
    for to, one in rows.items():
        assert bool(one.sent_at) is (to not in never)
        assert to in never or post.read[message_id(one)] >= 1
        assert post.taken[message_id(one)] <= 1
    assert sum(post.read.values()) - len(post.read) <= sum(post.seen[one] for one in (Fault.SILENT, Fault.DROP, Fault.DRIBBLE))
    assert set(post.read) <= {message_id(one) for one in rows.values()}
    assert not any(post.plans.values()), "every fault happened"


async def test_whatever_a_mail_server_does_every_letter_arrives_and_none_keeps_another(house: House, world: World) -> None:
    """The short form."""
    await everything_wrong(house, count=60, each=1)


@pytest.mark.faults
async def test_f20_a_thousand_letters_and_every_fault_of_a_mail_server(house: House, world: World) -> None:
    """The long form."""
    await everything_wrong(house, count=1_000, each=10)


async def five_minutes_later(db: Database) -> None:
    """What a killed worker had leased is free again: nobody waits here until that is so."""
    async with db.transaction() as tx:
        await tx.change(update(table).where(table.c.attempts == 0).values(leased_until=None))


async def killed(place: Site, count: int, kills: int, seed: int) -> None:
    """Kill the worker at random steps of its letters; three letters of these are poison."""
    dice, news = random.Random(seed), asyncio.Event()
    poison = {address(0): ("rcpt", Fault.NEVER), address(1): ("body", Fault.LATER), address(2): ("data", Fault.DROP)}
    await write_letters(place.db, count, datetime.now(UTC))
    async with rough_post() as post:
        left = 0

        def heard(_step: str) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                news.set()

        post.plans, post.heard = {to: [plan] * (kills + 9) for to, plan in poison.items()}, heard
        own = {"TRACKER_SMTP_URL": f"smtp+plain://127.0.0.1:{post.port}", "TRACKER_MAIL_FROM": SENDER}
        async with warm(place.machine, own) as parent:
            for _ in range(kills):
                news.clear()
                left = dice.randint(1, max(2, 3 * 2 * count // kills))
                pid = await parent.start("worker")
                with_luck = asyncio.create_task(news.wait())
                await asyncio.wait([with_luck], timeout=5)  # all gone already, or the server is left in peace after a poison
                with_luck.cancel()
                await asyncio.sleep(dice.uniform(0, 0.01))
                await parent.kill(pid)
                await five_minutes_later(place.db)
            pid = await parent.start("worker")
            async with asyncio.timeout(120):
                while len(post.taken) < count - len(poison):
                    news.clear()
                    left = 1
                    await news.wait()
                while any(one.sent_at is None and one.last_error is None for one in (await letters(place.db)).values()):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
            await parent.kill(pid)
    rows = await letters(place.db)
    twins = [post.taken[message_id(one)] - 1 for to, one in rows.items() if to not in poison]
    lost = sum(each < 0 for each in twins)
    print(f"{count} letters, {kills} kills: {lost} lost, {sum(twins)} twins, at most {max(twins)} of one letter")
    assert (len(rows), lost) == (count, 0)
    assert all(one.sent_at for to, one in rows.items() if to not in poison)
    assert sum(twins) <= kills
    assert (rows[address(0)].last_error, rows[address(0)].sent_at) == ("550", None)
    assert not any(post.taken[message_id(rows[to])] for to in poison)


@pytest.fixture
async def place(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with site(database_url, redis_url, tmp_path) as made:
        yield made


async def test_a_worker_killed_while_it_posts_loses_no_letter(place: Site) -> None:
    """The short form."""
    await killed(place, count=30, kills=3, seed=1)


@pytest.mark.faults
async def test_f20_a_thousand_letters_and_two_hundred_kills(place: Site) -> None:
    """The long form."""
    await killed(place, count=1_000, kills=200, seed=2)


async def test_a_worker_killed_with_the_last_word_unheard_leaves_nobody_with_what_was_taken_back(place: Site) -> None:
    """The server has read that somebody is on the way, the worker is killed before it could note that, and it is taken back."""
    visit = await place.world.appointment(arrival_at=datetime.now(UTC) + timedelta(hours=1))
    async with place.db.transaction() as tx:
        contact = await tx.value(select(contacts.c.id).where(contacts.c.email == place.world.customer.email))
        await tx.change(update(appointments).where(appointments.c.id == visit).values(contact_id=contact, keep_informed=True))
    desk, took = Actor(Role.DISPATCHER, person=place.world.dispatcher.id), Actor(Role.TECHNICIAN, technician=place.world.maya)
    async with rough_post() as post, process(place.db, place.redis_url, lambda: datetime.now(UTC)) as house:
        read = asyncio.Event()
        post.plans = {place.world.customer.email: [("body", Fault.SILENT)]}
        await take_step(house, took, visit, Wish(step=Step.START_TRAVEL))
        await at_once(place.db)
        own = {"TRACKER_SMTP_URL": f"smtp+plain://127.0.0.1:{post.port}", "TRACKER_MAIL_FROM": SENDER}
        async with warm(place.machine, own) as parent:
            pid = await parent.start("worker")
            async with asyncio.timeout(60):
                while not post.read:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.01)
            await parent.kill(pid)
            await take_step(house, desk, visit, Wish(step=Step.UNDO))
            await at_once(place.db)
            post.heard = lambda step: read.set() if step == "body" else None
            pid = await parent.start("worker")
            async with asyncio.timeout(60):
                await read.wait()
            await parent.kill(pid)
    assert [name.strip("<").partition(".")[0] for name in post.read] == ["traveling", "taken_back"]
    assert list(post.read.values()) == [1, 1]


async def at_once(db: Database) -> None:
    """Nobody waits here until letters are due, and leases over."""
    async with db.transaction() as tx:
        await tx.change(update(table).values(leased_until=None, due_at=datetime.now(UTC) - timedelta(seconds=1)))
