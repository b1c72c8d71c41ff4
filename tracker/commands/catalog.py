"""`tracker service | skill | technician | territory | closed-day`: the rules of booking by hand, by the same actions."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from tracker.actions.catalog import absences, areas, constraints, offerings, staffing
from tracker.actions.house import House
from tracker.commands.administration import OPERATOR
from tracker.commands.customers import run
from tracker.domain import weekly
from tracker.domain.duty import WeekHours
from tracker.errors import BadArea, BadHours, BadInput
from tracker.records.constraints import AccountRules
from tracker.records.offerings import Offering
from tracker.records.staffing import Member

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


async def _skills(house: House, said: Iterable[str]) -> tuple[str, ...]:
    known = await offerings.skills(house, OPERATOR)
    return tuple([one_of(known, each, "skill") for each in said])


async def _territories(house: House, said: Iterable[str]) -> tuple[str, ...]:
    known = await areas.territories(house, OPERATOR)
    return tuple([one_of(known, each, "territory") for each in said])


async def _named(house: House, said: dict[str, Any]) -> dict[str, Any]:
    """Options as fields: those not given are left out, names become ids, a list given as '' is emptied."""
    fields = {name: value for name, value in said.items() if value is not None and value != ()}
    for name, find in (("skills", _skills), ("territories", _territories)):
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


# -- service types and skills ------------------------------------------------------------------------------------------


def add_service(said: dict[str, Any]) -> None:
    """Add a service type; prints its id."""

    async def work(house: House) -> Offering:
        return await offerings.add_service(house, OPERATOR, **await _named(house, said))

    click.echo(run(work).id)


def change_service(service: str, said: dict[str, Any]) -> None:
    """Change what is given."""

    async def work(house: House) -> Offering:
        id = one_of(await offerings.services(house, OPERATOR), service, "service")
        return await offerings.change_service(house, OPERATOR, id, **await _named(house, said))

    click.echo(_service_line(run(work)))


def list_services() -> None:
    """Print every service type."""
    for one in run(lambda house: offerings.services(house, OPERATOR)):
        click.echo(_service_line(one))


def _service_line(one: Offering) -> str:
    who = "for all" if one.for_all else f"for {len(one.accounts)} accounts"
    by = f"by staff, {one.crew} technicians" if one.crew > 1 else "by customers" if one.self_schedulable else "by staff"
    needs = f", needs {len(one.skills)} skills" if one.skills else ""
    return f"{one.id} {one.name}, {one.duration_min} min, {by}, {who}{needs}{'' if one.active else ' (out of use)'}"


def skill(add: str | None = None, remove: str | None = None) -> None:
    """Add a skill and print its id, remove one, or print them all."""

    async def work(house: House) -> list[str]:
        if add is not None:
            return [(await offerings.add_skill(house, OPERATOR, add)).id]
        if remove is not None:
            [id] = await _skills(house, [remove])
            await offerings.remove_skill(house, OPERATOR, id)
            return ["Nobody needs it any more."]
        return [f"{one.id} {one.name}" for one in await offerings.skills(house, OPERATOR)]

    for line in run(work):
        click.echo(line)


# -- technicians -------------------------------------------------------------------------------------------------------


def add_technician(said: dict[str, Any]) -> None:
    """Add a technician; prints the id."""

    async def work(house: House) -> Member:
        return await staffing.add_technician(house, OPERATOR, **await _named(house, said))

    click.echo(run(work).id)


def change_technician(technician: str, said: dict[str, Any]) -> None:
    """Change what is given."""

    async def work(house: House) -> Member:
        return await staffing.change_technician(house, OPERATOR, technician, **await _named(house, said))

    click.echo(_technician_line(run(work)))


def list_technicians(query: str) -> None:
    """Print technicians by name."""
    for one in run(lambda house: staffing.find_technicians(house, OPERATOR, query, 10_000)):
        click.echo(_technician_line(one))


def show_technician(technician: str) -> None:
    """Print a technician with week, skills, territories, absences and what is promised."""

    async def work(house: House) -> tuple[staffing.Posted, dict[str, str]]:
        names = {one.id: one.name for one in await offerings.skills(house, OPERATOR)}
        names |= {one.id: one.name for one in await areas.territories(house, OPERATOR)}
        return await staffing.technician(house, OPERATOR, technician), names

    found, names = run(work)
    one = found.member
    click.echo(_technician_line(one))
    for what, stretches in (("works", one.hours), ("rests", one.breaks)):
        for stretch in stretches:
            click.echo(f"  {what:<9} {weekly.said(stretch)}")
    click.echo(f"  skills    {', '.join(names[each] for each in one.skills) or 'none'}")
    click.echo(f"  serves    {', '.join(names[each] for each in one.territories) or 'everywhere'}")
    for away in found.absences:
        start, end = (moment.astimezone(ZoneInfo(one.zone)) for moment in (away.starts_at, away.ends_at))
        click.echo(
            f"  away      {away.id} {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}{f', {away.reason}' if away.reason else ''}"
        )
    click.echo(f"  promised  {len(found.promised)} appointments")


def _technician_line(one: Member) -> str:
    home = "" if one.home_lat is not None else ", no home base"
    return f"{one.id} {one.name}, {one.zone}{home}{'' if one.active else ' (out of use)'}"


def add_absence(technician: str, starts: datetime, ends: datetime, reason: str | None) -> None:
    """Add an absence in the technician's own wall-clock time; prints its id, and warns of what is promised in it."""

    async def work(house: House) -> absences.Away:
        zone = ZoneInfo((await staffing.technician(house, OPERATOR, technician)).member.zone)
        start, end = starts.replace(tzinfo=zone), ends.replace(tzinfo=zone)
        return await absences.add_absence(house, OPERATOR, technician, start, end, reason)

    away = run(work)
    click.echo(away.absence.id)
    if away.promised:
        click.echo(f"Still promised in that time: {', '.join(away.promised)}. Move them, or hand them over.", err=True)


def remove_absence(absence: str) -> None:
    """Take an absence back."""
    run(lambda house: absences.remove_absence(house, OPERATOR, absence))
    click.echo("The technician is there after all.")


# -- territories, closed days, account rules ---------------------------------------------------------------------------


def area_in(file: Path) -> dict[str, Any]:
    """The GeoJSON of a file; `BadArea`."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadArea(f"{file} is not GeoJSON.") from None


def add_territory(name: str, file: Path) -> None:
    """Add a territory; prints its id."""
    click.echo(run(lambda house: areas.add_territory(house, OPERATOR, name, area_in(file))).id)


def change_territory(territory: str, name: str | None, file: Path | None, active: bool | None) -> None:
    """Change what is given."""
    area = area_in(file) if file else None

    async def work(house: House) -> None:
        [id] = await _territories(house, [territory])
        await areas.change_territory(house, OPERATOR, id, name=name, area=area, active=active)

    run(work)
    list_territories()


def remove_territory(territory: str) -> None:
    """Remove a territory that nobody serves."""

    async def work(house: House) -> None:
        [id] = await _territories(house, [territory])
        await areas.remove_territory(house, OPERATOR, id)

    run(work)
    click.echo("It is gone.")


def list_territories() -> None:
    """Print every territory with its box."""
    for one in run(lambda house: areas.territories(house, OPERATOR)):
        box = f"{one.south:.4f} {one.west:.4f} to {one.north:.4f} {one.east:.4f}"
        click.echo(f"{one.id} {one.name}, {box}{'' if one.active else ' (out of use)'}")


def closed_day(close: tuple[date, str] | None = None, open_again: date | None = None) -> None:
    """Close a day, open one again, or print those that are not over."""

    async def work(house: House) -> list[Any]:
        if close is not None:
            return [await constraints.close_day(house, OPERATOR, *close)]
        if open_again is not None:
            await constraints.open_day(house, OPERATOR, open_again)
            return []
        return list(await constraints.closed_days(house, OPERATOR))

    for one in run(work):
        click.echo(f"{one.day} {one.name}")


def account_technicians(account: str, never: tuple[str, ...], only: tuple[str, ...], *, anybody: bool) -> None:
    """Say who never and who alone comes to an account; print it."""

    async def work(house: House) -> tuple[AccountRules, dict[str, str]]:
        if never or only or anybody:
            rules = await constraints.set_account_rules(house, OPERATOR, account, list(never), list(only))
        else:
            rules = await constraints.account_rules(house, OPERATOR, account)
        return rules, {one.id: one.name for one in await staffing.find_technicians(house, OPERATOR, "", 100_000)}

    rules, names = run(work)
    for what, who in (("never", rules.never), ("only", rules.only)):
        click.echo(f"{what:<6} {', '.join(f'{id} {names[id]}' for id in who) or '-'}")
