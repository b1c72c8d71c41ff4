"""Contacts, invitations and what a code opens (O1–O5), on both databases, with two processes where it is a race."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.world import World, process
from tracker.actions.house import House
from tracker.actions.people import accounts, contacts, customers, invitations
from tracker.actions.people.customers import Place
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.codes import Purpose, code_of
from tracker.domain.geo import Point
from tracker.errors import (
    AlreadyThere,
    BadCredentials,
    BadInput,
    BadInvitation,
    Conflict,
    NotAllowed,
    NotFound,
    TooManyRequests,
    WeakPassword,
)
from tracker.records import outbox, people
from tracker.records.database import Transaction
from tracker.records.outbox import Letter

EMAIL, PASSWORD = "kaisa@example.org", "ruska ja kaksi poroa"
DESK = Actor(Role.DISPATCHER, person="desk")


async def letters(house: House, kind: str = "invitation") -> list[Letter]:
    async with house.db.reading() as tx:
        return [letter for letter in await outbox.latest(tx) if letter.kind == kind]


def code_in(house: House, letter: Letter) -> str:
    """The code that the letter will carry: made from the invitation's id, as the sender does."""
    return code_of(house.secret, Purpose.INVITATION, letter.message_id.split(".")[1])


async def redeem(house: House, code: str, email: str = EMAIL, password: str = PASSWORD) -> accounts.SignedIn:
    return await invitations.redeem(house, code, email, password, address="::1", user_agent="a browser")


async def invited(house: House, world: World) -> tuple[str, str]:
    """A contact and the code of the letter that was written by itself."""
    added = await contacts.add_contact(house, DESK, world.account, EMAIL.title(), "Kaisa Kokeilu")
    assert added.invited
    (letter,) = await letters(house)
    assert letter.recipient == EMAIL
    return added.contact.id, code_in(house, letter)


# -- one letter by itself ----------------------------------------------------------------------------------------------


async def test_adding_a_contact_writes_one_letter_and_its_code_opens_the_portal(house: House, world: World) -> None:
    contact, code = await invited(house, world)
    signed = await redeem(house, f"  {code.lower().replace('-', ' ')} ")
    assert signed.first
    assert signed.actor.role is Role.CUSTOMER
    assert signed.actor.accounts == {world.account}
    again = await accounts.sign_in(house, EMAIL, PASSWORD, address="::1", user_agent=None)
    assert not again.first
    async with house.db.reading() as tx:
        found = await customers.customers.contact(tx, contact)
    assert found
    assert found.person_id == signed.actor.person


async def test_an_address_spelled_another_way_is_the_same_address(house: House, world: World) -> None:
    first = await contacts.add_contact(house, DESK, world.account, "anna@exa\u0308mple.org", "Anna")
    other = await customers.add_account(house, DESK, "Another household")
    for spelling in ("ANNA@EXÄMPLE.ORG", "anna@xn--exmple-cua.org", "anna@ex\u00adämple.org"):
        again = await contacts.add_contact(house, DESK, other.id, spelling, "Anna")
        assert not again.invited
        await contacts.remove_contact(house, DESK, again.contact.id)
    (letter,) = await letters(house)
    signed = await redeem(house, code_in(house, letter), "Anna@xn--exmple-cua.org")
    assert first.invited
    again = await accounts.sign_in(house, "anna@exämple.org", PASSWORD, address="::1", user_agent=None)
    assert again.actor.person == signed.actor.person


@pytest.mark.parametrize(
    "said", ["zero\u200bwidth@x.yy", "control\x01@x.yy", "turned\u202e@x.yy", "a@-.-.yy", "a@..yy", "a@b_c.yy", "x" * 260]
)
async def test_an_address_that_no_letter_reaches_is_none(house: House, world: World, said: str) -> None:
    with pytest.raises(BadInput, match="not an e-mail address"):
        await contacts.add_contact(house, DESK, world.account, said, "Anna")


async def test_a_name_of_nothing_that_can_be_seen_is_none(house: House, world: World) -> None:
    with pytest.raises(BadInput, match="name is missing"):
        await contacts.add_contact(house, DESK, world.account, EMAIL, "\u200b\x00\u202e")
    added = await contacts.add_contact(house, DESK, world.account, EMAIL, "\u202eAnna\x00 B.")
    assert added.contact.name == "Anna B."


async def test_neither_the_letter_nor_any_other_row_holds_the_code(house: House, world: World) -> None:
    _, code = await invited(house, world)
    async with house.db.engine.connect() as connection:
        from sqlalchemy import select

        from tracker.records.schema import metadata

        for table in metadata.tables.values():
            for row in (await connection.execute(select(table))).all():
                assert code not in str(row)
                assert code.replace("-", "") not in str(row)


async def test_by_itself_only_once_for_an_address_even_if_it_was_deleted_or_is_in_another_account(
    house: House, world: World
) -> None:
    contact, _ = await invited(house, world)
    await contacts.remove_contact(house, DESK, contact)
    again = await contacts.add_contact(house, DESK, world.account, EMAIL, "Kaisa")
    assert not again.invited
    elsewhere = await contacts.add_contact(house, DESK, world.other_account, EMAIL, "Kaisa")
    assert not elsewhere.invited
    assert len(await letters(house)) == 1


async def test_two_contacts_added_at_once_on_two_processes_get_one_letter(
    house: House, world: World, database_url: str, redis_url: str
) -> None:
    from tracker.records.database import Database

    other_db = Database(database_url)
    async with process(other_db, redis_url, house.clock) as other:
        for turn in range(8):
            email = f"both{turn}@example.org"
            added = await asyncio.gather(
                contacts.add_contact(house, DESK, world.account, email, "One"),
                contacts.add_contact(other, DESK, world.other_account, email, "Two"),
            )
            assert sorted(one.invited for one in added) == [False, True]
    await other_db.close()
    assert len(await letters(house)) == 8


async def test_an_inactive_account_and_a_contact_without_an_address_get_no_letter(house: House, world: World) -> None:
    asleep = await customers.add_account(house, DESK, "Uinuva Oy", active=False)
    added = await contacts.add_contact(house, DESK, asleep.id, EMAIL, "Kaisa")
    assert not added.invited
    called = await contacts.add_contact(house, DESK, world.account, "  ", "Only Called", "+358 40 123")
    assert (called.contact.email, called.invited) == ("", False)
    await contacts.add_contact(house, DESK, world.account, "", "Only Called Too")
    assert await letters(house) == []
    with pytest.raises(Conflict, match="no e-mail"):
        await contacts.invite(house, DESK, called.contact.id)


async def test_an_account_has_each_address_once(house: House, world: World) -> None:
    await invited(house, world)
    with pytest.raises(AlreadyThere):
        await contacts.add_contact(house, DESK, world.account, EMAIL, "Kaisa again")
    with pytest.raises(Conflict, match="your own people"):
        await contacts.add_contact(house, DESK, world.account, "maya@example.org", "Maya")
    with pytest.raises(BadInput):
        await contacts.add_contact(house, DESK, world.account, "no address", "X")
    with pytest.raises(NotFound):
        await contacts.add_contact(house, DESK, "0" * 16, "x@example.org", "X")


async def test_a_sign_in_that_is_given_again_has_none_of_the_sessions_of_the_time_before(house: House, world: World) -> None:
    contact, code = await invited(house, world)
    before = await redeem(house, code)
    async with house.db.transaction() as tx:
        await people.end(tx, str(before.actor.person), house.clock())  # its process was killed before it ended the sessions
    given = await contacts.invite(house, DESK, contact)
    assert await accounts.who(house, (await redeem(house, given.code)).token)
    assert await accounts.who(house, before.token) is None


# -- by hand -----------------------------------------------------------------------------------------------------------


async def test_staff_can_always_make_a_further_one_which_ends_those_before(house: House, world: World) -> None:
    contact, first = await invited(house, world)
    given = await contacts.invite(house, DESK, contact)
    assert code_in(house, (await letters(house))[0]) in {given.code, first}
    with pytest.raises(BadInvitation):
        await redeem(house, first)
    assert (await redeem(house, given.code)).first
    with pytest.raises(Conflict, match="can sign in already"):
        await contacts.invite(house, DESK, contact)


async def test_only_staff_work_on_contacts(house: House, world: World) -> None:
    contact, _ = await invited(house, world)
    anna = Actor(Role.CUSTOMER, person=world.customer.id, accounts=frozenset({world.account}))
    for attempt in (
        contacts.add_contact(house, anna, world.account, "x@example.org", "X"),
        contacts.invite(house, anna, contact),
        contacts.remove_contact(house, anna, contact),
        contacts.invitations_of(house, anna, contact),
        customers.add_account(house, anna, "Mine"),
        customers.change_account(house, anna, world.account, active=False),
        customers.add_asset(house, anna, world.account, "Pump"),
        customers.find_accounts(house, anna),
    ):
        with pytest.raises(NotAllowed):
            await attempt


# -- what a code does not open -----------------------------------------------------------------------------------------


async def test_a_code_works_once_even_when_many_redeem_it_at_once(
    house: House, world: World, database_url: str, redis_url: str
) -> None:
    from tracker.records.database import Database

    _, code = await invited(house, world)
    other_db = Database(database_url)
    async with process(other_db, redis_url, house.clock) as other:
        other.passwords = house.passwords
        done = await asyncio.gather(*(redeem(one, code) for one in [house, other] * 4), return_exceptions=True)
    await other_db.close()
    assert sum(isinstance(one, accounts.SignedIn) for one in done) == 1
    assert sum(isinstance(one, BadInvitation) for one in done) == 7


async def test_a_contact_who_redeems_while_being_removed_is_removed(
    house: House, world: World, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for the other's rows: staff must not be told that the database is out of order."""
    from tracker.records.database import Database

    contact, code = await invited(house, world)
    redeeming, removing, use = asyncio.Event(), asyncio.Event(), invitations.invitations.use

    async def slowly(*said: Any) -> None:
        redeeming.set()
        async with asyncio.timeout(60):
            await removing.wait()
        await use(*said)

    async def lock(tx: Transaction, email: str) -> None:
        removing.set()
        await lock_address(tx, email)

    other_db = Database(database_url)
    async with process(other_db, redis_url, house.clock) as other:
        monkeypatch.setattr(invitations.invitations, "use", slowly)
        entering = asyncio.create_task(redeem(house, code))
        await redeeming.wait()
        lock_address = contacts.invitations.lock_address
        monkeypatch.setattr(contacts.invitations, "lock_address", lock)
        if other_db.sqlite:
            removing.set()  # whoever writes there is alone
        await contacts.remove_contact(other, DESK, contact)
        signed = await entering
        assert (await accounts.who(other, signed.token) or signed.actor).accounts == frozenset()
    await other_db.close()


async def test_unknown_expired_used_and_revoked_codes_and_another_address_are_answered_alike(house: House, world: World) -> None:
    contact, code = await invited(house, world)
    said = set()

    async def refused(code: str, email: str = EMAIL) -> None:
        with pytest.raises(BadInvitation) as refusal:
            await redeem(house, code, email)
        said.add((refusal.value.sentence, str(refusal.value.details)))

    await refused("AAAA-BBBB-CCCC")
    await refused("")
    await refused(code, "anna@example.org")
    house.clock.now += timedelta(days=7)
    await refused(code)
    house.clock.now -= timedelta(days=7)
    given = await contacts.invite(house, DESK, contact)
    await contacts.revoke_invitation(house, DESK, given.invitation.id)
    await refused(given.code)
    given = await contacts.invite(house, DESK, contact)
    await redeem(house, given.code)
    await refused(given.code)
    assert len(said) == 1


async def test_a_code_ends_with_its_contact(house: House, world: World) -> None:
    contact, code = await invited(house, world)
    await contacts.remove_contact(house, DESK, contact)
    with pytest.raises(BadInvitation):
        await redeem(house, code)


async def test_a_weak_password_does_not_use_the_code_up(house: House, world: World) -> None:
    _, code = await invited(house, world)
    for weak in ("ninechars", "kaisa@example.org", "Kokeilu Kokeilu"):
        with pytest.raises(WeakPassword):
            await redeem(house, code, password=weak)
    with pytest.raises(BadInvitation) as both:
        await redeem(house, "0000-0000-0000", password="ninechars")
    assert both.value.details == {"password": "Password is too short. Add 3 more characters."}
    await redeem(house, code)


async def test_guessing_is_slowed_down(house: House, world: World) -> None:
    for _ in range(invitations.TRIES_EMAIL):
        with pytest.raises(BadInvitation):
            await redeem(house, "0000-0000-0000")
    with pytest.raises(TooManyRequests):
        await redeem(house, "0000-0000-0000")
    for number in range(invitations.TRIES_ADDRESS - invitations.TRIES_EMAIL - 1):
        with pytest.raises(BadInvitation):
            await redeem(house, "0000-0000-0000", f"x{number}@example.org")
    with pytest.raises(TooManyRequests):
        await redeem(house, "0000-0000-0000", "anybody@example.org")


# -- several accounts --------------------------------------------------------------------------------------------------


async def test_a_further_account_appears_by_itself_with_a_letter_and_goes_with_the_contact(house: House, world: World) -> None:
    _, code = await invited(house, world)
    signed = await redeem(house, code)
    added = await contacts.add_contact(house, DESK, world.other_account, EMAIL, "Kaisa K.")
    assert (added.attached, added.invited) == (True, False)
    assert [letter.recipient for letter in await letters(house, "welcome_account")] == [EMAIL]
    actor = await accounts.who(house, signed.token)
    assert actor
    assert [own.name for own in actor.own] == ["Esimerkki", "Malli"]
    assert actor.account == world.account
    await accounts.choose_account(house, actor, world.other_account)
    actor = await accounts.who(house, signed.token)
    assert actor
    assert actor.account == world.other_account
    with pytest.raises(NotFound):
        await accounts.choose_account(house, actor, "0" * 16)
    await contacts.remove_contact(house, DESK, added.contact.id)
    actor = await accounts.who(house, signed.token)
    assert actor
    assert (actor.accounts, actor.account) == ({world.account}, world.account)


async def test_redeeming_attaches_every_contact_of_the_address(house: House, world: World) -> None:
    _, code = await invited(house, world)
    await contacts.add_contact(house, DESK, world.other_account, EMAIL, "Kaisa")
    assert (await redeem(house, code)).actor.accounts == {world.account, world.other_account}


async def test_a_contact_added_while_its_address_is_redeemed_is_attached(
    house: House, world: World, database_url: str, redis_url: str
) -> None:
    from tracker.records.database import Database

    other_db = Database(database_url)
    async with process(other_db, redis_url, house.clock) as other:
        for turn in range(6):
            email = f"race{turn}@example.org"
            await contacts.add_contact(house, DESK, world.account, email, "Race")
            code = code_in(house, next(one for one in await letters(house) if one.recipient == email))
            signed, _ = await asyncio.gather(
                redeem(house, code, email), contacts.add_contact(other, DESK, world.other_account, email, "Race")
            )
            actor = await accounts.who(house, signed.token)
            assert actor
            assert actor.accounts == {world.account, world.other_account}
    await other_db.close()


async def test_an_address_whose_sign_in_was_ended_can_be_invited_again(house: House, world: World) -> None:
    contact, code = await invited(house, world)
    signed = await redeem(house, code)
    assert signed.actor.person
    async with house.db.transaction() as tx:
        await accounts.people.end(tx, signed.actor.person, house.clock())
    with pytest.raises(BadCredentials):
        await accounts.sign_in(house, EMAIL, PASSWORD, address="::1", user_agent=None)
    given = await contacts.invite(house, DESK, contact)
    again = await redeem(house, given.code, password="toinen hyvä salasana")
    assert (again.actor.person, again.first) == (signed.actor.person, True)
    await accounts.sign_in(house, EMAIL, "toinen hyvä salasana", address="::1", user_agent=None)


# -- accounts and what belongs to them ---------------------------------------------------------------------------------


async def test_accounts_locations_and_assets(house: House, world: World) -> None:
    place = Place("Korkeavuorenkatu 24, Helsinki", Point(60.1651, 24.9463))
    account = await customers.add_account(house, DESK, "  Kokeilu   Oy ", place)
    assert (account.name, account.zone) == ("Kokeilu Oy", "Europe/Helsinki")
    barn = await customers.add_location(house, DESK, account.id, "Barn", Place("Rovaniemi", Point(66.5, 25.7)))
    pump = await customers.add_asset(house, DESK, account.id, "Heat pump", location=barn.id, model="X1", serial="42")
    with pytest.raises(NotFound):
        await customers.add_asset(house, DESK, world.account, "Boiler", location=barn.id)
    whole = await customers.customer(house, DESK, account.id)
    assert (whole.assets, whole.locations) == ([pump], [barn])
    assert not (await customers.set_asset_active(house, DESK, pump.id, active=False)).active
    moved = await customers.change_account(house, DESK, account.id, place=Place("Stockholm", Point(59.33, 18.06)), active=False)
    assert (moved.zone, moved.active, moved.name) == ("Europe/Stockholm", False, "Kokeilu Oy")
    assert [one.id for one in await customers.find_accounts(house, DESK, "KOKEILU")] == [account.id]
    assert await customers.find_accounts(house, DESK, "%") == []
    first, *rest = await customers.find_accounts(house, DESK)
    assert [one.id for one in await customers.find_accounts(house, DESK, after=first.id)] == [one.id for one in rest]
    with pytest.raises(BadInput):
        await customers.add_account(house, DESK, " ")
    with pytest.raises(BadInput):
        await customers.change_account(house, DESK, account.id, place=Place("x", Point(91.0, 0.0)))
    stranger = Actor(Role.CUSTOMER, person=world.stranger.id, accounts=frozenset({world.other_account}))
    with pytest.raises(NotFound):
        await customers.customer(house, stranger, account.id)


async def test_a_customer_gives_the_own_account_its_first_address_only(house: House, world: World) -> None:
    eve = Actor(Role.CUSTOMER, person=world.stranger.id, accounts=frozenset({world.other_account}))
    place = Place("Esimerkkikatu 2", Point(60.2, 24.9))
    assert (await customers.give_place(house, eve, world.other_account, place)).address == "Esimerkkikatu 2"
    with pytest.raises(AlreadyThere):
        await customers.give_place(house, eve, world.other_account, place)
    with pytest.raises(NotFound):
        await customers.give_place(house, eve, world.account, place)
