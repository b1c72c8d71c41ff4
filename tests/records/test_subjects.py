"""Each records module on both databases: what is written is read back, and what must be once is there once."""

from datetime import timedelta

import msgspec
import pytest

from tests.world import HOME, NOW, PLACE, settle
from tracker.domain.geo import distance_m, moved
from tracker.errors import BadInput, IdempotencyMismatch
from tracker.records import anchors, appointments, audit, customers, events, legs, people, points, sessions, settings, technicians
from tracker.records.audit import Answer
from tracker.records.database import Database, new_id
from tracker.records.events import Told
from tracker.records.legs import Leg
from tracker.records.people import Person
from tracker.records.points import TrackPoint
from tracker.records.sessions import Session
from tracker.records.violations import ConstraintViolated


def point(seq: int | None = None, **values: object) -> TrackPoint:
    fields = {"technician_id": "t", "device_id": "d", "fix_at": NOW, "received_at": NOW, "lat": 60.0, "lon": 24.0}
    boot = None if seq is None else "b"
    return msgspec.convert(fields | {"boot": boot, "seq": seq} | values, TrackPoint)


async def test_a_point_is_kept_once_whatever_phone_sent_it(db: Database) -> None:
    own = [point(seq, fix_at=NOW + timedelta(seconds=seq)) for seq in range(5)]
    stock = [point(fix_at=NOW + timedelta(seconds=60 + n)) for n in range(5)]
    for batch in (own + stock, own, stock, [*own[:2], point(9, fix_at=NOW + timedelta(hours=1), leg_id="l")]):
        async with db.transaction() as tx:
            await points.insert_points(tx, batch)
    around = NOW - timedelta(days=1), NOW + timedelta(days=1)
    async with db.reading() as tx:
        kept = await points.of_technician(tx, "t", *around)
        assert kept == [*own, *stock, point(9, fix_at=NOW + timedelta(hours=1), leg_id="l")]
        assert [p.seq for p in await points.of_leg(tx, "l")] == [9]


async def test_the_purge_takes_old_points_only_and_not_too_many_at_once(db: Database) -> None:
    async with db.transaction() as tx:
        await points.insert_points(tx, [point(n, fix_at=NOW - timedelta(days=n)) for n in range(10)])
    async with db.transaction() as tx:
        assert await points.purge_before(tx, NOW - timedelta(days=6), most=2) == 2
        assert await points.purge_before(tx, NOW - timedelta(days=6)) == 1
        assert await points.purge_before(tx, NOW - timedelta(days=6)) == 0
        assert await points.forget(tx, "t") == 7


async def test_a_session_lives_until_it_expires_or_ends_and_its_person_with_it(db: Database) -> None:
    world = await settle(db)
    who = world.customer.id
    ids = [new_id() for _ in range(3)]
    async with db.transaction() as tx:
        for number, session in enumerate(ids):
            times = {"created_at": NOW, "seen_at": NOW + timedelta(minutes=number), "expires_at": NOW + timedelta(hours=1)}
            await sessions.add(tx, Session(id=session, person_id=who, user_agent="x", **times), bytes([number]) * 32)
    async with db.transaction() as tx:
        found = await sessions.found(tx, bytes([1]) * 32, NOW)
        assert found is not None
        assert (found[0].id, found[1]) == (ids[1], world.customer)
        assert await sessions.found(tx, bytes([1]) * 32, NOW + timedelta(hours=1)) is None
        assert await sessions.found(tx, bytes([9]) * 32, NOW) is None
        assert [s.id for s in await sessions.of_person(tx, who, NOW)] == ids[::-1]
        assert await sessions.end(tx, world.stranger.id, NOW, only=ids[0]) == []  # not theirs
        assert sorted(await sessions.end(tx, who, NOW, but=ids[1])) == sorted([ids[0], ids[2]])
        assert await sessions.found(tx, bytes([0]) * 32, NOW) is None
        await people.end(tx, who, NOW)
        assert await sessions.found(tx, bytes([1]) * 32, NOW) is None
        assert await sessions.purge_before(tx, NOW + timedelta(hours=2)) == 3


async def test_an_address_signs_in_one_person_only_in_any_case(db: Database) -> None:
    world = await settle(db)

    async def add_again() -> None:
        async with db.transaction() as tx:
            again = Person(id=new_id(), email="ANNA@example.org ", name="x", role=world.customer.role)
            await people.add(tx, again, NOW)

    with pytest.raises(ConstraintViolated) as violated:
        await add_again()
    assert violated.value.name == "uq_people_email"
    async with db.reading() as tx:
        assert await people.by_email(tx, " Anna@Example.ORG") == world.customer
        assert [own.id for own in await customers.own_accounts(tx, world.customer.id)] == [world.account]
        assert await customers.own_accounts(tx, world.technician.id) == ()
        assert await people.how_many(tx) == len(await people.everybody(tx)) == 6


async def test_phones_open_by_token_until_revoked(db: Database) -> None:
    world = await settle(db)
    token = b"Maya".ljust(32, b".")
    async with db.transaction() as tx:
        device = await technicians.device_by_token(tx, token)
        assert device is not None
        assert (device.id, device.technician_id) == (world.phone, world.maya)
        browser = await technicians.browser_of(tx, world.maya, "browser", NOW)
        assert await technicians.browser_of(tx, world.maya, "browser", NOW) == browser
        assert {d.id for d in await technicians.devices_of(tx, world.maya)} == {world.phone, browser}
        assert await technicians.revoke_device(tx, world.phone, NOW)
        assert not await technicians.revoke_device(tx, world.phone, NOW)
        assert await technicians.device_by_token(tx, token) is None
        await technicians.change(tx, world.onni, active=False)
        assert await technicians.device_by_token(tx, b"Onni".ljust(32, b".")) is None


async def test_the_fence_only_rises(db: Database) -> None:
    world = await settle(db)
    async with db.transaction() as tx:
        maya = await technicians.locked(tx, world.maya)
        assert maya is not None
        assert await technicians.next_gate(tx, maya) == 1
        assert await technicians.next_gate(tx, maya, at_least=7) == 7
    async with db.reading() as tx:
        again = await technicians.by_id(tx, world.maya)
        assert again is not None
        assert again.gate_version == 7
        assert again.home == HOME


async def test_one_open_leg_a_technician(db: Database) -> None:
    world = await settle(db)
    visit = await world.appointment()

    async def begin() -> str:
        leg = Leg(id=new_id(), appointment_id=visit, technician_id=world.maya, started_at=NOW, hides_at=NOW + timedelta(hours=2))
        async with db.transaction() as tx:
            await legs.add(tx, leg)
        return leg.id

    first = await begin()
    with pytest.raises(ConstraintViolated) as violated:
        await begin()
    assert violated.value.name == "uq_legs_one_open"
    async with db.transaction() as tx:
        assert await legs.overdue(tx, NOW) == []
        assert [leg.id for leg in await legs.overdue(tx, NOW + timedelta(hours=2))] == [first]
        assert await legs.end(tx, first, NOW, "arrived")
        assert not await legs.end(tx, first, NOW, "arrived")
        assert await legs.open_of(tx, world.maya) is None
    assert await begin() != first


async def test_events_wait_to_be_told_in_order(db: Database) -> None:
    world = await settle(db)
    visit, other = await world.appointment(), await world.appointment(world.onni)
    async with db.transaction() as tx:
        for kind in ("booked", "traveling"):
            await events.add(tx, visit, kind, NOW, "x", {"n": 1})
        await events.add(tx, other, "booked", NOW + timedelta(minutes=1), "x", {})
    async with db.transaction() as tx:
        assert await events.with_untold(tx, NOW + timedelta(seconds=1)) == [visit]
        untold = await events.untold_of(tx, visit)
        assert [(e.kind, e.technician_id) for e in untold] == [("booked", world.maya), ("traveling", world.maya)]
        await events.mark_told(tx, [e.id for e in untold], NOW)
        assert await events.untold_of(tx, visit) == []
        assert [e.told_at for e in await events.of_appointment(tx, visit)] == [NOW, NOW]
        told = [Told(appointment_id=visit, epoch="e", offset=n, at=NOW, what={"state": "traveling"}) for n in (1, 2)]
        await events.insert_told(tx, told)
        await events.insert_told(tx, told)
        assert await events.told_of(tx, visit) == told


async def test_appointments_are_found_by_whose_they_are_and_when(db: Database) -> None:
    world = await settle(db)
    late, early = await world.appointment(arrival_at=NOW + timedelta(hours=3)), await world.appointment()
    async with db.transaction() as tx:
        assert [a.id for a in await appointments.of_accounts(tx, frozenset({world.account}))] == [early, late]
        assert await appointments.of_accounts(tx, frozenset()) == []
        found = await appointments.locked(tx, early)
        assert found is not None
        assert (found.service, found.place, found.since) == ("Heat pump service", PLACE, found.created_at)
        assert await appointments.change(tx, found, state="traveling", traveling_at=NOW) == 2
        tomorrow = NOW + timedelta(hours=1), NOW + timedelta(days=1)
        assert [a.id for a in await appointments.of_technician(tx, world.maya, *tomorrow)] == [early, late]
        assert await appointments.of_technician(tx, world.onni, *tomorrow) == []
        traveling = await appointments.traveling_of(tx, world.maya)
        assert traveling is not None
        assert (traveling.id, traveling.since, traveling.version) == (early, NOW, 2)


async def test_settings_have_defaults_limits_and_forgive_old_rows(db: Database) -> None:
    async with db.transaction() as tx:
        assert await settings.read(tx) == settings.Settings()
        await settings.write(tx, "points_days", 30, "admin", NOW)
        await settings.write(tx, "points_days", 14, "admin", NOW)
        assert (await settings.read(tx)).points_days == 14
        await tx.change(settings.settings.update().values(value="many"))
        assert (await settings.read(tx)).points_days == 7


@pytest.mark.parametrize(("key", "value"), [("points_days", 61), ("points_days", "x"), ("no_such", 1), ("show_phone", 3)])
async def test_a_setting_that_does_not_fit_is_refused(db: Database, key: str, value: object) -> None:
    async with db.transaction() as tx:
        with pytest.raises(BadInput):
            await settings.write(tx, key, value, "admin", NOW)
        assert await settings.read(tx) == settings.Settings()


async def test_an_answer_is_kept_for_the_same_body_only(db: Database) -> None:
    async with db.transaction() as tx:
        assert await audit.answered(tx, "k", "anna", b"{}") is None
        await audit.keep_answer(tx, "k", "anna", b"{}", Answer(201, {"id": "1"}), NOW)
        assert await audit.answered(tx, "k", "anna", b"{}") == Answer(201, {"id": "1"})
        assert await audit.answered(tx, "k", "eve", b"{}") is None
        with pytest.raises(IdempotencyMismatch):
            await audit.answered(tx, "k", "anna", b"{ }")
        await audit.write(tx, NOW, "admin", "settings.change", "points_days", before={"value": 7}, after={"value": 14})
        assert [(e.actor, e.after) for e in await audit.latest(tx)] == [("admin", {"value": 14})]
        assert await audit.purge_answers(tx, NOW + timedelta(days=1)) == 1


async def test_places_near_each_other_share_the_oldest_anchor(db: Database) -> None:
    near, chain = moved(PLACE, 90, 140), moved(PLACE, 90, 280)
    async with db.transaction() as tx:
        assert await anchors.anchor_of(tx, PLACE, NOW) == PLACE
        assert await anchors.anchor_of(tx, near, NOW) == PLACE
        assert await anchors.anchor_of(tx, chain, NOW) == chain  # near to `near`, but that one is no anchor
        assert await anchors.anchor_of(tx, near, NOW) == PLACE  # and stays where it was
        assert await anchors.anchor_of(tx, HOME, NOW) == HOME
        assert distance_m(PLACE, chain) > 150
