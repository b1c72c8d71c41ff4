"""Forgotten passwords (O6): nobody learns who is known, a code works once, every other session ends."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from tests.world import World
from tracker.actions import housekeeping
from tracker.actions.house import House
from tracker.actions.people import accounts, resetting
from tracker.domain.codes import Purpose, code_of
from tracker.errors import BadCredentials, BadReset, TooManyRequests, WeakPassword
from tracker.records import outbox, people
from tracker.records.schema import metadata
from tracker.records.schema import outbox as outbox_table

EMAIL, OLD, NEW = "anna@example.org", "vanha salasana 17", "uusi ja parempi lause"


async def ask(house: House, email: str = EMAIL, address: str = "::1") -> None:
    await resetting.ask(house, email, address=address)


async def code(house: House) -> str:
    """What the newest letter will carry."""
    async with house.db.reading() as tx:
        letter = next(one for one in await outbox.latest(tx) if one.kind == "reset")
    return code_of(house.secret, Purpose.RESET, letter.message_id.split(".")[1])


async def reset(house: House, code: str, password: str = NEW, address: str = "::1") -> accounts.SignedIn:
    return await resetting.reset(house, code, password, address=address, user_agent=None)


@pytest.fixture
async def anna(house: House, world: World) -> World:
    async with house.db.transaction() as tx:
        await people.set_password(tx, world.customer.id, await house.passwords.hashed(OLD))
    return world


async def test_a_reset_changes_the_password_and_ends_every_session_but_the_new_one(house: House, anna: World) -> None:
    before = [await accounts.sign_in(house, EMAIL, OLD, address="::1", user_agent=None) for _ in range(3)]
    await ask(house, f" {EMAIL.upper()} ")
    signed = await reset(house, (await code(house)).lower())
    for old in before:
        assert await accounts.who(house, old.token) is None
    assert await accounts.who(house, signed.token)
    with pytest.raises(BadCredentials):
        await accounts.sign_in(house, EMAIL, OLD, address="::1", user_agent=None)
    await accounts.sign_in(house, EMAIL, NEW, address="::1", user_agent=None)
    async with house.db.reading() as tx:
        kinds = {letter.kind: letter.recipient for letter in await outbox.latest(tx)}
    assert kinds == {"reset": EMAIL, "changed": EMAIL}


async def test_the_same_statements_run_whether_the_address_exists_or_not(house: House, anna: World) -> None:
    counted: list[str] = []
    engine = house.db.engine.sync_engine

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        counted.append(statement.split("WHERE")[0].split("VALUES")[0].strip())

    event.listen(engine, "before_cursor_execute", count)
    try:
        await ask(house)
        known, counted[:] = list(counted), []
        await ask(house, "nobody@example.org")
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert counted == known
    assert len(known) >= 4


async def test_nobody_is_written_to_who_is_not_known_and_the_rows_go(house: House, anna: World) -> None:
    await ask(house, "nobody@example.org")
    async with house.db.reading() as tx:
        assert await outbox.latest(tx) == []
        assert (await outbox.state(tx, house.clock())).waiting == 0
        rows = [str(row) for table in metadata.tables.values() for row in await tx.rows(select(table))]
    assert not any("nobody@" in row for row in rows)  # what strangers type is not kept
    house.clock.now += timedelta(days=2)
    await housekeeping.tidy_once(house)
    async with house.db.reading() as tx:
        assert await tx.rows(select(outbox_table)) == []


async def test_a_code_works_once_for_half_an_hour_and_only_the_newest(house: House, anna: World) -> None:
    await ask(house)
    first = await code(house)
    house.clock.now += timedelta(minutes=1)
    await ask(house)
    second = await code(house)
    said = set()

    async def refused(code: str) -> None:
        with pytest.raises(BadReset) as refusal:
            await reset(house, code)
        said.add((refusal.value.sentence, str(refusal.value.details)))

    await refused(first)
    await refused("0000-0000-0000-0000-0000-0000")
    house.clock.now += timedelta(minutes=30)
    await refused(second)
    house.clock.now -= timedelta(minutes=30)
    done = await asyncio.gather(*(reset(house, second) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, accounts.SignedIn) for one in done) == 1
    assert sum(isinstance(one, BadReset) for one in done) == 3
    await refused(second)
    assert len(said) == 1


async def test_a_sign_in_that_a_reset_overtakes_opens_nothing_and_leaves_the_new_password(house: House, anna: World) -> None:
    looked, go_on, right = asyncio.Event(), asyncio.Event(), house.passwords.right

    async def right_and_then(password: str, known: str | None) -> bool:
        answer = await right(password, known)
        looked.set()
        await go_on.wait()
        return answer

    house.passwords.right = right_and_then  # type: ignore[method-assign]
    house.passwords.outdated = lambda _: True  # type: ignore[method-assign]  # so the hash would be written anew, too
    entering = asyncio.create_task(accounts.sign_in(house, EMAIL, OLD, address="::1", user_agent=None))
    await looked.wait()
    await ask(house)
    await reset(house, await code(house))
    go_on.set()
    with pytest.raises(BadCredentials):
        await entering
    both = (accounts.sign_in(house, EMAIL, NEW, address="::1", user_agent=None) for _ in range(2))
    assert len({one.token for one in await asyncio.gather(*both)}) == 2  # each hashes it anew: neither stands in the other's way


async def test_a_weak_password_leaves_the_code_alive(house: House, anna: World) -> None:
    await ask(house)
    with pytest.raises(WeakPassword, match="too close"):
        await reset(house, await code(house), "anna@example.org")
    await reset(house, await code(house))


async def test_an_invitations_code_opens_no_reset(house: House, anna: World) -> None:
    await ask(house)
    async with house.db.reading() as tx:
        id = (await outbox.latest(tx))[0].message_id.split(".")[1]
    with pytest.raises(BadReset):
        await reset(house, code_of(house.secret, Purpose.INVITATION, id))


async def test_asking_and_trying_are_slowed_down(house: House, anna: World) -> None:
    for number in range(resetting.ASKED_EMAIL + 2):  # the answer stays the same, the letters stop
        await ask(house, address=f"10.0.0.{number}")
    async with house.db.reading() as tx:
        assert len(await outbox.latest(tx)) == resetting.ASKED_EMAIL
    for number in range(resetting.ASKED_ADDRESS):
        await ask(house, f"x{number}@example.org")
    with pytest.raises(TooManyRequests):
        await ask(house, "anybody@example.org")
    for _ in range(resetting.TRIES_ADDRESS):
        with pytest.raises(BadReset):
            await reset(house, "0000-0000")
    with pytest.raises(TooManyRequests):
        await reset(house, "0000-0000")
