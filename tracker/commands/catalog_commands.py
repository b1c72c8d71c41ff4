"""The commands for what can be booked and who can come, for `tracker.__main__`; the work is imported when one is run."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_WALL = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"])
_ACTIVE = click.option("--active/--inactive", default=None, help="In use, or not offered any more.")
_SKILLS = click.option("--skill", "skills", multiple=True, help="Id or name; may be given often; '' for none.")


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_SERVICE = _options(
    click.option("--minutes", "duration_min", type=click.IntRange(5, 1440), help="Time on site."),
    click.option("--description"),
    click.option("--crew", type=click.IntRange(1, 20), help="Technicians needed; more than one is planned by staff."),
    click.option("--by-customers/--by-staff", "self_schedulable", default=None, help="Who may book it."),
    _SKILLS,
    click.option("--account", "accounts", multiple=True, help="For these accounts only; may be given often; '' for all."),
    _ACTIVE,
)
_TECHNICIAN = _options(
    click.option("--zone", help="IANA time zone of the working hours; that of --home if it is not given."),
    click.option("--home", nargs=2, type=float, metavar="LAT LON", help="Where the day begins."),
    click.option("--hours", help="Days (1 = Monday) and times of work: '1-5 08:00-17:00, 6 22:00-02:00'; '' for none."),
    click.option("--breaks", help="As --hours: '1-5 11:30-12:00'; '' for none."),
    click.option("--title", help="As customers will read it: Heat pump technician."),
    click.option("--vehicle", help="As customers will read it: White van."),
    click.option("--plate"),
    click.option("--phone"),
    _SKILLS,
    click.option("--territory", "territories", multiple=True, help="Id or name; may be given often; '' for everywhere."),
    _ACTIVE,
)


@click.group()
def service() -> None:
    """Service types: what can be booked."""


@service.command("list")
def service_list() -> None:
    """List every service type."""
    from tracker.commands import catalog

    catalog.list_services()


@service.command("add")
@click.argument("name")
@_SERVICE
def service_add(name: str, **said: Any) -> None:
    """Add a service type (--minutes is needed); prints its id."""
    from tracker.commands import catalog

    if said["duration_min"] is None:
        raise click.UsageError("Say how long it takes: --minutes 60.")
    catalog.add_service({"name": name} | said)


@service.command("change")
@click.argument("service")
@click.option("--name")
@_SERVICE
def service_change(service: str, **said: Any) -> None:
    """Change SERVICE (id or name); what was booked stays as it was booked."""
    from tracker.commands import catalog

    catalog.change_service(service, said)


@click.group()
def skill() -> None:
    """Skills: what not everybody can do."""


@skill.command("list")
def skill_list() -> None:
    """List every skill."""
    from tracker.commands import catalog

    catalog.skill()


@skill.command("add")
@click.argument("name")
def skill_add(name: str) -> None:
    """Add a skill; prints its id."""
    from tracker.commands import catalog

    catalog.skill(add=name)


@skill.command("remove")
@click.argument("skill")
def skill_remove(skill: str) -> None:
    """Remove SKILL (id or name), unless a service needs it."""
    from tracker.commands import catalog

    catalog.skill(remove=skill)


@click.group()
def technician() -> None:
    """Technicians: who can come, and when."""


@technician.command("list")
@click.argument("query", default="")
def technician_list(query: str) -> None:
    """List technicians, those with QUERY in the name."""
    from tracker.commands import technicians

    technicians.list_technicians(query)


@technician.command("show")
@click.argument("technician")
def technician_show(technician: str) -> None:
    """Show a technician with week, skills, territories and absences."""
    from tracker.commands import technicians

    technicians.show_technician(technician)


@technician.command("add")
@click.argument("name")
@_TECHNICIAN
def technician_add(name: str, **said: Any) -> None:
    """Add a technician; prints the id."""
    from tracker.commands import technicians

    technicians.add_technician({"name": name} | said)


@technician.command("change")
@click.argument("technician")
@click.option("--name")
@_TECHNICIAN
def technician_change(technician: str, **said: Any) -> None:
    """Change TECHNICIAN. With --inactive they leave the map, and their phones are heard no more."""
    from tracker.commands import technicians

    technicians.change_technician(technician, said)


@technician.command("away")
@click.argument("technician")
@click.argument("starts", type=_WALL)
@click.argument("ends", type=_WALL)
@click.option("--reason", help="Customers never see it.")
def technician_away(technician: str, starts: datetime, ends: datetime, reason: str | None) -> None:
    """TECHNICIAN is away from STARTS to ENDS (2026-12-01, or "2026-12-01 12:00", in their own zone); prints the absence's id."""
    from tracker.commands import technicians

    technicians.add_absence(technician, starts, ends, reason)


@technician.command("back")
@click.argument("absence")
def technician_back(absence: str) -> None:
    """Take ABSENCE back."""
    from tracker.commands import technicians

    technicians.remove_absence(absence)


@click.group()
def territory() -> None:
    """Territories: areas that technicians serve."""


@territory.command("list")
def territory_list() -> None:
    """List every territory."""
    from tracker.commands import catalog

    catalog.list_territories()


@territory.command("add")
@click.argument("name")
@click.argument("file", type=_FILE)
def territory_add(name: str, file: Path) -> None:
    """Add a territory of FILE (GeoJSON: a Polygon, a MultiPolygon, or a feature of one); prints its id."""
    from tracker.commands import catalog

    catalog.add_territory(name, file)


@territory.command("change")
@click.argument("territory")
@click.option("--name")
@click.option("--area", type=_FILE, help="GeoJSON.")
@_ACTIVE
def territory_change(territory: str, name: str | None, area: Path | None, active: bool | None) -> None:
    """Change TERRITORY (id or name)."""
    from tracker.commands import catalog

    catalog.change_territory(territory, name, area, active)


@territory.command("remove")
@click.argument("territory")
def territory_remove(territory: str) -> None:
    """Remove TERRITORY (id or name), unless somebody serves it."""
    from tracker.commands import catalog

    catalog.remove_territory(territory)


@click.command("closed-day")
@click.option("--close", nargs=2, type=(_DAY, str), metavar="DAY NAME", help="Nobody begins to work on DAY.")
@click.option("--open", "open_again", type=_DAY, metavar="DAY", help="DAY is one like others again.")
def closed_day(close: tuple[datetime, str] | None, open_again: datetime | None) -> None:
    """List the company's closed days, or change one."""
    from tracker.commands import catalog

    catalog.closed_day((close[0].date(), close[1]) if close else None, open_again.date() if open_again else None)


@click.command("who-comes")
@click.argument("account")
@click.option("--never", multiple=True, metavar="TECHNICIAN", help="Never comes to this account; may be given often.")
@click.option("--only", multiple=True, metavar="TECHNICIAN", help="Only these come to this account; may be given often.")
@click.option("--anybody", is_flag=True, help="No rules any more.")
def who_comes(account: str, never: tuple[str, ...], only: tuple[str, ...], anybody: bool) -> None:
    """Show or set which technicians never or alone come to ACCOUNT; what is set replaces what was."""
    from tracker.commands import catalog

    catalog.account_technicians(account, never, only, anybody=anybody)


COMMANDS = (service, skill, technician, territory, closed_day, who_comes)
