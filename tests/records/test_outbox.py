"""Letters as rows: to whom, when not, once for each cause."""

import pytest
from sqlalchemy import select, update

from tests.world import NOW, World
from tracker.records import outbox, people
from tracker.records.outbox import Kind, informed_by_default
from tracker.records.schema import appointments, contacts


async def reported(world: World, **changed: object) -> str:
    """An appointment that Anna reported."""
    visit = await world.appointment()
    async with world.db.transaction() as tx:
        anna = await tx.value(select(contacts.c.id).where(contacts.c.email == "anna@example.org"))
        await tx.change(update(appointments).where(appointments.c.id == visit).values(contact_id=anna, **changed))
    return visit


async def written(world: World, visit: str, kind: Kind = Kind.CONFIRMATION) -> bool:
    async with world.db.transaction() as tx:
        return await outbox.add_for(tx, kind, visit, NOW, payload={"was": "x"})


async def letters(world: World, visit: str) -> list[outbox.Letter]:
    async with world.db.reading() as tx:
        return await outbox.of_appointment(tx, visit)


async def test_a_letter_goes_to_the_contact_who_reported_it_once(world: World) -> None:
    visit = await reported(world)
    assert await written(world, visit)
    assert not await written(world, visit)
    (letter,) = await letters(world, visit)
    assert (letter.recipient, letter.kind, letter.payload) == ("anna@example.org", "confirmation", {"was": "x"})
    assert letter.message_id == f"confirmation.{visit}.0"


async def test_each_move_has_its_own_letter(world: World) -> None:
    visit = await reported(world, sequence=1)
    assert await written(world, visit, Kind.RESCHEDULED)
    async with world.db.transaction() as tx:
        await tx.change(update(appointments).where(appointments.c.id == visit).values(sequence=2))
    assert await written(world, visit, Kind.RESCHEDULED)
    assert [letter.message_id[-2:] for letter in await letters(world, visit)] in ([".1", ".2"], [".2", ".1"])


async def test_nobody_is_written_to_who_did_not_report_or_was_removed_or_does_not_want_it(world: World) -> None:
    unreported = await world.appointment()
    assert not await written(world, unreported)
    unwanted = await reported(world, keep_informed=False)
    assert not await written(world, unwanted)
    removed = await reported(world)
    async with world.db.transaction() as tx:
        await tx.change(update(contacts).values(ended_at=NOW))
    assert not await written(world, removed)


async def test_a_contact_without_an_address_gets_nothing(world: World) -> None:
    visit = await world.appointment()
    async with world.db.transaction() as tx:
        nobody = await people.add_contact(tx, world.account, "", "Paper Only", NOW)
        await tx.change(update(appointments).where(appointments.c.id == visit).values(contact_id=nobody))
    assert not await written(world, visit)


async def test_a_letter_is_gone_with_the_transaction_that_caused_it(world: World) -> None:
    visit = await reported(world)

    async def broken() -> None:
        async with world.db.transaction() as tx:
            assert await outbox.add_for(tx, Kind.CANCELED, visit, NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken()
    assert await letters(world, visit) == []


@pytest.mark.parametrize(
    ("source", "letters_for", "informed"),
    [("portal", "portal", True), ("portal", "all", True), ("staff", "portal", False), ("staff", "all", True)],
)
def test_whom_letters_are_for_is_preset(source: str, letters_for: str, *, informed: bool) -> None:
    assert informed_by_default(source, letters_for) is informed
