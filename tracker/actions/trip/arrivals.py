"""When each technician under way arrives: from the route of the leg as this process knows it, on the way of every ping."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from tzfpy import get_tz

from tracker.domain.eta import Deviation, Eta, Spread, estimate, off_route, still_true
from tracker.domain.eta_ranges import learned, spread_in
from tracker.domain.geo import Point
from tracker.domain.pings import Ping
from tracker.domain.ways import Progress, StoredRoute, progress
from tracker.errors import LiveUnavailable
from tracker.live.keep import Answer
from tracker.live.positions import Positions
from tracker.live.routes import Wanted

log = structlog.get_logger()

MOST_LEGS = 20_000
MOST_ERRANDS = 10_000
ZERO, OFTEN = timedelta(0), timedelta(seconds=1)
"""An estimate is good for a second of driving: a phone that speaks more often gets the same again."""
ASK_AGAIN = timedelta(seconds=20)
"""A route that was asked for and did not come is asked for again after this."""


@dataclass(slots=True)
class Going:
    """One leg: its route as known here, and what is remembered from fix to fix."""

    route: StoredRoute | None = None
    spread: Spread | None = None
    where: Progress | None = None
    deviation: Deviation = field(default_factory=Deviation)
    shown: Eta | None = None
    text: str = ""
    told_at: datetime | None = None
    made_of: tuple[Progress, datetime] | None = None
    """Place and fix time that ``shown`` was made of."""
    astray: bool = False
    asked_at: datetime | None = None
    loading: bool = False


class Arrivals:
    """ETAs without asking anybody. Loading a route, or asking for a new one, is done beside the way of the ping."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._legs: OrderedDict[str, Going] = OrderedDict()
        self._errands: asyncio.Queue[tuple[str, str, Wanted | None] | None] = asyncio.Queue()

    def knows(self, leg: str) -> bool:
        """True once the route of a leg is known here."""
        going = self._legs.get(leg)
        return going is not None and going.route is not None

    def eta(self, leg: str, ping: Ping, now: datetime) -> str:
        """The arrival as JSON for viewers, ``""`` if no route of the leg is known here (yet)."""
        going = self._legs.get(leg)
        if going is None or going.route is None:
            return ""
        if going.told_at is not None and ZERO <= ping.at - going.told_at < OFTEN:
            return going.text
        going.told_at = ping.at
        where = going.where = progress(going.route, ping.point, going.where, acc=ping.acc, course=heading(ping))
        going.deviation, astray = off_route(going.route, where, ping.acc, ping.at, going.deviation)
        going.astray = going.astray or astray
        if going.shown and going.made_of and still_true(going.shown, *going.made_of, where, ping.at, now):
            return going.text
        shown = estimate(where, ping.at, now, spread=going.spread, shown=going.shown, under_way=going.route.serial > 1)
        going.made_of = where, ping.at
        if shown != going.shown:  # mostly it says the same for some seconds
            going.shown, going.text = shown, as_json(shown)
        return going.text

    def after(self, technician: str, answer: Answer, marker: Ping | None, now: datetime) -> None:
        """What the gate said shows whether the leg or its route changed: then load it, or ask for one."""
        if not answer.leg:
            return
        going = self._legs.get(answer.leg)
        if going is None:
            going = self._legs[answer.leg] = Going()
            if len(self._legs) > MOST_LEGS:
                self._legs.popitem(last=False)
        known = str(going.route.serial) if going.route else ""
        if answer.serial and answer.serial != known:
            if not going.loading:
                going.loading = True
                self._later(technician, answer.leg, None)
        elif marker is not None and answer.moved and self._wants(going, answer, now):
            going.asked_at, going.astray = now, False
            where = Wanted(technician, answer.appointment, answer.leg, marker.lat, marker.lon, heading(marker))
            self._later(technician, answer.leg, where)

    def _wants(self, going: Going, answer: Answer, now: datetime) -> bool:
        waited = going.asked_at is None or now - going.asked_at >= ASK_AGAIN
        return going.astray or (not answer.serial and waited)

    def _later(self, technician: str, leg: str, wanted: Wanted | None) -> None:
        if self._errands.qsize() < MOST_ERRANDS:
            self._errands.put_nowait((technician, leg, wanted))
        else:
            self._legs[leg].loading = False

    async def run(self, stop: asyncio.Event) -> None:
        """Run the errands until told to stop; those left then are nobody's loss: the next ping asks again."""
        ended = asyncio.create_task(stop.wait())
        ended.add_done_callback(lambda _: self._errands.put_nowait(None))
        while (errand := await self._errands.get()) is not None and not stop.is_set():
            try:
                await self._errand(*errand)
            except LiveUnavailable:
                log.warning("route_errand_failed")
            except Exception:
                log.exception("route_errand_failed")

    async def _errand(self, technician: str, leg: str, wanted: Wanted | None) -> None:
        if wanted is not None:
            await self._positions.routes.want(wanted)
            return
        going = self._legs.get(leg)
        if going is None:
            return
        try:
            route = await self._positions.routes.of(technician, leg)
        finally:
            going.loading = False
        if route is not None:
            going.route, going.where, going.told_at, going.made_of = route, None, None, None
            going.spread = spread_at(route.dest)


def heading(ping: Ping) -> float | None:
    """The course, if the speed says that it means something (2 m/s and more)."""
    return ping.course if ping.course is not None and (ping.speed or 0) >= 2 else None


def as_json(eta: Eta) -> str:
    """An ETA for viewers. Without a learned range low and high are the moment itself: nothing is made up."""
    at, low, high = (text(moment or eta.at) for moment in (eta.at, eta.low, eta.high))
    return f'{{"at":"{at}","low":"{low}","high":"{high}","basis":"{eta.basis.value}"}}'


def still_ahead(eta: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An ETA told a while ago, as it can be shown now: nothing of it lies in the past (E3)."""
    past = {name: text(now) for name in ("at", "low", "high") if datetime.fromisoformat(eta[name]) < now}
    return eta | past


def text(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:-6] + "Z"


@lru_cache(maxsize=1_000)
def _spread_in(zone: str, area: str) -> Spread:
    return spread_in(ZoneInfo(zone) if zone else None, area=area)


def spread_at(place: Point) -> Spread:
    """What is known of arrivals in that place, at its time of day."""
    return _spread_in(get_tz(place.lon, place.lat), learned().area_at(place))
