"""Letters as rows: written in the transaction of their cause, sent afterwards (N3); what they say is made when they are sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import delete, func, select

from tracker.domain.letter_kinds import Kind as Kind
from tracker.domain.letter_states import LetterState, state_of
from tracker.records.database import Transaction, new_id
from tracker.records.schema import appointments, contacts, outbox

NOBODY = "-"
"""The recipient of a row that stands for the work done for an address nobody has (O6). It is never sent and tidied away."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One letter. ``payload`` holds ids and times, never a code or token: those are made from the ids when it is sent."""

    id: str
    kind: str
    recipient: str
    message_id: str  # what stands before the @ of its Message-ID
    payload: dict[str, Any]
    created_at: datetime
    due_at: datetime
    appointment_id: str | None = None
    attempts: int = 0
    unsure: bool = False  # it was handed in once, and what became of that nobody noted: a server may have it
    sent_at: datetime | None = None
    parked_at: datetime | None = None
    last_error: str | None = None

    @property
    def state(self) -> LetterState:
        """What became of it."""
        return state_of(self.sent_at, self.parked_at, self.last_error)


class Wanted(NamedTuple):
    """Which letters are looked for; None: whatever it is."""

    appointment: str | None = None
    recipient: str | None = None
    kind: Kind | None = None
    state: LetterState | None = None


class State(NamedTuple):
    """Letters that are due and not sent, since when, and how many were given up."""

    waiting: int
    oldest: datetime | None
    failed: int


LETTER = [outbox.c[name] for name in Letter.__struct_fields__]
WAITING = outbox.c.sent_at.is_(None) & outbox.c.parked_at.is_(None)
"""Neither sent nor parked. Parked without ``last_error``: overtaken by what happened since, nothing failed."""
_FAULTY = outbox.c.last_error.is_not(None)
_GIVEN_UP = outbox.c.sent_at.is_(None) & outbox.c.parked_at.is_not(None)
_IN = {
    LetterState.WAITING: WAITING & ~_FAULTY,
    LetterState.RETRYING: WAITING & _FAULTY,
    LetterState.SENT: outbox.c.sent_at.is_not(None),
    LetterState.PARKED: _GIVEN_UP & _FAULTY,
    LetterState.OVERTAKEN: _GIVEN_UP & ~_FAULTY,
}
ALL = Wanted()


def informed_by_default(source: str, letters_for: str) -> bool:
    """What ``appointments.keep_informed`` is preset to (N2): portal bookings always, those of staff if the setting is ``all``."""
    return source == "portal" or letters_for == "all"


async def add(
    tx: Transaction,
    kind: Kind,
    subject: str,
    recipient: str,
    now: datetime,
    *,
    sequence: int = 0,
    appointment: str | None = None,
    payload: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Write a letter; False if the one of this (subject, kind, sequence) is there already, or nobody is to get it.

    ``subject`` is the id of what it is about. ``due_at``: not before then; at once if it is not given.
    """
    if not recipient:
        return False
    letter = Letter(
        id=new_id(),
        kind=kind,
        recipient=recipient,
        message_id=f"{kind}.{subject}.{sequence}",
        payload=dict(payload or {}),
        created_at=now,
        due_at=due_at or now,
        appointment_id=appointment,
        parked_at=now if recipient == NOBODY else None,
    )
    statement = tx.insert(outbox).values(msgspec.structs.asdict(letter)).on_conflict_do_nothing(index_elements=["message_id"])
    return bool(await tx.rows(statement.returning(outbox.c.id)))


async def add_for(
    tx: Transaction,
    kind: Kind,
    appointment: str,
    now: datetime,
    *,
    payload: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    sequence: int | None = None,
    mark: str = "",
) -> bool:
    """Write a letter about an appointment to the contact who reported it, if letters are wanted for it (N2).

    Its row as it stands in this transaction counts, with its ``sequence`` unless another is given (several letters of
    one kind and sequence differ by their ``mark``): call it after the change. False where nothing was written: nobody
    reported it, the contact was removed or has no address, letters are not wanted, or it is there.
    """
    columns = [contacts.c.email, appointments.c.sequence]
    wanted = (appointments.c.id == appointment) & appointments.c.keep_informed & contacts.c.ended_at.is_(None)
    row = await tx.row(select(*columns).join_from(appointments, contacts).where(wanted))
    if row is None:
        return False
    number = row["sequence"] if sequence is None else sequence
    about: dict[str, Any] = {"sequence": number, "appointment": appointment, "payload": payload, "due_at": due_at}
    return await add(tx, kind, appointment + mark, row["email"], now, **about)


async def latest(
    tx: Transaction, most: int = 50, wanted: Wanted = ALL, behind: tuple[datetime, str] | None = None
) -> list[Letter]:
    """The newest letters first, sent or not; ``behind``: those that follow the letter written then, with that id."""
    query = select(*LETTER).where(outbox.c.recipient != NOBODY)
    for name, value in (("appointment_id", wanted.appointment), ("recipient", wanted.recipient), ("kind", wanted.kind)):
        query = query if value is None else query.where(outbox.c[name] == value)
    if wanted.state is not None:
        query = query.where(_IN[wanted.state])
    if behind is not None:
        at, id = behind
        query = query.where((outbox.c.created_at < at) | ((outbox.c.created_at == at) & (outbox.c.id < id)))
    return await tx.all(query.order_by(outbox.c.created_at.desc(), outbox.c.id.desc()).limit(most), Letter)


async def by_id(tx: Transaction, letter: str, *, lock: bool = False) -> Letter | None:
    """One letter; ``lock``: its row until the transaction ends."""
    query = select(*LETTER).where(outbox.c.id == letter, outbox.c.recipient != NOBODY)
    return await tx.one(query.with_for_update() if lock else query, Letter)


async def state(tx: Transaction, now: datetime) -> State:
    """How it stands with the letters that are due."""
    due = WAITING & (outbox.c.due_at <= now)
    row = await tx.row(select(func.count().label("waiting"), func.min(outbox.c.due_at).label("oldest")).where(due))
    parked = outbox.c.parked_at.is_not(None) & outbox.c.last_error.is_not(None)
    failed = await tx.value(select(func.count()).select_from(outbox).where(parked))
    return State(row["waiting"] if row else 0, row["oldest"] if row else None, failed)


async def purge_nobodys(tx: Transaction, moment: datetime) -> int:
    """Remove what was written for nobody before a moment; how many."""
    return await tx.change(delete(outbox).where(outbox.c.recipient == NOBODY, outbox.c.created_at < moment))


async def of_appointment(tx: Transaction, appointment: str) -> list[Letter]:
    """The letters about one appointment, in order."""
    which = outbox.c.appointment_id == appointment
    return await tx.all(select(*LETTER).where(which).order_by(outbox.c.created_at, outbox.c.id), Letter)
