"""Promised time: cells with a key that has the last word, and the appointments and holds that they belong to."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tracker.domain.appointments import State
from tracker.domain.cells import CELL_S, epoch_s
from tracker.domain.diaries import Promise
from tracker.records.database import Transaction
from tracker.records.prepared import Prepared
from tracker.records.schema import appointments, holds, promised_cells

KEY = "pk_promised_cells"
"""The constraint whose violation means that a time is taken."""

TRAVEL, LATE = "travel", "late"
"""Flags of visits that need a dispatcher: not to be reached in time from the one before; another one runs into it."""

REACH = timedelta(days=1)
"""So far before a stretch of days a promise may arrive and still say where the technician is."""

LIVE = (State.SCHEDULED, State.TRAVELING, State.IN_PROGRESS)


class Owner(NamedTuple):
    """Whose a cell is: an appointment's or a hold's id."""

    appointment: str | None = None
    hold: str | None = None

    @property
    def id(self) -> str | None:
        return self.hold if self.appointment is None else self.appointment

    @property
    def values(self) -> dict[str, str | None]:
        return {"appointment_id": self.appointment, "hold_id": self.hold}

    @property
    def condition(self) -> Any:
        if self.appointment is not None:
            return promised_cells.c.appointment_id == self.appointment
        return promised_cells.c.hold_id == self.hold


def owner_of(promise: Promise) -> Owner:
    """Whose the cells of a promise are."""
    return Owner(hold=promise.id) if promise.hold else Owner(promise.id)


async def take(tx: Transaction, technician: str, cells: Iterable[int], owner: Owner, *, at_once: bool = False) -> None:
    """Promise cells; `ConstraintViolated` with the name `KEY` if one is promised already: here if ``at_once``, else by the
    commit."""
    rows = [{"technician_id": technician, "cell": cell, **owner.values} for cell in cells]
    if rows:
        await (tx.change(_TAKEN, rows) if at_once else tx.later(_TAKEN, rows))


async def take_free(tx: Transaction, technician: str, cells: Collection[int], owner: Owner) -> bool:
    """Promise those cells that nobody has; whether that was all of them."""
    if not cells:
        return True
    rows = [{"technician_id": technician, "cell": cell, **owner.values} for cell in cells]
    await tx.later(_TAKEN_IF_FREE[tx.sqlite], rows)
    got = await tx.tuples(_GOT[owner.hold is not None], {"technician": technician, "owner": owner.id, "cells": list(cells)})
    return len(got) == len(cells)


_CELL = ("technician_id", "cell", "appointment_id", "hold_id")
_TAKEN = Prepared(promised_cells.insert(), columns=_CELL)
_TAKEN_IF_FREE = {
    True: Prepared(sqlite.insert(promised_cells).on_conflict_do_nothing(), columns=_CELL),
    False: Prepared(postgresql.insert(promised_cells).on_conflict_do_nothing(), columns=_CELL),
}
"""For SQLite, and not."""


def _got(hold: bool) -> Prepared:
    own = promised_cells.c
    listed: Any = bindparam("cells", expanding=True)
    owned = ((own.hold_id if hold else own.appointment_id) == bindparam("owner")) & (own.technician_id == bindparam("technician"))
    return Prepared(select(own.cell).where(owned, own.cell.in_(listed)), lists=("cells",))


_GOT = {hold: _got(hold) for hold in (True, False)}


async def free(tx: Transaction, owner: Owner, *, since: int | None = None, before: int | None = None) -> None:
    """Give back an owner's cells: all, those from a cell on, or those before one."""
    bounds = {name: cell for name, cell in (("since", since), ("before", before)) if cell is not None}
    await tx.later(_freed(owner.appointment is None, *sorted(bounds)), {"owner": owner.id, **bounds})


@cache
def _freed(hold: bool, *bounds: str) -> Prepared:
    own = promised_cells.c
    statement = delete(promised_cells).where((own.hold_id if hold else own.appointment_id) == bindparam("owner"))
    if "since" in bounds:
        statement = statement.where(own.cell >= bindparam("since"))
    return Prepared(statement.where(own.cell < bindparam("before")) if "before" in bounds else statement)


async def relabel(tx: Transaction, technician: str, hold: str, appointment: str) -> list[int]:
    """A hold's cells become an appointment's; which they are."""
    which = (promised_cells.c.hold_id == hold) & (promised_cells.c.technician_id == technician)
    changed = update(promised_cells).where(which).values(hold_id=None, appointment_id=appointment)
    return sorted(cell for (cell,) in await tx.tuples(changed.returning(promised_cells.c.cell)))


async def owners(tx: Transaction, technician: str, cells: range) -> set[Owner]:
    """Who has any of these cells."""
    which = (promised_cells.c.technician_id == technician) & promised_cells.c.cell.between(cells.start, cells.stop - 1)
    columns = promised_cells.c.appointment_id, promised_cells.c.hold_id
    return {Owner(*row) for row in await tx.tuples(select(*columns).where(which).distinct())}


async def cells_of(tx: Transaction, owner: Owner) -> list[tuple[str, int]]:
    """An owner's cells, each with its technician."""
    columns = promised_cells.c.technician_id, promised_cells.c.cell
    return [(row[0], row[1]) for row in await tx.tuples(select(*columns).where(owner.condition).order_by(*columns))]


async def sweep(tx: Transaction, before: datetime) -> int:
    """Forget cells that have passed; how many."""
    return await tx.change(delete(promised_cells).where(promised_cells.c.cell < epoch_s(before) // CELL_S))


async def without_cells(tx: Transaction, now: datetime, most: int = 500) -> list[str]:
    """Appointments to come that have a technician and no cell: they were put there by hand."""
    a, own = appointments.c, promised_cells.c
    which = a.technician_id.is_not(None) & a.state.in_(LIVE) & (a.arrival_at > now - REACH) & (a.ends_at > now)
    lonely = ~exists().where(own.appointment_id == a.id)
    return [row[0] for row in await tx.tuples(select(a.id).where(which, lonely).order_by(a.arrival_at).limit(most))]


async def set_travel(tx: Transaction, promise: Promise, seconds: int, metres: int, source: str, *, flag: str | None) -> None:
    """Write the travel promised to an appointment or hold anew; ``flag`` says what a dispatcher must know of it, if anything."""
    values: dict[str, Any] = {"travel_s": seconds, "travel_m": metres, "travel_source": source}
    if promise.hold:
        await tx.later(_HOLDS_TRAVEL, {"which": promise.id, **values})
    else:
        await tx.later(_VISITS_TRAVEL, {"which": promise.id, "flagged": flag, **values})


def _set_travel(table: Any, **more: Any) -> Prepared:
    values: dict[str, Any] = {name: bindparam(name) for name in ("travel_s", "travel_m", "travel_source")}
    return Prepared(update(table).where(table.c.id == bindparam("which")).values(**values, **more))


_KEPT = case((appointments.c.flag == LATE, LATE), else_=bindparam("flagged"))  # what lies upon another does so still
_HOLDS_TRAVEL, _VISITS_TRAVEL = _set_travel(holds), _set_travel(appointments, flag=_KEPT)


async def set_flag(tx: Transaction, appointment: str, flag: str | None) -> None:
    """Say (or unsay) that an appointment needs a dispatcher."""
    await tx.change(update(appointments).where(appointments.c.id == appointment).values(flag=flag))
