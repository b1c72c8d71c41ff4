"""`tracker surveys`: what customers said of their visits, for whoever runs the service."""

from datetime import timedelta

import click

from tracker.actions import surveys
from tracker.actions.house import House
from tracker.commands.administration import OPERATOR
from tracker.commands.customers import run
from tracker.domain.surveys import STARS
from tracker.records.surveys import Result, Survey


def print_surveys(days: int, *, read: bool) -> None:
    """Print the newest first. Comments nobody has read yet stay closed, unless ``read`` opens them all."""

    async def found(house: House) -> list[Result]:
        now = house.clock()
        start, end = now - timedelta(days=days), now + timedelta(seconds=1)
        listed = await surveys.results(house, OPERATOR, start, end)
        for one in listed if read else []:
            await surveys.read(house, OPERATOR, one.survey.appointment_id)
        return await surveys.results(house, OPERATOR, start, end) if read else listed

    listed = run(found)
    for one in listed:
        said = one.survey
        click.echo(f"{said.answered_at:%Y-%m-%d %H:%M}Z  {one.booking_id}  {said.stars} {STARS[said.stars]:<6} {one.service}")
        if words := _comment(said):
            click.echo(f"    {words}")
    if listed:
        click.echo(f"{len(listed)} in {days} days, {sum(one.survey.stars for one in listed) / len(listed):.2f} of 5 on average.")


def _comment(said: Survey) -> str:
    if said.read_at is None:
        return "(not read yet: --read opens it, and its customer can change it no more)"
    return (said.comment or "").replace("\n", "\n    ")
