"""Technicians, their working hours and their phones."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select, update

from tracker.domain.geo import Point
from tracker.records.database import Transaction, new_id
from tracker.records.schema import devices, technician_hours, technicians


class Technician(msgspec.Struct, frozen=True, kw_only=True):
    """Who drives. ``device_id`` is the chosen phone, ``gate_version`` the fence of the gate (docs/architecture.md)."""

    id: str
    name: str
    zone: str
    title: str | None = None
    photo: str | None = None
    vehicle: str | None = None
    plate: str | None = None
    phone: str | None = None
    home_lat: float | None = None
    home_lon: float | None = None
    active: bool = True
    sharing: bool = True
    sharing_reason: str | None = None
    sharing_since: datetime | None = None
    device_id: str | None = None
    gate_version: int = 0

    @property
    def home(self) -> Point | None:
        """Where the day begins, if known."""
        return None if self.home_lat is None or self.home_lon is None else Point(self.home_lat, self.home_lon)


class Hours(msgspec.Struct, frozen=True):
    """One stretch of duty: ``weekday`` (Monday = 0), minutes after local midnight; ``ends`` may lie beyond 1440."""

    weekday: int
    starts: int
    ends: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A phone. Without a token's hash it is the browser of a signed-in technician."""

    id: str
    technician_id: str
    name: str
    created_at: datetime
    passphrase: str | None = None
    interval_s: int | None = None
    seen_at: datetime | None = None
    revoked_at: datetime | None = None


_TECHNICIAN = [technicians.c[name] for name in Technician.__struct_fields__]
_DEVICE = [devices.c[name] for name in Device.__struct_fields__]


async def by_id(tx: Transaction, technician: str) -> Technician | None:
    """The technician, active or not."""
    return await tx.one(select(*_TECHNICIAN).where(technicians.c.id == technician), Technician)


async def of_ids(tx: Transaction, ids: Iterable[str]) -> list[Technician]:
    """Those of them that there are, active or not."""
    return await tx.all(select(*_TECHNICIAN).where(technicians.c.id.in_(list(ids))), Technician)


async def locked(tx: Transaction, technician: str) -> Technician | None:
    """The technician with the row locked until the transaction ends: every opening and closing begins here."""
    return await tx.one(select(*_TECHNICIAN).where(technicians.c.id == technician).with_for_update(), Technician)


_LOCK = select(technicians.c.id).where(technicians.c.id == bindparam("technician")).with_for_update()


async def lock(tx: Transaction, technician: str) -> None:
    """Lock the row as `locked` does, for whoever need not know more of it."""
    await tx.value(_LOCK, {"technician": technician})


async def everybody(tx: Transaction, *, active: bool = True) -> list[Technician]:
    """All (active) technicians by name."""
    query = select(*_TECHNICIAN).order_by(technicians.c.name, technicians.c.id)
    return await tx.all(query.where(technicians.c.active) if active else query, Technician)


async def add(tx: Transaction, technician: Technician) -> None:
    """A new technician."""
    await tx.change(technicians.insert().values(msgspec.structs.asdict(technician)))


async def change(tx: Transaction, technician: str, **values: Any) -> None:
    """Set columns of a technician."""
    await tx.change(update(technicians).where(technicians.c.id == technician).values(values))


async def next_gate(tx: Transaction, technician: Technician, at_least: int = 0) -> int:
    """Raise the gate's fence of a locked technician by one (and to ``at_least``); the new version."""
    version = max(technician.gate_version + 1, at_least)
    await change(tx, technician.id, gate_version=version)
    return version


async def hours_of(tx: Transaction, technician: str) -> list[Hours]:
    """The week's stretches of duty."""
    columns = [technician_hours.c[name] for name in Hours.__struct_fields__]
    return await tx.all(select(*columns).where(technician_hours.c.technician_id == technician).order_by(*columns), Hours)


async def hours_of_all(tx: Transaction) -> dict[str, list[Hours]]:
    """The week's stretches of duty of everybody, by technician."""
    columns = [technician_hours.c[name] for name in Hours.__struct_fields__]
    rows = await tx.rows(select(technician_hours.c.technician_id, *columns).order_by(*columns))
    found: dict[str, list[Hours]] = {}
    for row in rows:
        found.setdefault(row["technician_id"], []).append(Hours(row["weekday"], row["starts"], row["ends"]))
    return found


async def set_hours(tx: Transaction, technician: str, hours: Iterable[Hours]) -> None:
    """Replace the week's stretches of duty."""
    await tx.change(delete(technician_hours).where(technician_hours.c.technician_id == technician))
    rows = [{"technician_id": technician, **msgspec.structs.asdict(stretch)} for stretch in hours]
    if rows:
        await tx.change(technician_hours.insert(), rows)


async def add_device(
    tx: Transaction, technician: str, name: str, now: datetime, *, token_hash: bytes | None = None, interval_s: int | None = None
) -> str:
    """A new phone, with the SHA-256 of its token if it has one; its id."""
    device = new_id()
    values = {"technician_id": technician, "name": name, "token_hash": token_hash, "interval_s": interval_s, "created_at": now}
    await tx.change(devices.insert().values(id=device, **values))
    return device


async def in_use(tx: Transaction, technician: str) -> bool:
    """True for a technician who is active."""
    return await tx.row(select(technicians.c.id).where(technicians.c.id == technician, technicians.c.active)) is not None


async def device_by_token(tx: Transaction, token_hash: bytes) -> Device | None:
    """The phone of a token, if the token was not revoked and the technician is active."""
    living = (devices.c.token_hash == token_hash) & devices.c.revoked_at.is_(None) & technicians.c.active
    joined = select(*_DEVICE).join_from(devices, technicians, devices.c.technician_id == technicians.c.id)
    return await tx.one(joined.where(living), Device)


async def device(tx: Transaction, device: str) -> Device | None:
    """One phone by its id, revoked or not."""
    return await tx.one(select(*_DEVICE).where(devices.c.id == device), Device)


async def devices_of(tx: Transaction, technician: str) -> list[Device]:
    """A technician's phones that were not revoked, the oldest first."""
    living = (devices.c.technician_id == technician) & devices.c.revoked_at.is_(None)
    return await tx.all(select(*_DEVICE).where(living).order_by(devices.c.created_at, devices.c.id), Device)


async def browser_of(tx: Transaction, technician: str, name: str, now: datetime) -> str:
    """The device that stands for a signed-in technician's browser, made at its first use; its id."""
    living = (devices.c.technician_id == technician) & (devices.c.name == name) & devices.c.revoked_at.is_(None)
    found = await tx.value(select(devices.c.id).where(living, devices.c.token_hash.is_(None)).limit(1))
    return str(found) if found else await add_device(tx, technician, name, now)


async def revoked_since(tx: Transaction, moment: datetime, technician: str | None = None) -> dict[str, frozenset[str]]:
    """The phones revoked since then, by technician: of everybody, or of one."""
    which = devices.c.revoked_at > moment
    if technician is not None:
        which &= devices.c.technician_id == technician
    found: dict[str, set[str]] = {}
    for row in await tx.rows(select(devices.c.technician_id, devices.c.id).where(which)):
        found.setdefault(row["technician_id"], set()).add(row["id"])
    return {owner: frozenset(ids) for owner, ids in found.items()}


async def revoke_device(tx: Transaction, device: str, now: datetime) -> bool:
    """The phone's token opens nothing any more; False if it was revoked before."""
    which = (devices.c.id == device) & devices.c.revoked_at.is_(None)
    return await tx.change(update(devices).where(which).values(revoked_at=now)) == 1


async def device_seen(tx: Transaction, device: str, now: datetime) -> None:
    """Note that the phone knocked."""
    await tx.change(update(devices).where(devices.c.id == device).values(seen_at=now))
