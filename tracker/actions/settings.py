"""Settings as staff read and change them (D4): all or none, audited, known to every process within two seconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from tracker.actions.catalog.editing import check_seen
from tracker.actions.catalog.unkept import holidays_that_differ, marking
from tracker.actions.house import House
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import NotAllowed
from tracker.records import audit
from tracker.records import settings as records
from tracker.records.database import Transaction
from tracker.records.settings import Settings


async def read_settings(house: House, actor: Actor) -> Settings:
    """Every setting as it is now."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return await records.read(tx)


async def change_settings(house: House, actor: Actor, changes: dict[str, Any], seen: str | None = None) -> Settings:
    """Change these settings, all or none. Admins, and programs whose token is good for it.

    Errors: `NotAllowed`, `BadInput` (names the one that does not fit), `ChangedMeanwhile` (``seen`` names another state).
    """
    if not (actor.role is Role.ADMIN or actor.token):
        raise NotAllowed("Settings are changed by admins.")
    now = house.clock()
    async with house.db.transaction() as tx:
        after = await write_settings(tx, actor.signed, changes, now, seen)
    await house.settings.refresh(house.db)
    house.company.forget()
    return after


async def write_settings(tx: Transaction, who: str, changes: dict[str, Any], now: datetime, seen: str | None = None) -> Settings:
    """Write those that change, each with its line in the audit; every setting as it is then. Errors as `change_settings`."""
    records.checked(changes)
    await records.lock(tx)
    before = await records.read(tx)
    check_seen(before, seen)
    async with _marking(tx, before, changes, now):
        for key, value in changes.items():
            old, wanted = msgspec.to_builtins(getattr(before, key)), msgspec.to_builtins(value)
            if old == wanted:
                continue
            await records.write(tx, key, wanted, who, now)
            await audit.write(tx, now, who, "setting", key, before={"value": old}, after={"value": wanted})
    return await records.read(tx)


@asynccontextmanager
async def _marking(tx: Transaction, before: Settings, changes: dict[str, Any], now: datetime) -> AsyncIterator[None]:
    """Other public holidays may close days on which visits are promised, or open them again."""
    holidays = changes.get("holidays", before.holidays)
    if holidays == before.holidays:
        yield
        return
    days = await holidays_that_differ(tx, now, before.holidays, holidays)
    async with marking(tx, now, days=days):
        yield
