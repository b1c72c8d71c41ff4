"""Settings as staff read and change them (D4): all or none, audited, known to every process within two seconds."""

from typing import Any

import msgspec

from tracker.actions.catalog.editing import check_seen
from tracker.actions.house import House
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import NotAllowed
from tracker.records import audit
from tracker.records import settings as records
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
        await records.lock(tx)
        before = await records.read(tx)
        check_seen(before, seen)
        for key, value in changes.items():
            old = getattr(before, key)
            wanted = msgspec.to_builtins(value)
            if msgspec.to_builtins(old) == wanted:
                continue
            await records.write(tx, key, wanted, actor.signed, now)
            await audit.write(tx, now, actor.signed, "setting", key, before={"value": old}, after={"value": wanted})
        after = await records.read(tx)
    await house.settings.refresh(house.db)
    house.company.forget()
    return after
