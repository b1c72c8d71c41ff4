"""The commands for accounts and what belongs to them, for `tracker.__main__`; the work is imported when one is run."""

import click

from tracker.domain.letter_kinds import Kind
from tracker.domain.letter_states import LetterState
from tracker.domain.scopes import SCOPES

_ADDRESS = click.option("--address", help="As on a letter; found in the address index if --at is not given.")
_AT = click.option("--at", nargs=2, type=float, metavar="LAT LON", help="Where it is, in degrees.")


@click.group()
def account() -> None:
    """Accounts: customers, households or companies."""


@account.command("add")
@click.argument("name")
@_ADDRESS
@_AT
@click.option("--inactive", is_flag=True, help="Its contacts are not invited by themselves.")
def account_add(name: str, address: str | None, at: tuple[float, float] | None, inactive: bool) -> None:
    """Add an account; prints its id."""
    from tracker.commands import customers

    customers.add_account(name, address, at, active=not inactive)


@account.command("list")
@click.argument("query", default="")
def account_list(query: str) -> None:
    """List accounts, those with QUERY in name or address."""
    from tracker.commands import customers

    customers.list_accounts(query)


@account.command("show")
@click.argument("account")
def account_show(account: str) -> None:
    """Show an account with its contacts, locations and assets."""
    from tracker.commands import customers

    customers.show_account(account)


@account.command("change")
@click.argument("account")
@click.option("--name")
@_ADDRESS
@_AT
@click.option("--active/--inactive", default=None)
def account_change(
    account: str, name: str | None, address: str | None, at: tuple[float, float] | None, active: bool | None
) -> None:
    """Change an account."""
    from tracker.commands import customers

    customers.change_account(account, name, address, at, active)


@click.group()
def contact() -> None:
    """Contacts: the persons of an account, who sign in to the portal."""


@contact.command("add")
@click.argument("account")
@click.argument("email", default="")
@click.option("--name", required=True)
@click.option("--phone")
def contact_add(account: str, email: str, name: str, phone: str | None) -> None:
    """Add a contact to ACCOUNT; an active account's new address is invited by itself, once for ever."""
    from tracker.commands import customers

    customers.add_contact(account, email, name, phone)


@contact.command("remove")
@click.argument("contact")
def contact_remove(contact: str) -> None:
    """Remove a contact from its account."""
    from tracker.commands import customers

    customers.remove_contact(contact)


@click.group()
def location() -> None:
    """Functional locations: where assets stand, if not at the account's address."""


@location.command("add")
@click.argument("account")
@click.argument("name")
@_ADDRESS
@_AT
def location_add(account: str, name: str, address: str | None, at: tuple[float, float] | None) -> None:
    """Add a functional location to ACCOUNT; prints its id."""
    from tracker.commands import customers

    customers.add_location(account, name, address, at)


@click.group()
def asset() -> None:
    """Assets: things to be serviced."""


@asset.command("add")
@click.argument("account")
@click.argument("name")
@click.option("--location", help="The id of one of the account's locations.")
@click.option("--model")
@click.option("--serial")
def asset_add(account: str, name: str, location: str | None, model: str | None, serial: str | None) -> None:
    """Add an asset to ACCOUNT; prints its id."""
    from tracker.commands import customers

    customers.add_asset(account, name, location, model, serial)


@asset.command("retire")
@click.argument("asset")
def asset_retire(asset: str) -> None:
    """Take an asset out of use."""
    from tracker.commands import customers

    customers.retire_asset(asset)


@click.command()
@click.argument("contact")
def invite(contact: str) -> None:
    """Make a further invitation for CONTACT; its code is shown this once."""
    from tracker.commands import customers

    customers.invite(contact)


@click.command()
@click.option("--most", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--appointment", metavar="ID", help="Those about this appointment only.")
@click.option("--recipient", metavar="ADDRESS", help="Those to this address only.")
@click.option("--kind", type=click.Choice([each.value for each in Kind]), help="Those of this kind only.")
@click.option("--state", type=click.Choice([each.value for each in LetterState]), help="Those in this state only.")
@click.option("--again", metavar="ID", help="Send this letter once more instead.")
def letters(
    most: int, appointment: str | None, recipient: str | None, kind: str | None, state: str | None, again: str | None
) -> None:
    """Print the newest letters with their state, as they would be sent now."""
    from tracker.commands.letters import print_letters, send_again

    if again:
        send_again(again)
    else:
        print_letters(most, appointment, recipient, kind, state)


@click.group()
def token() -> None:
    """API tokens for programs."""


@token.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(list(SCOPES)), help="May be given often.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True)
def token_add(name: str, scopes: tuple[str, ...], days: int) -> None:
    """Make an API token; it is shown this once."""
    from tracker.commands import customers

    customers.add_token(name, list(scopes), days)


@token.command("list")
def token_list() -> None:
    """List all API tokens."""
    from tracker.commands import customers

    customers.list_tokens()


@token.command("revoke")
@click.argument("token")
def token_revoke(token: str) -> None:
    """Revoke an API token."""
    from tracker.commands import customers

    customers.revoke_token(token)


@click.command()
@click.option("--days", type=click.IntRange(1, 92), default=31, show_default=True)
@click.option("--read", is_flag=True, help="Open the comments nobody has read: their customers can change them no more.")
def surveys(days: int, read: bool) -> None:
    """Print what customers said of their visits."""
    from tracker.commands.surveys import print_surveys

    print_surveys(days, read=read)


COMMANDS = (account, contact, location, asset, invite, letters, token, surveys)
