"""The way of a ping: judged, joined with whatever came meanwhile, kept in one call, then acknowledged."""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from tracker.actions.house import House
from tracker.actions.trip.arrivals import Arrivals
from tracker.actions.trip.judging import Judge, Parcel, Phone, Receipt, Tell
from tracker.actions.trip.upkeep import reopen
from tracker.domain.pings import Ping
from tracker.errors import LiveUnavailable, Refusal
from tracker.live.keep import GATELESS, NEWER, UNREACHED, Answer, Item, Keeper

__all__ = ["Phone", "Receipt", "Receiver", "receiver_of"]

log = structlog.get_logger()

MOST_PARCELS, MOST_PINGS = 256, 2_000
"""One call keeps so many at most: Redis does nothing else meanwhile."""
MOST_WAITING = 20_000
"""Parcels; beyond this Redis is too slow for what comes, and phones had better keep their pings."""
TRIES = 5
"""A parcel that meets a shut gate or another process's newer state so often is given back to the phone."""

type Reopen = Callable[[str], Awaitable[bool]]
"""Build a technician's gate anew from SQL and set it; False if it was fenced off (a closing is under way)."""


class Receiver:
    """One a process: takes what phones sent, answers when Redis has it. No SQL, no routing and no task on that way.

    While one call to Redis is under way, whatever arrives is the next batch: no timer, no added latency when idle, and
    the busier, the cheaper each ping. `run` must be running.
    """

    def __init__(self, keeper: Keeper, arrivals: Arrivals, reopen: Reopen, clock: Callable[[], datetime]) -> None:
        self._keeper, self._arrivals, self._reopen, self._clock = keeper, arrivals, reopen, clock
        self._judge = Judge(arrivals)
        self._waiting: deque[Parcel] = deque()
        self._busy = self._stopped = False
        self._idle = asyncio.Event()
        self._parked: dict[str, list[Parcel]] = {}
        self._reopening: set[asyncio.Task[None]] = set()
        self._reopens = asyncio.Semaphore(4)

    def take(self, phone: Phone, pings: Sequence[Ping], dealt: str, tell: Tell) -> None:
        """Take pings of a phone (none: it only said that it is there); ``tell`` hears what became of them, never at once.

        ``dealt`` is what Redis is to remember for the phone's boot when these are dealt with. LiveUnavailable, raised or
        told: they could not be kept, and nothing may be acknowledged. Sending them again is harmless.
        """
        if self._stopped or len(self._waiting) >= MOST_WAITING:
            raise LiveUnavailable
        self._waiting.append(Parcel(phone, pings, dealt, tell))
        self._stir()

    def receive(self, phone: Phone, pings: Sequence[Ping], dealt: str = "") -> "Future[Receipt]":
        """`take`, for those who would rather wait."""
        future: Future[Receipt] = asyncio.get_running_loop().create_future()

        def tell(outcome: Receipt | Exception) -> None:
            if future.done():
                return  # whoever waited has gone
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.take(phone, pings, dealt, tell)
        return future

    async def run(self, stop: asyncio.Event) -> None:
        """Keep batches until told to stop; what then still waits is given back."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._arrivals.run(stop))
            await stop.wait()
        while self._busy:
            self._idle.clear()
            await self._idle.wait()
        self._stopped = True
        for task in self._reopening:
            task.cancel()
        parked, self._parked = self._parked, {}  # each hears once
        self._give_back([parcel for parcels in parked.values() for parcel in parcels])
        await self._keeper.close()

    def _take(self) -> list[Parcel]:
        waiting, pings = self._waiting, 0
        batch: list[Parcel] = []
        while waiting and len(batch) < MOST_PARCELS and (pings == 0 or pings + len(waiting[0].pings) <= MOST_PINGS):
            pings += len(waiting[0].pings)
            batch.append(waiting.popleft())
        return batch

    def _stir(self) -> None:
        """Begin a batch, unless one is under way: in a moment, for what else comes in this turn of the loop belongs to it."""
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        batch = self._take()
        if not batch:
            self._busy = False
            self._idle.set()
            return
        items: list[Item] = []
        now, loop = self._clock(), asyncio.get_running_loop()

        def answered(outcome: list[Answer] | BaseException) -> None:
            # viewers first: what the same call published is read in this turn of the loop, phones hear in the next
            loop.call_soon(self._answered, batch, items, now, outcome)

        try:
            items.extend(self._judge.item(parcel, now) for parcel in batch)
            self._keeper.begin(items, now, answered)
        except Exception as error:
            answered(error)

    def _answered(self, batch: list[Parcel], items: list[Item], now: datetime, outcome: list[Answer] | BaseException) -> None:
        try:
            if isinstance(outcome, BaseException):
                raise outcome
            self._settle(batch, items, outcome, now)
        except Exception as error:
            if isinstance(error, LiveUnavailable):
                log.warning("pings_not_kept", parcels=len(batch), reason=str(error.__cause__ or error))
            else:
                log.exception("batch_failed", parcels=len(batch))
            self._judge.unbelieve(batch)
            self._give_back(batch)
        self._turn()

    def _settle(self, batch: list[Parcel], items: list[Item], answers: list[Answer], now: datetime) -> None:
        again: list[Parcel] = []
        shut: list[Parcel] = []
        lost: list[Parcel] = []
        for parcel, item, answer in zip(batch, items, answers, strict=True):
            if answer.code == NEWER:
                again.append(parcel)
            elif answer.code == GATELESS:
                shut.append(parcel)
            elif answer.code == UNREACHED:
                lost.append(parcel)
            else:
                self._judge.settle(parcel, item, answer)
                self._arrivals.after(parcel.phone.technician, answer, parcel.marker, now)
                parcel.answer(answer)
        if again or shut or lost:
            # in reverse, so that of several parcels of one technician the first one's belief is what remains
            failed = set(map(id, again + shut + lost))
            self._judge.unbelieve([parcel for parcel in batch if id(parcel) in failed])
            for parcel, answer in zip(batch, answers, strict=True):
                if answer.code == NEWER:
                    self._judge.learn(parcel.phone.technician, answer)
            self._give_back(lost)
            self._retry(again)
            self._park(shut)

    def _retry(self, parcels: list[Parcel]) -> None:
        self._give_back([parcel for parcel in parcels if parcel.tries >= TRIES])
        self._waiting.extendleft(reversed([parcel for parcel in parcels if parcel.tries < TRIES]))
        self._stir()

    def _give_back(self, parcels: list[Parcel]) -> None:
        for parcel in parcels:
            parcel.tell(LiveUnavailable())

    # -- a gate that is missing ----------------------------------------------------------------------------------------

    def _park(self, parcels: list[Parcel]) -> None:
        for parcel in parcels:
            technician = parcel.phone.technician
            if technician not in self._parked:
                self._parked[technician] = []
                task = asyncio.create_task(self._open_again(technician))
                self._reopening.add(task)
                task.add_done_callback(self._reopening.discard)
            self._parked[technician].append(parcel)

    async def _open_again(self, technician: str) -> None:
        opened = False
        try:
            opened = await self._try_to_open(technician)
        except Refusal as refusal:
            log.warning("gate_not_rebuilt", reason=refusal.code)
        except Exception:
            log.exception("gate_not_rebuilt")
        finally:
            parked = self._parked.pop(technician, [])
            if opened:
                self._retry(parked)
            else:
                self._give_back(parked)

    async def _try_to_open(self, technician: str) -> bool:
        for pause in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
            async with self._reopens:
                if await self._reopen(technician):
                    return True
            await asyncio.sleep(pause)  # fenced off: a closing has not committed yet; it takes milliseconds
        return False


def receiver_of(house: House) -> Receiver:
    """The process's receiver."""
    keeper = Keeper(house.positions.client)
    return Receiver(keeper, Arrivals(house.positions), lambda technician: reopen(house, technician), house.clock)
