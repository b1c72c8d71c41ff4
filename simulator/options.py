"""What several commands share: options, friendly refusals, and how a report is shown."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
import uvloop

from simulator.day import NoPlan
from simulator.phones import GivenUp, StepRefused
from simulator.report import Report
from simulator.routing import NoWay, RouterKind
from simulator.run import Audience
from simulator.site import CannotSignIn, Site, sign_in
from simulator.technician import Diverted
from simulator.tracks import BadTrack

A_SESSION = 50
"""Viewers who share one sign-in."""

_FRIENDLY = (BadTrack, CannotSignIn, Diverted, NoPlan, NoWay, GivenUp, StepRefused, OSError, ValueError, msgspec.MsgspecError)


def run_now[T](work: Coroutine[Any, Any, T]) -> T:
    """Runs it; a refusal is one sentence for people, not a traceback."""
    try:
        return asyncio.run(work, loop_factory=uvloop.new_event_loop)
    except _FRIENDLY as wrong:
        raise click.ClickException(str(wrong) or type(wrong).__name__) from wrong
    except KeyboardInterrupt:
        raise click.Abort from None


def to_option(command: Callable[..., None]) -> Callable[..., None]:
    """Which deployment."""
    command = click.option("--insecure", is_flag=True, help="Accept the demo's own certificate.")(command)
    return click.option(
        "--to", "url", required=True, envvar="SIMULATOR_URL", help="The deployment, such as https://track.example.org."
    )(command)


def viewer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Who watches: by the public sign-in form, or with a cookie."""
    for option in (
        click.option("--cookie", envvar="SIMULATOR_COOKIE", help="A viewer's cookie header instead of signing in."),
        click.option("--password", envvar="SIMULATOR_PASSWORD", help="Of the viewer; better given as SIMULATOR_PASSWORD."),
        click.option("--email", help="Sign in as this person through the sign-in form."),
        click.option("--polling", default=0, show_default=True, help="Viewers who poll instead of holding a socket."),
        click.option("--viewers", default=0, show_default=True, help="Viewers on a socket."),
    ):
        command = option(command)
    return command


def json_option(command: Callable[..., None]) -> Callable[..., None]:
    """Where the report goes besides the screen."""
    return click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the report there, too.")(command)


async def audience_of(url: str, appointment: str | None, more: Mapping[str, Any]) -> Audience:
    """The viewers that the options ask for, all with their first snapshot. Raises ValueError, CannotSignIn."""
    audience = Audience()
    if not more["viewers"] and not more["polling"]:
        return audience
    if not appointment:
        raise ValueError("viewers need an --appointment to watch")
    site = Site(url.rstrip("/"), more["cookie"] or "", not more["insecure"])
    for sockets, polling in crowds(more["viewers"], more["polling"]):
        if more["email"] and not more["cookie"]:
            site = await sign_in(url, more["email"], more["password"] or "", verify=site.verify)
        audience.invite(site, appointment, sockets=sockets, polling=polling)
    if not await audience.seated():
        raise ConnectionError("not every viewer got a first snapshot")
    return audience


def crowds(sockets: int, polling: int) -> list[tuple[int, int]]:
    """Viewers in groups that fit into one session each (servers limit the sockets of a session)."""
    groups = [(min(A_SESSION, sockets - i), 0) for i in range(0, sockets, A_SESSION)]
    return [(groups[0][0] if groups else 0, polling), *groups[1:]]


def show(report: Report, json_file: Path | None) -> None:
    """Prints the report and ends the command: 0 if everything was acked and no promise broken."""
    click.echo(report.as_table())
    if json_file:
        json_file.write_bytes(report.as_json() + b"\n")
    sys.exit(0 if report.good else 1)


def router_options(command: Callable[..., None]) -> Callable[..., None]:
    """Which road router plans the drives."""
    kinds = click.Choice([kind.value for kind in RouterKind])
    command = click.option("--router-kind", type=kinds, default="valhalla", show_default=True)(command)
    return click.option("--router", help="URL of a road router; without it everyone drives as the crow flies.")(command)
