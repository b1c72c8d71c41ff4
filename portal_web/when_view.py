"""Days and arrival times to choose from, as values to print: a week's strip and the chosen day's times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Protocol

from babel.dates import format_date

from portal_web.times import LOCALE, clock, machine, said_twice, zone_of, zone_words

WEEK = timedelta(days=7)
_PARTS = ((12, "morning"), (18, "afternoon"), (24, "evening"))


class Offer(Protocol):
    """One arrival time."""

    @property
    def arrival_at(self) -> datetime: ...


class DayTimes(Protocol):
    """The arrival times of one local day."""

    @property
    def day(self) -> date: ...
    @property
    def offers(self) -> Sequence[Offer]: ...


class Times(Protocol):
    """What a search for times found."""

    @property
    def zone(self) -> str: ...
    @property
    def first(self) -> date: ...
    @property
    def days(self) -> Sequence[DayTimes]: ...
    @property
    def source(self) -> str: ...
    @property
    def next_free(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day of the strip; ``label`` is what is read aloud."""

    value: str
    weekday: str
    number: str
    count: str
    label: str
    full: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """One arrival time. ``value`` is what its button sends: UTC to the second. ``note`` says why it cannot be pressed."""

    at: datetime
    value: str
    clock: str
    chosen: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The times of a part of the day."""

    heading: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class NextFree:
    """The next day with a time, where the strip has none."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The week shown and the times of its chosen day. ``earlier`` and ``later`` are first days, None at either end.

    ``estimated``: no road router answered, so travel was reckoned from the distance.
    """

    months: str
    first: str
    day: str
    earlier: str | None
    later: str | None
    days: tuple[DayCell, ...]
    groups: tuple[Group, ...]
    none: str | None = None
    next_free: NextFree | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader chose: a day, a time; what was just taken by somebody else; ``own``, the visit's present time."""

    day: date | None = None
    at: datetime | None = None
    taken: datetime | None = None
    own: datetime | None = None


def strip_of(times: Times, asked: Asked, today: date, horizon_days: int) -> Strip:
    """The week of ``times``; weeks are paged from ``today`` to so many days on.

    The chosen day is the one asked for, else that of the time asked for, else the visit's own, else the first with a time.
    """
    with_times = [one.day for one in times.days if one.offers]
    at_day, own_day = (one.astimezone(zone_of(times.zone)).date() if one else None for one in (asked.at, asked.own))
    shown = {one.day for one in times.days}
    likely = own_day if own_day in with_times else next(iter(with_times), None)
    chosen = next((one for one in (asked.day, at_day) if one in shown), likely)
    groups = _groups(next((one for one in times.days if one.day == chosen), None), times.zone, asked)
    last = times.first + WEEK - timedelta(days=1)
    return Strip(
        months=_months(times.first, last),
        first=times.first.isoformat(),
        day=chosen.isoformat() if chosen else "",
        earlier=max(times.first - WEEK, today).isoformat() if times.first > today else None,
        later=(times.first + WEEK).isoformat() if last < today + timedelta(days=horizon_days) else None,
        days=tuple(_cell(one, one.day == chosen) for one in times.days),
        groups=groups,
        none=None if with_times else _none(times),
        next_free=_next_free(times) if not with_times else None,
        estimated=times.source != "road",
    )


def _cell(one: DayTimes, chosen: bool) -> DayCell:
    many = len(one.offers)
    count = f"{many} time{'s' if many != 1 else ''}" if many else "full"
    return DayCell(
        value=one.day.isoformat(),
        weekday=format_date(one.day, "EEE", locale=LOCALE),
        number=str(one.day.day),
        count=count,
        label=f"{format_date(one.day, 'EEEE d MMMM', locale=LOCALE)}, {count}",
        full=not many,
        chosen=chosen,
    )


def _groups(one: DayTimes | None, zone: str, asked: Asked) -> tuple[Group, ...]:
    if one is None:
        return ()
    moments = {offer.arrival_at for offer in one.offers}
    special = (at for at in (asked.taken, asked.own) if at)
    moments.update(at for at in special if at.astimezone(zone_of(zone)).date() == one.day)
    groups: list[Group] = []
    for part, found in groupby(sorted(moments), key=lambda at: _part(at, zone)):
        heading = f"{format_date(one.day, 'EEEE d MMMM', locale=LOCALE)}, {part}" if not groups else part.capitalize()
        groups.append(Group(heading, tuple(_slot(at, _told(at, zone), asked) for at in found)))
    return tuple(groups)


def _slot(at: datetime, text: str, asked: Asked) -> Slot:
    note = "taken" if at == asked.taken else "your present time" if at == asked.own else None
    return Slot(at, machine(at), text, at == asked.at, note)


def _told(at: datetime, zone: str) -> str:
    """In the hour that the clocks repeat a time is said with its offset, also where only one of the two is free."""
    text = clock(at, zone)
    return f"{text} {at.astimezone(zone_of(zone)).strftime('%Z')}" if said_twice(at, zone) else text


def zone_shown(strip: Strip | None, zone: str, now: datetime) -> str:
    """The zone as it is at the times that are shown; without any, on the day that is shown, or now."""
    shown = [slot.at for group in strip.groups for slot in group.slots] if strip else []
    if not shown and strip:
        shown = [datetime.fromisoformat(f"{strip.day or strip.first}T12:00").replace(tzinfo=zone_of(zone))]
    return zone_words(zone, *(shown or [now]))


def _part(at: datetime, zone: str) -> str:
    hour = at.astimezone(zone_of(zone)).hour
    return next(part for end, part in _PARTS if hour < end)


def _months(first: date, last: date) -> str:
    if (first.year, first.month) == (last.year, last.month):
        return format_date(first, "MMMM y", locale=LOCALE)
    begun = format_date(first, "MMMM" if first.year == last.year else "MMMM y", locale=LOCALE)
    return f"{begun} to {format_date(last, 'MMMM y', locale=LOCALE)}"


def _none(times: Times) -> str:
    if times.next_free is None:
        return "No times are free as far as we plan ahead. Call the service desk."
    return f"No times in this week. The next free time is {_day_words(times.next_free)}."


def _next_free(times: Times) -> NextFree | None:
    return NextFree(times.next_free.isoformat(), _day_words(times.next_free)) if times.next_free else None


def _day_words(one: date) -> str:
    return format_date(one, "EEE d MMM", locale=LOCALE)
