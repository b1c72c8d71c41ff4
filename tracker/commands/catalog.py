"""`tracker service | skill | territory | closed-day | who-comes`: the rules of booking by hand, by the same actions."""

from datetime import date
from pathlib import Path
from typing import Any

import click
import msgspec

from tracker.actions.catalog import areas, constraints, offerings, staffing
from tracker.actions.house import House
from tracker.commands.administration import OPERATOR
from tracker.commands.customers import run
from tracker.commands.naming import fields_of, one_of, skills_of, territories_of
from tracker.errors import BadArea
from tracker.records.constraints import AccountRules
from tracker.records.offerings import Offering

# -- service types and skills ------------------------------------------------------------------------------------------


def add_service(said: dict[str, Any]) -> None:
    """Add a service type; prints its id."""

    async def work(house: House) -> Offering:
        return await offerings.add_service(house, OPERATOR, **await fields_of(house, said))

    click.echo(run(work).id)


def change_service(service: str, said: dict[str, Any]) -> None:
    """Change what is given."""

    async def work(house: House) -> Offering:
        id = one_of(await offerings.services(house, OPERATOR), service, "service")
        return await offerings.change_service(house, OPERATOR, id, **await fields_of(house, said))

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
            [id] = await skills_of(house, [remove])
            await offerings.remove_skill(house, OPERATOR, id)
            return ["Nobody needs it any more."]
        return [f"{one.id} {one.name}" for one in await offerings.skills(house, OPERATOR)]

    for line in run(work):
        click.echo(line)


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
        [id] = await territories_of(house, [territory])
        await areas.change_territory(house, OPERATOR, id, name=name, area=area, active=active)

    run(work)
    list_territories()


def remove_territory(territory: str) -> None:
    """Remove a territory that nobody serves."""

    async def work(house: House) -> None:
        [id] = await territories_of(house, [territory])
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
