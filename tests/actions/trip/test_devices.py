"""Phones: a token that opens until it is revoked, and the one phone that moves the marker."""

from datetime import timedelta

import pytest

from tests.world import NOW, Clock, World
from tracker.actions.house import House
from tracker.actions.housekeeping import tidy_once
from tracker.actions.people import accounts
from tracker.actions.trip import devices
from tracker.actions.trip.gates import gate_of, gates_of_all
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import NotAllowed, NotFound
from tracker.records import audit, people, technicians

DESK = Actor(Role.DISPATCHER, person="desk")


async def chosen(house: House, technician: str) -> str | None:
    gate = await gate_of(house, technician)
    assert gate is not None
    assert gate == await house.positions.gate(technician)  # and Redis knows it, too
    return gate.device


async def test_a_token_opens_until_it_is_revoked(house: House, world: World) -> None:
    phone = await devices.add_phone(house, DESK, world.maya, "new")
    actor = await accounts.device_of(house, phone.token)
    assert actor == Actor(Role.TECHNICIAN, technician=world.maya, device=phone.device)
    assert phone.device in {each.id for each in await devices.phones_of(house, actor, world.maya)}
    with pytest.raises(NotAllowed):
        await devices.phones_of(house, actor, world.onni)
    with pytest.raises(NotAllowed):
        await devices.revoke_phone(house, actor, phone.device)
    await devices.revoke_phone(house, DESK, phone.device)
    assert await accounts.device_of(house, phone.token) is None
    with pytest.raises(NotFound):
        await devices.revoke_phone(house, DESK, phone.device)
    async with house.db.reading() as tx:
        log = await audit.latest(tx)
    assert [line.what for line in log] == ["phone.revoked", "phone.added"]
    assert phone.token not in repr(log)


async def test_a_revoked_phone_stands_at_the_gate_for_an_hour(house: House, world: World) -> None:
    await devices.revoke_phone(house, DESK, world.phone)
    for minutes, gone in ((0, {world.phone}), (59, {world.phone}), (2, set())):
        house.clock.move(minutes=minutes)  # type: ignore[attr-defined]
        everybodys = {gate.technician: gate for gate in await gates_of_all(house)}
        own = await gate_of(house, world.maya)
        assert own == everybodys[world.maya]
        assert own.gone == gone
        assert everybodys[world.onni].gone == set()
    kept = await house.positions.gate(world.maya)  # as it was set before the answer
    assert kept is not None
    assert kept.gone == {world.phone}


async def test_the_chosen_phone_moves_the_marker(house: House, world: World) -> None:
    phone = await devices.add_phone(house, DESK, world.maya, "new")
    assert await chosen(house, world.maya) == world.phone
    await devices.choose_phone(house, Actor(Role.TECHNICIAN, technician=world.maya), phone.device)
    assert await chosen(house, world.maya) == phone.device
    for actor in (Actor(Role.TECHNICIAN, technician=world.onni), Actor(Role.CUSTOMER), Actor(Role.ANONYMOUS)):
        with pytest.raises(NotFound):
            await devices.choose_phone(house, actor, world.phone)
        with pytest.raises(NotAllowed):
            await devices.add_phone(house, actor, world.maya, "x")


async def test_a_first_phone_is_the_chosen_one(house: House, world: World) -> None:
    async with house.db.transaction() as tx:
        await technicians.change(tx, world.maya, device_id=None)
    phone = await devices.add_phone(house, DESK, world.maya, "first")
    assert await chosen(house, world.maya) == phone.device


async def test_old_rows_are_tidied_away(house: House, world: World) -> None:
    async with house.db.transaction() as tx:
        await people.set_password(tx, world.customer.id, await house.passwords.hashed("correct horse"))
        await audit.keep_answer(tx, "k", "x", b"", audit.Answer(200, {}), NOW)
    signed = await accounts.sign_in(house, "anna@example.org", "correct horse", address="::1", user_agent=None)
    assert isinstance(house.clock, Clock)
    house.clock.now = NOW + timedelta(days=29)
    assert await tidy_once(house) == (0, 1)
    assert await accounts.who(house, signed.token) is not None
    house.clock.now = NOW + timedelta(days=61)
    assert await accounts.who(house, signed.token) is None
    assert await tidy_once(house) == (1, 0)
