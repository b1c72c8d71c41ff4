"""Technicians' phones: a token shown once, revoked when a phone is lost, and the one phone that moves the marker."""

import secrets
from dataclasses import dataclass

from tracker.actions.house import House
from tracker.actions.people.accounts import hashed
from tracker.actions.trip.gates import open_gate
from tracker.domain.accounts import Actor
from tracker.errors import NotAllowed, NotFound
from tracker.live.control import Ask
from tracker.records import audit, technicians
from tracker.records.technicians import Device


@dataclass(frozen=True, slots=True)
class NewPhone:
    """A phone that may speak from now on. ``token`` is shown this once; the database has its SHA-256."""

    device: str
    token: str


async def add_phone(house: House, actor: Actor, technician: str, name: str) -> NewPhone:
    """Give a technician's phone a token; the first phone is the chosen one. Staff only; `NotFound`."""
    _staff(actor)
    token, now = secrets.token_urlsafe(32), house.clock()
    async with house.db.transaction() as tx:
        found = await technicians.locked(tx, technician)
        if found is None:
            raise NotFound("There is no technician with this id.")
        device = await technicians.add_device(tx, technician, name, now, token_hash=hashed(token))
        if found.device_id is None:
            await technicians.change(tx, technician, device_id=device)
            await technicians.next_gate(tx, found)
        await audit.write(tx, now, actor.signed, "phone.added", technician, after={"device": device})
    await open_gate(house, technician)
    return NewPhone(device, token)


async def phones_of(house: House, actor: Actor, technician: str) -> list[Device]:
    """A technician's phones that were not revoked; staff see everybody's, a technician the own ones."""
    if not actor.staff and actor.technician != technician:
        raise NotAllowed
    async with house.db.reading() as tx:
        return await technicians.devices_of(tx, technician)


async def revoke_phone(house: House, actor: Actor, device: str) -> None:
    """End a phone's token; its sockets in all processes are closed when this returns, and nothing it says is stored any more,
    whatever was on its way. `NotFound` if it was ended before."""
    _staff(actor)
    now = house.clock()
    async with house.db.transaction() as tx:
        found = await technicians.device(tx, device)
        owner = await technicians.locked(tx, found.technician_id) if found else None
        if found is None or owner is None or not await technicians.revoke_device(tx, device, now):
            raise NotFound("There is no phone with this id, or its token was ended before.")
        await technicians.next_gate(tx, owner)
        await audit.write(tx, now, actor.signed, "phone.revoked", found.technician_id, before={"device": device})
    await open_gate(house, found.technician_id)
    await house.control.ask(Ask.REPLACE_DEVICE, device)


async def choose_phone(house: House, actor: Actor, device: str) -> None:
    """Let this phone move the marker (while nobody took *Start travel* with another one). The technician or staff."""
    async with house.db.transaction() as tx:
        found = await technicians.device(tx, device)
        if found is None or found.revoked_at is not None or not (actor.staff or actor.technician == found.technician_id):
            raise NotFound("There is no phone with this id.")
        owner = await technicians.locked(tx, found.technician_id)
        if owner is None:
            raise NotFound
        before, after = {"device": owner.device_id}, {"device": device}
        await technicians.change(tx, owner.id, device_id=device)
        await technicians.next_gate(tx, owner)
        await audit.write(tx, house.clock(), actor.signed, "phone.chosen", owner.id, before=before, after=after)
    await open_gate(house, found.technician_id)


def _staff(actor: Actor) -> None:
    if not actor.staff:
        raise NotAllowed
