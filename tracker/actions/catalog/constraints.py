"""Closed days of the company, and technicians who never or alone come to an account."""

from datetime import date, timedelta

from tracker.actions.catalog.editing import audited, check_seen, check_there, editing
from tracker.actions.catalog.unkept import marking
from tracker.actions.house import House
from tracker.actions.people.customers import text
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.errors import BadInput, NotFound
from tracker.records import constraints, customers
from tracker.records.constraints import AccountRules, ClosedDay
from tracker.records.database import Transaction

MOST_TECHNICIANS = 500
"""Named by one account."""


async def closed_days(house: House, actor: Actor) -> list[ClosedDay]:
    """The company's own closed days that are not over, beside the public holidays of the setting ``holidays``."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return await constraints.closed_days_from(tx, (house.clock() - timedelta(days=1)).date())


async def close_day(house: House, actor: Actor, day: date, name: str) -> ClosedDay:
    """Nobody begins to work on that day; visits that stand are kept. Closed already: it is called this from now on."""
    made = ClosedDay(day, text(name, "name"))
    async with editing(house, actor) as tx:
        before = await constraints.closed_day(tx, day)
        if await audited(tx, house, actor, "closed_day.set", before, made):
            async with marking(tx, house.clock(), days=[day]):
                await constraints.set_closed(tx, made)
    return made


async def open_day(house: House, actor: Actor, day: date) -> None:
    """A day like others again; `NotFound` if it was one."""
    async with editing(house, actor) as tx:
        before = await constraints.closed_day(tx, day)
        if before is None:
            raise NotFound("This day is not one of the closed days.")
        async with marking(tx, house.clock(), days=[day]):
            await constraints.open_again(tx, day)
        await audited(tx, house, actor, "closed_day.removed", before, None)


async def account_rules(house: House, actor: Actor, account: str) -> AccountRules:
    """Who never and who alone comes to an account; `NotFound`."""
    only_staff(actor)
    async with house.db.reading() as tx:
        await _check_account(tx, account)
        return await constraints.rules_of(tx, account)


async def set_account_rules(
    house: House, actor: Actor, account: str, never: list[str], only: list[str], seen: str | None = None
) -> AccountRules:
    """From now on exactly these; what was booked stays. `BadInput` for somebody who is named as both."""
    made = AccountRules(tuple(sorted(set(never))), tuple(sorted(set(only))))
    if set(never) & set(only):
        raise BadInput("A technician cannot be one who never comes and one of the only ones who do.")
    if len(made.never) + len(made.only) > MOST_TECHNICIANS:
        raise BadInput(f"An account names at most {MOST_TECHNICIANS} technicians.")
    async with editing(house, actor) as tx:
        await _check_account(tx, account, lock=True)
        before = await constraints.rules_of(tx, account)
        check_seen(before, seen)
        await check_there(tx, "technicians", [*made.never, *made.only], "technician")
        if await audited(tx, house, actor, "account.technicians", before, made, subject=account):
            await constraints.set_rules(tx, account, made.never, made.only)
    return made


async def _check_account(tx: Transaction, account: str, *, lock: bool = False) -> None:
    found = await (customers.locked_account(tx, account) if lock else customers.account(tx, account))
    if found is None:
        raise NotFound("There is no account with this id.")
