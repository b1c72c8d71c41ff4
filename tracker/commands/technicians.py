"""`tracker technician`: who can be sent, when they work and when they are away."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from tracker.actions.catalog import absences, areas, offerings, staffing
from tracker.actions.house import House
from tracker.commands.administration import OPERATOR
from tracker.commands.customers import run
from tracker.commands.naming import fields_of
from tracker.domain import weekly
from tracker.records.staffing import Member


def add_technician(said: dict[str, Any]) -> None:
    """Add a technician; prints the id."""

    async def work(house: House) -> Member:
        return await staffing.add_technician(house, OPERATOR, **await fields_of(house, said))

    click.echo(run(work).id)


def change_technician(technician: str, said: dict[str, Any]) -> None:
    """Change what is given."""

    async def work(house: House) -> Member:
        return await staffing.change_technician(house, OPERATOR, technician, **await fields_of(house, said))

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
