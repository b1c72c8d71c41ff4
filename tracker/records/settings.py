"""Settings: what staff may change on a page, as rows; each has a default here."""

import contextlib
import functools
import re
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import func, select

from tracker.domain.letter_kinds import Kind
from tracker.domain.misfits import misfit
from tracker.domain.tongues import LANGUAGES
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
    arrival: Literal["off", "suggest", "automatic"] = "suggest"  # what is done when a phone is noticed at the address (T5)
    customer_cancels_traveling: bool = True  # A7
    asset_selection: bool = True  # a customer may name the asset when booking (B2)
    details_field: bool = True  # … and add a text (B8)
    technician_tracking: bool = True  # a live map for customers; off: words and states alone, staff keep their board
    delay_min: int = 15  # a delay beyond so many minutes is told before departure (E5); 0: never
    surveys: bool = True
    lead_time_min: int = 120  # no arrival is offered sooner
    horizon_days: int = 60  # … nor later
    slot_grid_min: int = 30
    radius_km: int = 0  # from a technician's home to the place, as the crow flies; 0: no limit
    home_travel_before_hours: bool = True  # the way from home may lie before working hours
    way_home_must_fit: bool = False  # the way home must end within them
    holidays: str = ""  # whose public holidays are kept: "FI", "DE-BY"; empty: none
    modify_allowed: bool = True  # A6: by customers
    modify_until_h: int = 0  # not within so many hours before the arrival
    cancel_allowed: bool = True
    cancel_until_h: int = 0
    hold_min: int = 5  # how long a chosen time is held (B11)
    letters_for: Literal["portal", "all"] = "portal"  # N2
    language: str = "en"  # of letters to those who chose none; `tongues.LANGUAGES`
    letters_off: tuple[str, ...] = ()  # kinds of letters that are not sent (N1)
    reminders_h: tuple[int, ...] = (24,)  # hours before the arrival (N5); for what is booked or moved from then on
    booking_prefix: str = "WP"  # how booking ids begin: WP-7K3F-21


_PREFIX = re.compile(r"[A-Z0-9]{1,4}")
MOST_REMINDERS = 4
TEXTS, MOST_TEXT = ("company", "desk_phone", "desk_hours"), 200
"""What stands on every page and letter, and how many characters of it."""
LIMITS = {
    "interval_traveling_s": (1, 60),
    "interval_duty_s": (5, 600),
    "points_days": (1, 60),  # 60 is the hard limit
    "arrival_radius_m": (30, 1_000),
    "delay_min": (0, 240),
    "lead_time_min": (0, 20_160),
    "horizon_days": (1, 365),
    "slot_grid_min": (5, 240),
    "radius_km": (0, 20_000),
    "modify_until_h": (0, 336),
    "cancel_until_h": (0, 336),
    "hold_min": (1, 30),
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
        raise BadInput(f"There is no setting called {key!r}.")
    try:
        result = msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise misfit(error, Settings) from error
    for key, (least, most) in LIMITS.items():
        if not least <= getattr(result, key) <= most:
            raise BadInput(f"{key} must be between {least} and {most}")
    _check_texts(result)
    for kind in set(result.letters_off) - set(Kind):
        raise BadInput(f"there is no kind of letter {kind!r}; there are: {', '.join(Kind)}")
    if result.language not in LANGUAGES:
        raise BadInput(f"letters are not written in {result.language!r}; there are: {', '.join(LANGUAGES)}")
    if len(result.reminders_h) > MOST_REMINDERS or not all(1 <= hours <= 336 for hours in result.reminders_h):
        raise BadInput(f"reminders_h must be at most {MOST_REMINDERS} hours from 1 to 336: [24, 2]")
    if not _PREFIX.fullmatch(result.booking_prefix):
        raise BadInput("booking_prefix must be 1 to 4 capital letters or digits")
    if result.holidays and not _has_holidays(result.holidays):
        raise BadInput(f"holidays of {result.holidays!r} are not known: name a country (FI) or a part of one (DE-BY)")
    return result


def holidays_of(value: Any) -> str:
    """The region that a row says; none if it fits no more."""
    return value if isinstance(value, str) and value and _has_holidays(value) else ""


def _check_texts(said: Settings) -> None:
    for key in TEXTS:
        if len(getattr(said, key)) > MOST_TEXT:
            raise BadInput(f"{key} may have {MOST_TEXT} characters at most")


@functools.cache
def _has_holidays(region: str) -> bool:
    import holidays  # only where one is set: importing it takes a while

    country, _, part = region.partition("-")
    known = holidays.list_supported_countries()
    return country in known and (not part or part in known[country])


async def lock(tx: Transaction) -> None:
    """Whoever changes settings waits for whoever does so already, until the transaction ends."""
    await tx.alone("settings")


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
