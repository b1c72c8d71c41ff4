"""Signing in and out: the right person only, the same work for nobody, sessions that end, tries that are counted."""

import asyncio
import time
from statistics import median

import pytest
from argon2 import PasswordHasher

from tests.world import World
from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.actions.people.passwords import AT_ONCE, WAITING, Passwords
from tracker.domain.appointments import Role
from tracker.errors import BadCredentials, BadInput, NotFound, NotSignedIn, TooManyRequests
from tracker.records import people, sessions
from tracker.records.schema import sessions as sessions_table

PASSWORD = "correct horse battery"


@pytest.fixture
async def anna(house: House, world: World) -> World:
    async with house.db.transaction() as tx:
        await people.set_password(tx, world.customer.id, await house.passwords.hashed(PASSWORD))
    return world


async def sign_in(
    house: House, email: str = "anna@example.org", password: str = PASSWORD, address: str = "::1"
) -> accounts.SignedIn:
    return await accounts.sign_in(house, email, password, address=address, user_agent="a browser")


async def test_a_session_is_whose_it_is_until_it_ends(house: House, anna: World) -> None:
    signed = await sign_in(house, " Anna@Example.org")
    who = await accounts.who(house, signed.token)
    assert who == signed.actor
    assert (who.role, who.person, who.accounts) == (Role.CUSTOMER, anna.customer.id, {anna.account})
    assert await accounts.who(house, signed.token + "x") is None
    assert await accounts.who(house, "") is None
    await accounts.sign_out(house, who)
    assert await accounts.who(house, signed.token) is None


async def test_only_the_hash_of_the_token_is_stored(house: House, anna: World) -> None:
    signed = await sign_in(house)
    async with house.db.reading() as tx:
        (row,) = await tx.rows(sessions_table.select())
    assert signed.token not in repr(dict(row))
    assert bytes(row["token_hash"]) == accounts.hashed(signed.token)
    assert len(signed.token) >= 43  # 256 bits


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("anna@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("eve@example.org", PASSWORD),  # has no password
        ("eve@example.org", "nobody has this password"),
        ("anna@example.org", "x" * 1_000_000),
        ("", ""),
    ],
)
async def test_everything_else_is_refused_alike(house: House, anna: World, email: str, password: str) -> None:
    with pytest.raises(BadCredentials) as refused:
        await sign_in(house, email, password)
    assert str(refused.value) == "E-mail or password is not right. Check both, or reset your password."
    async with house.db.reading() as tx:
        assert await sessions.of_person(tx, anna.customer.id, house.clock()) == []


async def test_an_unknown_address_costs_the_same_work() -> None:
    passwords = Passwords()
    known = await passwords.hashed(PASSWORD)
    await passwords.right("x", None)  # the first call makes the hash that nobody's password is compared with

    async def cpu_s(hashed: str | None) -> float:
        began = time.process_time()
        assert not await passwords.right("wrong password", hashed)
        return time.process_time() - began

    pairs = [(await cpu_s(known), await cpu_s(None)) for _ in range(5)]
    ratio = median(nobody / somebody for somebody, nobody in pairs)
    assert 0.5 < ratio < 2.0, f"unknown costs {ratio:.2f} of known"  # a ratio of one run; without the dummy it is ~0


async def test_few_hashes_are_made_at_once_off_the_loop_and_a_flood_is_refused() -> None:
    class Slow(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            at_once.append(1)
            most.append(len(at_once))
            time.sleep(0.005)
            at_once.pop()
            return "hash"

    at_once: list[int] = []
    most: list[int] = []
    passwords, beats = Passwords(Slow()), 0
    flood = asyncio.gather(*(passwords.hashed(PASSWORD) for _ in range(WAITING + 6)), return_exceptions=True)
    while not flood.done():
        await asyncio.sleep(0)
        beats += 1
    answers = await flood
    assert sum(isinstance(one, TooManyRequests) for one in answers) == 6
    assert (len(most), max(most)) == (WAITING, AT_ONCE)
    assert beats > WAITING  # the loop went on meanwhile


async def test_a_hash_of_older_settings_is_made_anew(house: House, anna: World) -> None:
    async with house.db.transaction() as tx:
        await people.set_password(tx, anna.customer.id, PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD))
    await sign_in(house)
    async with house.db.reading() as tx:
        person = await people.by_id(tx, anna.customer.id)
    assert person is not None
    assert person.password_hash is not None
    assert not house.passwords.outdated(person.password_hash)
    await sign_in(house)


async def test_an_ended_person_cannot_sign_in(house: House, anna: World) -> None:
    async with house.db.transaction() as tx:
        await people.end(tx, anna.customer.id, house.clock())
    with pytest.raises(BadCredentials):
        await sign_in(house)


async def test_tries_are_counted_by_account_and_by_address(house: House, anna: World) -> None:
    for number in range(accounts.TRIES_ACCOUNT):
        with pytest.raises(BadCredentials):
            await sign_in(house, password="wrong password", address=f"10.0.0.{number}")
    with pytest.raises(TooManyRequests):  # from a new address, and with the right password
        await sign_in(house, address="10.0.1.1")


async def test_success_begins_the_count_anew(house: House, anna: World) -> None:
    for _ in range(3):
        for _ in range(accounts.TRIES_ACCOUNT - 1):
            with pytest.raises(BadCredentials):
                await sign_in(house, password="wrong password")
        await sign_in(house)


async def test_sessions_are_listed_and_ended_by_their_owner_only(house: House, anna: World) -> None:
    first, second, third = [await sign_in(house) for _ in range(3)]
    listed = await accounts.sessions_of(house, first.actor)
    assert {s.id for s in listed} == {first.actor.session, second.actor.session, third.actor.session}
    stranger = accounts.Actor(Role.CUSTOMER, person=anna.stranger.id, session="x")
    assert second.actor.session is not None
    with pytest.raises(NotFound):
        await accounts.end_session(house, stranger, second.actor.session)
    await accounts.end_session(house, first.actor, second.actor.session)
    assert await accounts.who(house, second.token) is None
    assert await accounts.end_other_sessions(house, first.actor) == 1
    assert await accounts.who(house, third.token) is None
    assert await accounts.who(house, first.token) == first.actor
    with pytest.raises(NotSignedIn):
        await accounts.sessions_of(house, accounts.Actor(Role.ANONYMOUS))


async def test_the_sockets_of_an_ended_session_are_asked_for_after_the_commit(house: House, anna: World) -> None:
    signed = await sign_in(house)
    asked: list[tuple[str, str, bool]] = []

    class Asked:
        async def ask(self, kind: str, id: str) -> None:
            asked.append((kind, id, await accounts.who(house, signed.token) is None))

    house.control = Asked()
    await accounts.sign_out(house, signed.actor)
    assert asked == [("session", signed.actor.session, True)]


async def test_a_phone_is_known_by_its_token(house: House, world: World) -> None:
    async with house.db.transaction() as tx:
        device = await accounts.technicians.add_device(tx, world.maya, "x", house.clock(), token_hash=accounts.hashed("secret"))
    assert await accounts.device_of(house, "secret") == accounts.Actor(Role.TECHNICIAN, technician=world.maya, device=device)
    assert await accounts.device_of(house, "secret2") is None


async def test_passwords_have_a_length_and_the_same_letters_from_every_keyboard() -> None:
    passwords = Passwords()
    for bad in ("short", "x" * 1_001):
        with pytest.raises(BadInput):
            await passwords.hashed(bad)
    known = await passwords.hashed("pa\u0308ssword long")  # a and a combining diaeresis
    assert await passwords.right("p\u00e4ssword long", known)
    assert not await passwords.right("passsword long", known)
    assert known.startswith("$argon2id$")
    assert not passwords.outdated(known)
    assert not await passwords.right("x", "not a hash")
