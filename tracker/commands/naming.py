"""What somebody types of the rules of booking, read: hours of a week, things by their names, options as fields."""

import re
from collections.abc import Iterable
from typing import Any

from tracker.actions.catalog import areas, offerings
from tracker.actions.house import House
from tracker.commands.administration import OPERATOR
from tracker.domain import weekly
from tracker.domain.duty import WeekHours
from tracker.errors import BadHours, BadInput

_PART = re.compile(r"([1-7])(?:-([1-7]))? (\S+)-(\S+)")


def week_of(text: str) -> tuple[WeekHours, ...]:
    """``1-5 08:00-17:00, 6 22:00-02:00`` as stretches of the week; nothing said: none."""
    found: list[WeekHours] = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        match = _PART.fullmatch(part)
        if not match:
            raise BadHours("Working hours read like this: 1-5 08:00-17:00, 6 22:00-02:00 (1 is Monday).")
        first, last, starts, ends = match.groups()
        found += [weekly.stretch(day - 1, starts, ends) for day in range(int(first), int(last or first) + 1)]
    return tuple(found)


def one_of(things: Iterable[Any], said: str, what: str) -> str:
    """The id of what somebody named by id or by name; `BadInput` if there is none, or more than one of that name."""
    every = list(things)
    found = [one.id for one in every if one.id == said] or [one.id for one in every if one.name.casefold() == said.casefold()]
    if len(found) != 1:
        raise BadInput(
            f"There is no {what} called {said!r}." if not found else f"There are {len(found)} called {said!r}: say the id."
        )
    return str(found[0])


async def skills_of(house: House, said: Iterable[str]) -> tuple[str, ...]:
    known = await offerings.skills(house, OPERATOR)
    return tuple([one_of(known, each, "skill") for each in said])


async def territories_of(house: House, said: Iterable[str]) -> tuple[str, ...]:
    known = await areas.territories(house, OPERATOR)
    return tuple([one_of(known, each, "territory") for each in said])


async def fields_of(house: House, said: dict[str, Any]) -> dict[str, Any]:
    """Options as fields: those not given are left out, names become ids, a list given as '' is emptied."""
    fields = {name: value for name, value in said.items() if value is not None and value != ()}
    for name, find in (("skills", skills_of), ("territories", territories_of)):
        if name in fields:
            fields[name] = await find(house, filter(None, fields[name]))
    if "accounts" in fields:
        fields["accounts"] = tuple(filter(None, fields["accounts"]))
        fields["for_all"] = not fields["accounts"]
    for name in fields.keys() & {"hours", "breaks"}:
        fields[name] = week_of(fields[name])
    if "home" in fields:
        fields["home_lat"], fields["home_lon"] = fields.pop("home")
    return fields
