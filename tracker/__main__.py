"""The commands: `tracker serve | worker | demo | migrate | doctor | settings | roads | user | account | contact | …`."""

import asyncio
import sys
from pathlib import Path

import click

from tracker.commands import catalog_commands, customer_commands
from tracker.commands.link_commands import link
from tracker.errors import Refusal


class Commands(click.Group):
    """Refusals are sentences for people, here too; a traceback would not be."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a refusal ends it with status 1 and its sentence."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            click.echo(refusal.sentence, err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Real-time technician tracking: customers see their technician come nearer, and when.

    Configuration comes from the environment; docs/operating.md has the table.
    """


@main.command()
def serve() -> None:
    """Serve pages, phones and viewers (any number of these may run)."""
    from tracker.commands.running import serve_web

    serve_web()


@main.command()
def worker() -> None:
    """Run the background loops (at least one of these must run)."""
    from tracker.commands.running import run_worker

    run_worker()


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Where to serve it.")
@click.option("--technicians", type=click.IntRange(3, 500), default=14, show_default=True, help="How many vans drive.")
@click.option("--https", is_flag=True, help="With a certificate made here, reachable from phones in the same network.")
@click.option("--host", default="localhost", show_default=True, help="The name or address people type, with --https.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True, help="Its own folder.")
def demo(port: int, technicians: int, https: bool, host: str, data: Path) -> None:
    """Show a living city on this machine; nothing else is needed. Stop with Ctrl-C."""
    from tracker.demo.run import Wish, run

    sys.exit(asyncio.run(run(Wish(port, technicians, https, data.absolute(), host))))


@main.command()
def migrate() -> None:
    """Bring the database up to date; running it again changes nothing."""
    from tracker.commands.administration import migrate_now

    asyncio.run(migrate_now())


@main.command()
def doctor() -> None:
    """Look whether everything that is configured answers, and say what does not."""
    from tracker.commands.administration import examine

    sys.exit(asyncio.run(examine()))


@main.group()
def roads() -> None:
    """Roads: what is built from an OpenStreetMap extract."""


@roads.command("build")
@click.argument("extract", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def roads_build(extract: Path) -> None:
    """Build router, street map and address index from EXTRACT (a .osm.pbf file); a running service takes them up."""
    from tracker.commands.administration import build_roads

    build_roads(extract)


@main.group()
def user() -> None:
    """People who sign in, and technicians with their phones."""


@user.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", type=click.Choice(["dispatcher", "admin", "technician", "customer"]), required=True)
@click.option("--technician", help="The technician's id, with --role technician (see `tracker user technician`).")
@click.password_option(help="Asked for if it is not given.")
def user_add(email: str, name: str, role: str, technician: str | None, password: str) -> None:
    """Add somebody who may sign in."""
    from tracker.commands.administration import add_user

    asyncio.run(add_user(email, name, role, technician, password))


@user.command("list")
def user_list() -> None:
    """List everybody who may sign in."""
    from tracker.commands.administration import list_users

    asyncio.run(list_users())


@user.command("end")
@click.argument("email")
def user_end(email: str) -> None:
    """End somebody's sign-in and all their sessions."""
    from tracker.commands.administration import end_user

    asyncio.run(end_user(email))


@user.command("technician")
@click.argument("name")
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone of the working hours.")
@click.option("--hours", default="1-5 08:00-17:00", show_default=True, help="Days (1 = Monday) and times on duty.")
@click.option("--home", nargs=2, type=float, metavar="LAT LON", help="Where the day begins.")
@click.option("--vehicle", help="As customers will read it: White van.")
def user_technician(name: str, zone: str, hours: str, home: tuple[float, float] | None, vehicle: str | None) -> None:
    """Add a technician; prints the id. `tracker technician` says and changes more of them."""
    from tracker.commands.technicians import add_technician

    add_technician({"name": name, "zone": zone, "hours": hours, "home": home, "vehicle": vehicle})


@user.command("phone")
@click.argument("technician")
@click.option("--name", default="phone", show_default=True)
def user_phone(technician: str, name: str) -> None:
    """Make a token for a technician's phone; it is shown this once."""
    from tracker.commands.administration import add_phone

    asyncio.run(add_phone(technician, name))


@user.command("phones")
@click.argument("technician")
def user_phones(technician: str) -> None:
    """List a technician's phones; a star stands before the one that moves the marker."""
    from tracker.commands.administration import list_phones

    asyncio.run(list_phones(technician))


@user.command("revoke")
@click.argument("phone")
def user_revoke(phone: str) -> None:
    """End a phone's token (a lost phone); its connections are closed at once."""
    from tracker.commands.administration import revoke_phone

    asyncio.run(revoke_phone(phone))


@user.command("choose")
@click.argument("phone")
def user_choose(phone: str) -> None:
    """Let PHONE move its technician's marker."""
    from tracker.commands.administration import choose_phone

    asyncio.run(choose_phone(phone))


@main.group()
def settings() -> None:
    """Settings: changed here or by staff, known to every process within two seconds."""


@settings.command("list")
def settings_list() -> None:
    """Show every setting."""
    from tracker.commands.administration import list_settings

    asyncio.run(list_settings())


@settings.command("set")
@click.argument("key")
@click.argument("value")
def settings_set(key: str, value: str) -> None:
    """Set KEY to VALUE (as JSON: true, 7, "text")."""
    from tracker.commands.administration import set_setting

    asyncio.run(set_setting(key, value))


for command in (*customer_commands.COMMANDS, *catalog_commands.COMMANDS, link):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="tracker")
