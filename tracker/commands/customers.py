"""`tracker account | contact | location | asset | invite | token`: staff's work by hand, by the same actions."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import click

from tracker.actions import addresses
from tracker.actions.house import House
from tracker.actions.people import contacts, customers, tokens
from tracker.actions.people.customers import Place
from tracker.app import open_house
from tracker.commands.administration import OPERATOR
from tracker.config import read
from tracker.domain.geo import Point
from tracker.errors import BadInput
from tracker.records.customers import Account

type At = tuple[float, float] | None


def run[T](work: Callable[[House], Awaitable[T]]) -> T:
    """Do something in this installation's house."""

    async def inside() -> T:
        async with open_house(read()) as house:
            await house.settings.refresh(house.db)
            return await work(house)

    return asyncio.run(inside())


async def place_of(house: House, address: str | None, at: At) -> Place | None:
    """The place somebody named: with coordinates as it stands, else as the only address found for it."""
    if address is None:
        if at:
            raise BadInput("--at needs --address: the words that people read.")
        return None
    if at:
        return Place(address, Point(*at))
    found = await addresses.find(house, OPERATOR, address)
    exact = [one for one in found if one.exact]
    if len(exact) == 1:
        return Place(exact[0].label, exact[0].point)
    listed = "".join(f"\n  --address '{one.label}' --at {one.lat:.5f} {one.lon:.5f}" for one in found)
    raise BadInput(
        f"Which address? {'One of these:' + listed if listed else 'None was found: give its place with --at LAT LON.'}"
    )


def add_account(name: str, address: str | None, at: At, *, active: bool) -> None:
    """Add an account; prints its id."""

    async def work(house: House) -> Account:
        return await customers.add_account(house, OPERATOR, name, await place_of(house, address, at), active=active)

    account = run(work)
    click.echo(account.id)
    click.echo(_where(account), err=True)


def change_account(account: str, name: str | None, address: str | None, at: At, active: bool | None) -> None:
    """Change what is given."""

    async def work(house: House) -> Account:
        place = await place_of(house, address, at)
        return await customers.change_account(house, OPERATOR, account, name=name, place=place, active=active)

    click.echo(_account_line(run(work)))


def list_accounts(query: str) -> None:
    """Print accounts by name."""
    for account in run(lambda house: customers.find_accounts(house, OPERATOR, query, 1_000)):
        click.echo(_account_line(account))


def show_account(account: str) -> None:
    """Print an account with everything that belongs to it."""
    found = run(lambda house: customers.customer(house, OPERATOR, account))
    click.echo(_account_line(found.account))
    for contact in found.contacts:
        signs_in = "signs in" if contact.person_id else "not signed in yet" if contact.email else "no address"
        click.echo(f"  contact  {contact.id} {contact.name} <{contact.email}> {signs_in}")
    for location in found.locations:
        click.echo(f"  location {location.id} {location.name}, {location.address or 'no address'}")
    for asset in found.assets:
        at = f" at {asset.location_id}" if asset.location_id else ""
        click.echo(f"  asset    {asset.id} {asset.name}{at}{'' if asset.active else ' (out of use)'}")


def add_contact(account: str, email: str, name: str, phone: str | None) -> None:
    """Add a contact; says whether a letter was written."""
    added = run(lambda house: contacts.add_contact(house, OPERATOR, account, email, name, phone))
    click.echo(added.contact.id)
    if added.invited:
        click.echo("An invitation was written: `tracker letters` shows it.", err=True)
    elif added.attached:
        click.echo("This address signs in already; the account appears there.", err=True)
    else:
        click.echo("No invitation was written by itself: `tracker invite CONTACT` makes one.", err=True)


def remove_contact(contact: str) -> None:
    """Remove a contact."""
    run(lambda house: contacts.remove_contact(house, OPERATOR, contact))
    click.echo("Nothing of the account is open to this contact any more.")


def add_location(account: str, name: str, address: str | None, at: At) -> None:
    """Add a functional location; prints its id."""

    async def work(house: House) -> str:
        place = await place_of(house, address, at)
        return (await customers.add_location(house, OPERATOR, account, name, place)).id

    click.echo(run(work))


def add_asset(account: str, name: str, location: str | None, model: str | None, serial: str | None) -> None:
    """Add an asset; prints its id."""
    more = {"location": location, "model": model, "serial": serial}
    click.echo(run(lambda house: customers.add_asset(house, OPERATOR, account, name, **more)).id)


def retire_asset(asset: str) -> None:
    """Take an asset out of use."""
    run(lambda house: customers.set_asset_active(house, OPERATOR, asset, active=False))
    click.echo("Nothing new can be booked for it.")


def invite(contact: str) -> None:
    """Make a further invitation; its code is shown this once."""
    given = run(lambda house: contacts.invite(house, OPERATOR, contact))
    click.echo(f"Code (shown this once):  {given.code}")
    click.echo(f"Link:                    {read().public.url}/redeem#{given.code}")
    click.echo(f"Works once, until:       {utc(given.invitation.expires_at)}")


def add_token(name: str, scopes: list[str], days: int) -> None:
    """Make an API token; it is shown this once."""
    made = run(lambda house: tokens.add_token(house, OPERATOR, name, scopes, days))
    click.echo(f"Token:                    {made.token.id}\nSecret (shown this once): {made.secret}")
    click.echo(f"Good for:                 {', '.join(made.token.scopes)}, until {utc(made.token.expires_at)}")


def list_tokens() -> None:
    """Print all API tokens."""
    for one in run(lambda house: tokens.list_tokens(house, OPERATOR)):
        state = "revoked" if one.revoked_at else f"until {utc(one.expires_at)}"
        used = f"last used {utc(one.seen_at)}" if one.seen_at else "never used"
        click.echo(f"{one.id} {one.name}: {', '.join(one.scopes)}; {state}; {used}")


def revoke_token(token: str) -> None:
    """Revoke an API token."""
    run(lambda house: tokens.revoke_token(house, OPERATOR, token))
    click.echo("The token opens nothing any more.")


def _account_line(account: Account) -> str:
    return f"{account.id} {account.name}, {_where(account)}{'' if account.active else ' (inactive)'}"


def _where(account: Account) -> str:
    return f"{account.address} ({account.zone})" if account.address else "no address: nothing can be booked for it yet"


def utc(moment: datetime | None) -> str:
    """A moment as commands print it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "-"
