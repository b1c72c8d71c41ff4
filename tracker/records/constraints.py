"""What the company and its accounts rule out: closed days, and technicians who never or alone come to an account."""

from collections.abc import Collection
from datetime import date

import msgspec
from sqlalchemy import delete, select

from tracker.records.database import Transaction
from tracker.records.schema import account_technicians, closed_days


class ClosedDay(msgspec.Struct, frozen=True):
    """A day on which nobody begins to work."""

    day: date
    name: str


class AccountRules(msgspec.Struct, frozen=True):
    """Who ``never`` comes to an account, and who ``only`` does (empty: anybody)."""

    never: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


async def closed_days_from(tx: Transaction, first: date) -> list[ClosedDay]:
    """The company's own closed days from a day on."""
    query = select(closed_days.c.day, closed_days.c.name).where(closed_days.c.day >= first)
    return await tx.all(query.order_by(closed_days.c.day), ClosedDay)


async def closed_day(tx: Transaction, day: date) -> ClosedDay | None:
    """One of them."""
    return await tx.one(select(closed_days.c.day, closed_days.c.name).where(closed_days.c.day == day), ClosedDay)


async def set_closed(tx: Transaction, closed: ClosedDay) -> None:
    """Closed on that day, whatever it was called before."""
    row = msgspec.structs.asdict(closed)
    await tx.change(tx.insert(closed_days).values(row).on_conflict_do_update(index_elements=["day"], set_={"name": closed.name}))


async def open_again(tx: Transaction, day: date) -> bool:
    """Not closed any more; False if it was not."""
    return await tx.change(delete(closed_days).where(closed_days.c.day == day)) == 1


async def rules_of(tx: Transaction, account: str) -> AccountRules:
    """The account's rules, technicians in order of their ids."""
    rule = account_technicians.c
    rows = await tx.tuples(select(rule.rule, rule.technician_id).where(rule.account_id == account).order_by(rule.technician_id))
    named = {kind: tuple([who for said, who in rows if said == kind]) for kind in ("never", "only")}
    return AccountRules(**named)


async def set_rules(tx: Transaction, account: str, never: Collection[str], only: Collection[str]) -> None:
    """From now on exactly these."""
    await tx.change(delete(account_technicians).where(account_technicians.c.account_id == account))
    rows = [(who, "never") for who in never] + [(who, "only") for who in only]
    if rows:
        values = [{"account_id": account, "technician_id": who, "rule": rule} for who, rule in rows]
        await tx.change(account_technicians.insert(), values)
