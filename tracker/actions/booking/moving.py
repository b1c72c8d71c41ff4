"""Moving an appointment to another time, the same technician first (A3, A5, A6, A9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tracker.actions.booking import keeping
from tracker.actions.booking.booking import check_offered, promised
from tracker.actions.booking.keyed import KEY, Keyed
from tracker.actions.booking.needs import wanted_again
from tracker.actions.booking.searching import Search, own
from tracker.actions.booking.taking import Taking
from tracker.actions.house import House
from tracker.actions.letters.informing import plan_reminders
from tracker.actions.trip.telling import tell
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State
from tracker.domain.cells import epoch_s
from tracker.domain.changing import modify_refusal
from tracker.domain.slots import Fit
from tracker.errors import NotAllowed, NotFound, SlotTaken, StepNotPossible, VersionMismatch
from tracker.live.control import Ask
from tracker.records import appointments, audit, events, outbox, promises
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.promises import Owner
from tracker.records.violations import ConstraintViolated

LOOKS = 5
"""So often an appointment is looked at anew because others change it meanwhile, by who does not say which version they saw."""
TOLD_FROM = timedelta(minutes=10)
"""A letter says "rescheduled" only if the arrival moves by more than this (N5)."""


async def move(
    house: House, actor: Actor, appointment: str, arrival_at: datetime, *, version: int | None = None, key: str | None = None
) -> Appointment:
    """Give an appointment another arrival; the appointment as it stands afterwards.

    Errors: `NotFound`, `NotAllowed` (not by this person, or the settings forbid it), `StepNotPossible` (it is not scheduled
    any more), `VersionMismatch`, `SlotTaken`, `NotBookable`, `NoAddress`, `IdempotencyMismatch`.
    """
    request = Keyed.of(actor, key, "move", appointment, arrival_at)
    for _ in range(LOOKS):
        try:
            return await _moved(house, actor, appointment, arrival_at, version, request)
        except Overtaken:
            continue
    raise VersionMismatch


class Overtaken(Exception):
    """Somebody moved it or gave it to another technician since it was looked at."""


async def _moved(
    house: House, actor: Actor, appointment: str, arrival_at: datetime, version: int | None, request: Keyed
) -> Appointment:
    async with house.db.reading() as tx:
        before = await request.answered(tx)
        if before is not None:
            return before
        found = await _reached(tx, actor, appointment)
        check_movable(house, actor, found, version)
        search = Search(house, await wanted_again(tx, house, actor, found), *await own(tx, actor, appointment))
    check_offered(search, actor, arrival_at)
    moving = _Moving(house, actor, found, version, request)
    moving.taking = Taking(search, epoch_s(arrival_at), moving.write, first=found.technician_id)
    await moving.know_the_old_day(search)
    try:
        done = await moving.made(refused=search.refusal(epoch_s(arrival_at), staff=actor.staff))
    except (SlotTaken, VersionMismatch) as lost:
        return await request.instead(house.db, lost)
    await tell(house, appointment)
    await house.control.ask(Ask.LOOK_AGAIN, appointment)
    return done


async def _reached(tx: Transaction, actor: Actor, appointment: str) -> Appointment:
    if not actor.staff and actor.role is not Role.CUSTOMER:
        raise NotAllowed
    found = await appointments.by_id(tx, appointment)
    if found is None or not (actor.staff or found.account_id in actor.accounts):
        raise NotFound
    return found


def check_movable(house: House, actor: Actor, appointment: Appointment, version: int | None) -> None:
    """Raises what stands against moving it: its version, its state, the settings."""
    if version is not None and version != appointment.version:
        raise VersionMismatch
    sentence = modify_refusal(appointment.state, appointment.arrival_at, house.settings.now, house.clock())
    if appointment.state is not State.SCHEDULED:
        raise StepNotPossible(sentence, state=appointment.state.value)
    if sentence is not None and not actor.staff:
        raise NotAllowed(sentence)


@dataclass(slots=True)
class _Moving:
    house: House
    actor: Actor
    found: Appointment
    version: int | None
    request: Keyed
    taking: "Taking[Appointment]" = None  # type: ignore[assignment]  # made of `write`

    async def know_the_old_day(self, search: Search) -> None:
        """The day it leaves is mended, too: its technician is locked with the new one, the travel asked before."""
        if self.found.technician_id is None:
            return
        start, end = epoch_s(self.found.arrival_at), epoch_s(self.found.ends_at)
        async with self.house.db.reading() as tx:
            diary = await keeping.diary_of(tx, self.house, self.found.technician_id, start, end, search.now)
        if diary is not None:
            self.taking.concerned[diary.technician] = diary
            await search.ways.learn(keeping.pairs_after(diary, start, self.found.id))

    async def made(self, *, refused: type[SlotTaken] | None) -> Appointment:
        try:
            return await self.taking.done(refused=refused)
        except ConstraintViolated as violated:
            if violated.name != KEY:
                raise
            async with self.house.db.reading() as tx:
                before = await self.request.answered(tx)
            if before is None:
                raise
            return before

    async def write(self, tx: Transaction, fit: Fit, reason: dict[str, Any], now: datetime) -> Appointment:
        """The old time given back and the new one taken, or neither."""
        before = await appointments.locked(tx, self.found.id)
        if before is None:
            raise NotFound
        check_movable(self.house, self.actor, before, self.version)
        if before.technician_id != self.found.technician_id or before.arrival_at != self.found.arrival_at:
            raise VersionMismatch if self.version is not None else Overtaken
        await promises.free(tx, Owner(before.id))
        await self.taking.drop_hold(tx)
        sequence = before.sequence + 1
        await appointments.change(tx, before, flag=None, unkept=None, sequence=sequence, **promised(fit, reason))
        await keeping.take(tx, fit, Owner(before.id))
        if before.technician_id is not None:
            await self.taking.mend(tx, before.technician_id, before.arrival_at, now)
        await self.taking.mend_hold(tx, now)
        await self._write_down(tx, before, fit, now)
        after = await appointments.by_id(tx, before.id)
        assert after is not None  # noqa: S101 - its row is locked
        return after

    async def _write_down(self, tx: Transaction, before: Appointment, fit: Fit, now: datetime) -> None:
        new = promised(fit, {})["arrival_at"]
        payload = {"arrival_at": new.isoformat(), "was": before.arrival_at.isoformat()}
        await self.request.keep(tx, before.id, now)
        await events.add(tx, before.id, "rescheduled", now, self.actor.signed, payload)
        if abs(new - before.arrival_at) > TOLD_FROM:
            await outbox.add_for(tx, outbox.Kind.RESCHEDULED, before.id, now, payload=payload)
        await plan_reminders(tx, self.house.settings.now, before.id, new, now)
        if self.actor.staff:
            old: Mapping[str, str | None] = {"arrival_at": payload["was"], "technician": before.technician_id}
            changed = {"arrival_at": payload["arrival_at"], "technician": fit.technician}
            await audit.write(tx, now, self.actor.signed, "appointment.move", before.id, before=dict(old), after=changed)
