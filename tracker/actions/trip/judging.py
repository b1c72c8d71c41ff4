"""Pings judged against what this process believes about their phone, and made into what one call to Redis keeps."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from secrets import token_hex
from typing import NamedTuple

import msgspec
import structlog

from tracker.actions.trip.arrivals import Arrivals
from tracker.domain.pings import Believed, Ping, believe, judge, silence_reason
from tracker.live import keys
from tracker.live.gate import moment, ms
from tracker.live.keep import UNSTORED, Answer, Item

log = structlog.get_logger()

MOST_TRACKS = 100_000
"""Technicians remembered by one process; one that is forgotten is learned again from Redis with the next ping."""


@dataclass(frozen=True, slots=True)
class Phone:
    """Whose pings these are; never taken from what the phone says, always from its credentials. ``boot``: own protocol."""

    technician: str
    device: str
    boot: str | None = None


class Receipt(NamedTuple):
    """What became of a parcel: pings refused by a rule, whether the others may be stored at all, and the gate's policy."""

    refused: list[tuple[Ping, str]]
    stored: bool
    interval_s: int
    sharing: bool
    appointment: str | None


type Tell = Callable[[Receipt | Exception], None]
"""Hears once what became of a parcel; an exception: nothing of it was kept."""


class Parcel:
    """What one phone sent at once, on its way."""

    __slots__ = ("_tell", "before", "dealt", "marker", "phone", "pings", "refused", "tries")

    def __init__(self, phone: Phone, pings: Sequence[Ping], dealt: str, tell: Tell) -> None:
        self.phone, self.dealt, self._tell = phone, dealt, tell
        self.pings = pings if len(pings) < 2 else sorted(pings, key=_fix_time)
        self.refused: list[tuple[Ping, str]] = []
        self.marker: Ping | None = None
        self.before: Believed | None = None
        self.tries = 0

    def answer(self, answer: Answer) -> None:
        """Tell whoever waits."""
        stored = answer.code != UNSTORED
        self.tell(Receipt(self.refused, stored, answer.interval_s, answer.sharing, answer.appointment or None))

    def tell(self, outcome: Receipt | Exception) -> None:
        """Tell whoever waits; what goes wrong there is no concern of the batch."""
        try:
            self._tell(outcome)
        except Exception:
            log.exception("phone_not_told")


@dataclass(slots=True)
class Track:
    """What this process believes of one technician: the version in Redis, the leg under way, the last fix of each phone."""

    version: str = ""
    leg: str = ""
    beliefs: dict[str, Believed | None] = field(default_factory=dict)


class Judge:
    """Judges parcels in the order they came. Beliefs move on at once, and back again if Redis did not keep the parcel.

    Which phone moves the marker only the gate knows, so every phone is judged here as if it did; the gate has the last word.
    """

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        self._run, self._count = token_hex(4), count()

    def item(self, parcel: Parcel, now: datetime) -> Item:
        """Judge a parcel and pack it."""
        phone = parcel.phone
        track = self._track(phone.technician)
        parcel.before = believed = track.beliefs.get(phone.device)
        parcel.refused, parcel.marker = [], None
        parcel.tries += 1
        points: list[tuple[int, str]] = []
        line = ""
        for ping in parcel.pings:
            verdict = judge(ping, believed, now)
            believed = verdict.last
            if verdict.kept:
                at = ms(ping.at)
                point = _line(ping, at, phone.boot)
                points.append((at, point))
                if verdict.moves:
                    parcel.marker, line = ping, point
            elif verdict.rule:
                parcel.refused.append((ping, verdict.rule))
        track.beliefs[phone.device] = believed
        return self._packed(parcel, track, points, line, now)

    def _packed(self, parcel: Parcel, track: Track, points: list[tuple[int, str]], line: str, now: datetime) -> Item:
        phone, marker = parcel.phone, parcel.marker
        tag, expected, version = keys.tag(phone.technician), track.version, f"{self._run}.{next(self._count):x}"
        boot = phone.boot if phone.boot and parcel.dealt else ""
        if marker is None:
            fix, lat, lon, head, eta = 0, 0.0, 0.0, "", ""
        else:
            fix, lat, lon, head = ms(marker.at), marker.lat, marker.lon, _head(marker)
            eta = self._arrivals.eta(track.leg, marker, now) if track.leg else ""
            track.version = version
        who = phone.technician, tag, phone.device
        return Item(*who, expected, version, fix, lat, lon, head, line, track.leg, eta, points, boot, parcel.dealt)

    def settle(self, parcel: Parcel, item: Item, answer: Answer) -> None:
        """Redis dealt with it: what moved is the version now; what may not be stored is forgotten here, too."""
        track = self._track(parcel.phone.technician)
        track.leg = answer.leg
        if not answer.moved and track.version == item.version:
            track.version = item.expected
        if answer.code == UNSTORED:
            track.beliefs[parcel.phone.device] = None

    def unbelieve(self, parcels: list[Parcel]) -> None:
        """Redis did not keep these: judge their pings as if they had never come."""
        for parcel in reversed(parcels):
            self._track(parcel.phone.technician).beliefs[parcel.phone.device] = parcel.before

    def learn(self, technician: str, answer: Answer) -> None:
        """Another process wrote since: its version, and its fix if that is newer than ours."""
        track = self._track(technician)
        track.version = answer.version
        if answer.ping:
            theirs, ours = _ping(answer.ping), track.beliefs.get(answer.device)
            if ours is None or ours.at < theirs.at:
                track.beliefs[answer.device] = believe(theirs)

    def _track(self, technician: str) -> Track:
        track = self._tracks.get(technician)
        if track is None:
            track = self._tracks[technician] = Track()
            if len(self._tracks) > MOST_TRACKS:
                self._tracks.popitem(last=False)
        else:
            self._tracks.move_to_end(technician)
        return track


_encode = msgspec.json.Encoder().encode


def _fix_time(ping: Ping) -> datetime:
    return ping.at


def _line(ping: Ping, at: int, boot: str | None) -> str:
    values = (at, ping.lat, ping.lon, ping.acc, ping.speed, ping.course, ping.battery, boot, ping.seq)
    return _encode(values).decode() + "\n"


def _ping(line: str) -> Ping:
    at, lat, lon, acc, speed, course, battery, boot, seq = msgspec.json.decode(line)
    values = {"acc": acc, "speed": speed, "course": course, "battery": battery, "boot": boot, "seq": seq}
    return Ping(at=moment(at), lat=float(lat), lon=float(lon), **values)


def _head(ping: Ping) -> str:
    """The position's JSON without contact, interval and closing brace: Redis adds these, for they are the gate's.

    ``reason`` is absent unless there is one.
    """
    told = f'"acc":{_tenths(ping.acc)},"course":{_tenths(ping.course)},"speed":{_tenths(ping.speed)}'
    fix_at = ping.at.isoformat(timespec="milliseconds" if ping.at.microsecond >= 1000 else "seconds")[:-6]  # "+00:00"
    head = f'{{"lat":{ping.lat:.6f},"lon":{ping.lon:.6f},{told},"fix_at":"{fix_at}Z"'
    reason = silence_reason(ping)
    return f'{head},"reason":{_encode(reason).decode()}' if reason else head


def _tenths(value: float | None) -> str:
    return "null" if value is None else f"{value:.1f}"
