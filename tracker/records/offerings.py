"""Service types with the skills they need and the accounts they are for, and the skills themselves: as staff write them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update

from tracker.records import pairs
from tracker.records.database import Transaction
from tracker.records.schema import service_type_skills, service_types, skills, technician_skills

_SKILLS = ("service_type_skills", "service_type_id", "skill_id")
_ACCOUNTS = ("service_type_accounts", "service_type_id", "account_id")


class Offering(msgspec.Struct, frozen=True, kw_only=True):
    """A service type with all that staff say of it. ``accounts`` counts only where it is not ``for_all``."""

    id: str
    name: str
    duration_min: int
    description: str | None = None
    active: bool = True
    self_schedulable: bool = True
    crew: int = 1
    for_all: bool = True
    skills: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """Something that not everybody can do."""

    id: str
    name: str


_COLUMNS = [service_types.c[name] for name in Offering.__struct_fields__ if name in service_types.c]


async def everything(tx: Transaction) -> list[Offering]:
    """Every service type, active or not, by name."""
    rows = await tx.rows(select(*_COLUMNS).order_by(func.lower(service_types.c.name), service_types.c.id))
    return await _whole(tx, rows)


async def by_id(tx: Transaction, service: str, *, lock: bool = False) -> Offering | None:
    """One service type; ``lock``: its row until the transaction ends."""
    query = select(*_COLUMNS).where(service_types.c.id == service)
    found = await _whole(tx, await tx.rows(query.with_for_update() if lock else query))
    return found[0] if found else None


async def _whole(tx: Transaction, rows: Sequence[Any]) -> list[Offering]:
    ids = [row["id"] for row in rows]
    needed, named = await pairs.of(tx, *_SKILLS, ids), await pairs.of(tx, *_ACCOUNTS, ids)
    return [Offering(**row, skills=needed.get(row["id"], ()), accounts=named.get(row["id"], ())) for row in rows]


async def add(tx: Transaction, offering: Offering) -> None:
    """A new service type."""
    await tx.change(service_types.insert().values(_values(offering)))
    await _link(tx, offering)


async def replace(tx: Transaction, offering: Offering) -> None:
    """The service type is this from now on."""
    await tx.change(update(service_types).where(service_types.c.id == offering.id).values(_values(offering)))
    await _link(tx, offering)


async def _link(tx: Transaction, offering: Offering) -> None:
    await pairs.replace(tx, *_SKILLS, offering.id, offering.skills)
    await pairs.replace(tx, *_ACCOUNTS, offering.id, offering.accounts)


def _values(offering: Offering) -> dict[str, Any]:
    return {column.name: getattr(offering, column.name) for column in _COLUMNS}


# -- skills ------------------------------------------------------------------------------------------------------------


async def all_skills(tx: Transaction) -> list[Skill]:
    """Every skill by name."""
    return await tx.all(select(skills.c.id, skills.c.name).order_by(func.lower(skills.c.name), skills.c.id), Skill)


async def other_skills(tx: Transaction, skill: str) -> list[str]:
    """What all skills but one are called; nobody else names one until the transaction ends."""
    await tx.alone("skills.name")
    return [row[0] for row in await tx.tuples(select(skills.c.name).where(skills.c.id != skill))]


async def skill(tx: Transaction, skill: str) -> Skill | None:
    """One skill, its row locked until the transaction ends."""
    return await tx.one(select(skills.c.id, skills.c.name).where(skills.c.id == skill).with_for_update(), Skill)


async def add_skill(tx: Transaction, skill: Skill) -> None:
    """A new skill; `ConstraintViolated` (`uq_skills_name`) if there is one of that name."""
    await tx.change(skills.insert().values(id=skill.id, name=skill.name))


async def rename_skill(tx: Transaction, skill: str, name: str) -> None:
    """The skill is called this."""
    await tx.change(update(skills).where(skills.c.id == skill).values(name=name))


async def needing(tx: Transaction, skill: str) -> list[str]:
    """The names of the service types that need a skill."""
    need = service_type_skills.c
    query = select(service_types.c.name).join(service_type_skills, need.service_type_id == service_types.c.id)
    return [row[0] for row in await tx.tuples(query.where(need.skill_id == skill).order_by(service_types.c.name))]


async def remove_skill(tx: Transaction, skill: str) -> int:
    """Nobody has it and nothing is called so any more; how many technicians had it."""
    had = await tx.change(delete(technician_skills).where(technician_skills.c.skill_id == skill))
    await tx.change(delete(skills).where(skills.c.id == skill))
    return had
