"""Requests that may be sent again: the same key with the same body gives the same appointment (B12)."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from tracker.domain.accounts import Actor
from tracker.errors import NotFound, Refusal
from tracker.records import appointments, audit
from tracker.records.appointments import Appointment
from tracker.records.audit import Answer
from tracker.records.database import Database, Transaction
from tracker.records.violations import ConstraintViolated, Retry

KEY = "pk_idempotency"
"""The constraint whose violation means that the same request was answered by another process just now."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """Who asks, with which key (None: it is not sent again), and what for."""

    who: str
    key: str | None
    body: bytes
    actor: Actor

    @classmethod
    def of(cls, actor: Actor, key: str | None, *body: object) -> "Keyed":
        """The request of an actor."""
        return cls(actor.signed[:64], key, msgspec.json.encode(body), actor)

    async def answered(self, tx: Transaction) -> Appointment | None:
        """What it gave before; `IdempotencyMismatch` if the key was another request's, `NotFound` if it is theirs no more."""
        if self.key is None:
            return None
        answer = await audit.answered(tx, self.key, self.who, self.body)
        if answer is None:
            return None
        before = await appointments.by_id(tx, answer.answer["appointment"])
        if before is not None and not self._reaches(before):
            raise NotFound  # the account, or the visit, was theirs when they asked first
        return before

    def _reaches(self, appointment: Appointment) -> bool:
        actor = self.actor
        theirs = actor.technician is not None and actor.technician == appointment.technician_id
        return actor.staff or theirs or appointment.account_id in actor.accounts

    async def instead(self, db: Database, refusal: Refusal) -> Appointment:
        """What the same request was given, before or meanwhile: it stood in its own way. Else the refusal."""
        if self.key is None or refusal.status >= 500:
            raise refusal
        async with db.reading() as tx:
            before = await self.answered(tx)
        if before is None:
            raise refusal
        return before

    async def keep(self, tx: Transaction, appointment: str, now: datetime, *, at_once: bool = False) -> None:
        """Remember what it gave, in the transaction that did it; ``at_once`` as `audit.keep_answer`."""
        if self.key is not None:
            answer = Answer(200, {"appointment": appointment})
            await audit.keep_answer(tx, self.key, self.who, self.body, answer, now, at_once=at_once)

    async def keep_or_look(self, tx: Transaction, appointment: str, now: datetime) -> None:
        """`keep`; begin anew if the key was used in the same moment, for whatever it was: `answered` knows it then."""
        try:
            await self.keep(tx, appointment, now, at_once=True)
        except ConstraintViolated as violated:
            if violated.name != KEY:
                raise
            raise Retry from violated
