"""Territories: named areas that technicians serve."""

from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update

from tracker.records.database import Transaction
from tracker.records.schema import technician_territories, territories


class Territory(msgspec.Struct, frozen=True, kw_only=True):
    """An area (GeoJSON) with its box in degrees. ``version`` rises with each change of the area."""

    id: str
    name: str
    area: dict[str, Any]
    south: float
    west: float
    north: float
    east: float
    active: bool = True
    version: int = 1


_COLUMNS = [territories.c[name] for name in Territory.__struct_fields__]


async def everything(tx: Transaction) -> list[Territory]:
    """Every territory by name, active or not."""
    return await tx.all(select(*_COLUMNS).order_by(func.lower(territories.c.name), territories.c.id), Territory)


async def other_names(tx: Transaction, territory: str) -> list[str]:
    """What all territories but one are called; nobody else names one until the transaction ends."""
    await tx.alone("territories.name")
    return [row[0] for row in await tx.tuples(select(territories.c.name).where(territories.c.id != territory))]


async def by_id(tx: Transaction, territory: str, *, lock: bool = False) -> Territory | None:
    """One territory; ``lock``: its row until the transaction ends."""
    query = select(*_COLUMNS).where(territories.c.id == territory)
    return await tx.one(query.with_for_update() if lock else query, Territory)


async def add(tx: Transaction, territory: Territory) -> None:
    """A new territory; `ConstraintViolated` (`uq_territories_name`) if there is one of that name."""
    await tx.change(territories.insert().values(msgspec.structs.asdict(territory)))


async def replace(tx: Transaction, territory: Territory) -> None:
    """The territory is this from now on."""
    await tx.change(update(territories).where(territories.c.id == territory.id).values(msgspec.structs.asdict(territory)))


async def serving(tx: Transaction, territory: str) -> int:
    """How many technicians serve it."""
    t = technician_territories.c
    return int(await tx.value(select(func.count()).select_from(technician_territories).where(t.territory_id == territory)))


async def remove(tx: Transaction, territory: str) -> None:
    """It is gone; `ConstraintViolated` while a technician serves it."""
    await tx.change(delete(territories).where(territories.c.id == territory))
