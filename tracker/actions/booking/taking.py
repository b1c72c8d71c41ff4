"""Taking a time: candidate by candidate, each in a transaction of its own, until one has it or nobody is left (B10).

What is written with the promised cells (an appointment, a hold, a moved appointment) is the caller's: see `Taking.write`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tracker.actions.booking import keeping
from tracker.actions.booking.choosing import Around, Choice, choose
from tracker.actions.booking.needs import rules
from tracker.actions.booking.searching import Search
from tracker.domain.cells import epoch_s
from tracker.domain.diaries import Diary, Lookup, Promise
from tracker.domain.slots import Chosen, Fit, possible
from tracker.errors import SlotTaken
from tracker.records import holds, promises, technicians
from tracker.records.database import Transaction
from tracker.records.violations import ConstraintViolated

ROUNDS = 8
"""How often the days are read anew because another process was faster, before the nearest free times are shown."""


class Taken(Exception):
    """This technician can no longer come then: try the next one."""


class Moved(Exception):
    """This technician can come, but not as it was found: rank them anew."""


class Kept(Protocol):
    """What was written for a time: an appointment or a hold."""

    @property
    def id(self) -> str: ...


class Write[T](Protocol):
    """Writes what is to be kept for a fit, in the transaction that holds the technicians locked, and promises its cells."""

    async def __call__(self, tx: Transaction, fit: Fit, reason: dict[str, Any], now: datetime) -> T: ...


@dataclass(slots=True)
class Taking[T: Kept]:
    """A time that somebody wants; ``first``: the technician who is to be tried first.

    ``concerned``: further technicians whose days change, by id, with their diaries.
    """

    search: Search
    arrival: int
    write: Write[T]
    first: str | None = None
    concerned: dict[str, Diary] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    around: Around = field(init=False)
    read: int = 0  # times

    def __post_init__(self) -> None:
        self.around = Around(self.search, self.arrival)

    async def done(self, *, refused: type[SlotTaken] | None) -> T:
        """What ``write`` gave; `SlotTaken`, or as what it is ``refused`` anyway, with the nearest free times."""
        while refused is None and self.read < ROUNDS:
            tried, choice = len(self.taken), await choose(self.around, self.taken)
            if not choice.nearest_first:
                break
            done = await self._one_of(choice)
            if done is not None:
                return done
            if len(self.taken) >= tried + choice.can:
                break  # everybody who could come was asked
        raise (refused or SlotTaken)(nearest=[each.isoformat() for each in await self.search.nearest(self.arrival)])

    async def _one_of(self, choice: Choice) -> T | None:
        await self._know_hold()
        for chosen in sorted(choice.nearest_first, key=lambda one: one.fit.technician != self.first):
            try:
                return await self._in_turn(chosen, choice.reason(chosen))
            except Taken:
                self.taken.append(chosen.fit.technician)
            except Moved:
                return None
            except ConstraintViolated as violated:
                if violated.name != promises.KEY:
                    raise
                self.taken.append(chosen.fit.technician)
        return None

    async def _in_turn(self, chosen: Chosen, reason: dict[str, Any]) -> T:
        """One at a time of this process; who sees what was given away meanwhile does not even ask the database."""
        house, fit = self.search.house, chosen.fit
        async with house.turns.turn(fit.technician):
            lately = self.around.lately(chosen.diary)
            if lately is not chosen.diary:
                self._same(chosen.fit, lately, self.search.ways.at_least)
            try:
                done = await house.db.retrying(lambda tx: self._take(tx, chosen, reason))
            except Moved:
                self.around.forget()
                self.read += 1
                raise
            place = self.search.wanted.place.point
            house.turns.give(fit.technician, Promise(done.id, fit.begins, fit.arrival, fit.ends, place))
            return done

    async def _know_hold(self) -> None:
        """The session's hold ends with this: its technician is concerned, too."""
        search, hold = self.search, self.search.hold
        if hold is None or hold.technician_id in self.concerned:
            return
        start, end = epoch_s(hold.arrival_at), epoch_s(hold.ends_at)
        async with search.house.db.reading() as tx:
            diary = await keeping.diary_of(tx, search.house, hold.technician_id, start, end, search.now)
        if diary is not None:
            self.concerned[diary.technician] = diary

    async def _take(self, tx: Transaction, chosen: Chosen, reason: dict[str, Any]) -> T:
        was, search = chosen.fit, self.search
        if not tx.sqlite:  # where whoever writes is alone
            for technician in sorted({was.technician, *self.concerned}):  # in id order: nobody deadlocks
                await technicians.lock(tx, technician)
        now = search.house.clock()
        fit = await self._still(tx, chosen, now)
        return await self.write(tx, fit, reason, now)

    async def _still(self, tx: Transaction, chosen: Chosen, now: datetime) -> Fit:
        """The fit as it is in this transaction."""
        was, search = chosen.fit, self.search
        diary = await keeping.as_now(tx, chosen.diary, was.begins, was.ends, now, search.ways, search.but)
        if diary is None:
            raise Taken
        return self._same(was, diary, search.ways.certain)

    def _same(self, was: Fit, diary: Diary, travel: Lookup) -> Fit:
        """The fit as a diary allows it; `Taken` if there is none any more, `Moved` if others changed its travel."""
        fit = possible(diary, self.search.wanted.work, self.arrival, travel, rules(self.search.house))
        if fit is None:
            raise Taken
        if (fit.origin, fit.after and fit.after.id) != (was.origin, was.after and was.after.id):
            raise Moved
        return fit

    async def drop_hold(self, tx: Transaction) -> None:
        """The session's hold has done its work; call it before the cells are promised. `mend_hold` afterwards."""
        if self.search.hold is not None:
            await holds.remove(tx, self.search.hold.id)

    async def mend_hold(self, tx: Transaction, now: datetime) -> None:
        """After the cells were promised: whatever followed the hold is reached from somewhere else now."""
        if self.search.hold is not None:
            await self.mend(tx, self.search.hold.technician_id, self.search.hold.arrival_at, now)

    async def mend(self, tx: Transaction, technician: str, arrival: datetime, now: datetime) -> None:
        """Promise anew the travel to whatever follows a time that was given back."""
        diary = self.concerned.get(technician)
        if diary is not None:
            await keeping.mend_after(tx, diary, epoch_s(arrival), now, self.search.ways)
