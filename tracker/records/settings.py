"""Settings: what staff may change on a page, as rows; each has a default here."""

import contextlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select

from tracker.errors import BadInput
from tracker.records.database import Transaction
from tracker.records.schema import settings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings at one moment. Lengths of time carry their unit in the name."""

    company: str = "Technician Tracker"
    desk_phone: str = ""  # the service desk, on every page; empty: no number is shown
    desk_hours: str = ""  # when it answers, in words
    interval_traveling_s: int = 5  # how often a phone should speak on the way …
    interval_duty_s: int = 60  # … and otherwise on duty
    points_days: int = 7  # raw points are purged after that (P5)
    show_phone: bool = False  # the technician's phone number on the live page
    show_all_on_board: bool = True  # all on duty, not only those traveling (D1)
    arrival_radius_m: int = 120
    customer_cancels_traveling: bool = True  # A7


LIMITS = {
    "interval_traveling_s": (1, 60),
    "interval_duty_s": (5, 600),
    "points_days": (1, 60),  # 60 is the hard limit
    "arrival_radius_m": (30, 1_000),
}


async def read(tx: Transaction) -> Settings:
    """The settings now. A row that fits no more (an older version wrote it) counts as not set."""
    values = {}
    for row in await tx.rows(select(settings.c.key, settings.c.value)):
        with contextlib.suppress(BadInput):
            checked({row["key"]: row["value"]})
            values[row["key"]] = row["value"]
    return checked(values)


def checked(values: dict[str, Any]) -> Settings:
    """Settings of these values, defaults elsewhere; `BadInput` names the one that does not fit."""
    for key in values.keys() - set(Settings.__struct_fields__):
        raise BadInput(f"there is no setting {key!r}")
    try:
        result = msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from error
    for key, (least, most) in LIMITS.items():
        if not least <= getattr(result, key) <= most:
            raise BadInput(f"{key} must be between {least} and {most}")
    return result


async def write(tx: Transaction, key: str, value: Any, who: str, now: datetime) -> None:
    """Set one; `BadInput` if there is no such setting or the value does not fit."""
    checked({key: value})
    row = {"key": key, "value": value, "changed_at": now, "changed_by": who}
    changed = {name: row[name] for name in ("value", "changed_at", "changed_by")}
    await tx.change(tx.insert(settings).values(row).on_conflict_do_update(index_elements=["key"], set_=changed))


async def changed_at(tx: Transaction) -> datetime | None:
    """When any setting was changed last."""
    moment: datetime | None = await tx.value(select(func.max(settings.c.changed_at)))
    return moment
