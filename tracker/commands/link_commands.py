"""`tracker link`: staff's work with links by hand, by the same actions."""

from datetime import datetime, timedelta

import click

from tracker.records.links import Link


@click.group()
def link() -> None:
    """Links that open one appointment without signing in."""


@link.command("list")
@click.argument("appointment")
def link_list(appointment: str) -> None:
    """List the links to APPOINTMENT (its id)."""
    from tracker.actions.people import link_care
    from tracker.commands.administration import OPERATOR
    from tracker.commands.customers import run

    for one, until in run(lambda house: link_care.links_of(house, OPERATOR, appointment)):
        click.echo(_line(one, until))


@link.command("extend")
@click.argument("link")
@click.argument("days", type=click.IntRange(1, 366))
def link_extend(link: str, days: int) -> None:
    """Let the page of LINK stay open for DAYS days from now, or longer if it would by itself."""
    from tracker.actions.people import link_care
    from tracker.commands.administration import OPERATOR
    from tracker.commands.customers import run

    click.echo(_line(*run(lambda house: link_care.extend(house, OPERATOR, link, house.clock() + timedelta(days=days)))))


@link.command("block")
@click.argument("link")
@click.option("--off", is_flag=True, help="Let it open its appointment again.")
def link_block(link: str, off: bool) -> None:
    """Let LINK open nothing until it is unblocked; who looks through it is shown out."""
    from tracker.actions.people import link_care
    from tracker.commands.administration import OPERATOR
    from tracker.commands.customers import run

    change = link_care.unblock if off else link_care.block
    click.echo(_line(*run(lambda house: change(house, OPERATOR, link))))


@link.command("end")
@click.argument("link")
def link_end(link: str) -> None:
    """End LINK for good; who looks through it is shown out."""
    from tracker.actions.people import link_care
    from tracker.commands.administration import OPERATOR
    from tracker.commands.customers import run

    run(lambda house: link_care.end(house, OPERATOR, link))


def _line(one: Link, until: datetime) -> str:
    state = "ended" if one.ended_at else "blocked" if one.blocked_at else f"until {until:%Y-%m-%d %H:%M} UTC"
    return f"{one.id}  {one.kind:<6}  {state}  opened {one.opened} times  {one.name or ''}".rstrip()
