"""What a phone says, and the named rules by which a ping is believed or refused."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import cos, hypot, radians, sin

import msgspec

from tracker.domain.geo import EARTH_RADIUS_M, Point


class Ping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fix of a phone, in SI units. Made only by `domain/wire` (and by the own protocol's reader).

    ``at`` is the fix time (aware UTC, corrected for the phone's clock where that is known). ``acc`` metres (68 %),
    ``speed`` m/s, ``course`` degrees clockwise from north, ``battery`` 0–1; None means the phone did not say.
    ``boot`` and ``seq`` exist only for the own protocol; stock apps are told apart by fix time and place.
    """

    at: datetime
    lat: float
    lon: float
    acc: float | None = None
    speed: float | None = None
    course: float | None = None
    battery: float | None = None
    boot: str | None = None
    seq: int | None = None

    @property
    def point(self) -> Point:
        return Point(self.lat, self.lon)


LOW_BATTERY = 0.15
"""Below this charge a phone may fall silent soon: viewers are told why its position may be old (M5)."""


def silence_reason(ping: Ping) -> str | None:
    """Why this phone may soon be silent, as a code for viewers: ``battery``; None: nothing speaks for it."""
    return "battery" if ping.battery is not None and ping.battery < LOW_BATTERY else None


class Believed(msgspec.Struct, frozen=True):
    """The newest believed fix of one device, and what the next one is measured against.

    ``east_mps`` and ``north_mps`` are its velocity (None: unknown), ``blur_mps`` how wrong that may be, ``lag_s`` how old it
    was at the fix: one drawn from two fixes belongs to the middle between them.
    ``suspect`` is the last fix that was refused as an impossible jump, ``doubts`` how many were in a row.
    Build one with `believe` from a stored fix: what only memory knew is then simply unknown.
    """

    at: datetime
    lat: float
    lon: float
    acc: float
    east_mps: float | None = None
    north_mps: float = 0.0
    blur_mps: float = 0.0
    lag_s: float = 0.0
    suspect: "Believed | None" = None
    doubts: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """What became of a ping.

    ``rule`` is the name of the rule that spoke against it, or None. ``kept``: it belongs into the history.
    ``moves``: it is the newest and moves the marker. ``last``: the belief to judge this device's next ping against.
    """

    rule: str | None
    kept: bool
    moves: bool
    last: Believed | None


MAX_LAT = 85.05112878
"""Redis' geo sets and every web map end at this latitude."""
FUTURE_S = 30
"""Seconds a fix may lie ahead of our clock: less cannot be told from a slow answer of a time server."""
MAX_AGE = timedelta(days=7)
"""Older fixes would be purged the same day."""
MAX_ACC_M = 200
"""A circle wider than this says which part of town, not where."""
ACC_UNKNOWN_M = 10.0
"""Accuracy taken for a phone that says none: an ordinary one under open sky."""
TOP_MPS = 60.0
"""216 km/h: no van is faster."""
PUSH_MPS2 = 3.0
"""Speeding up, braking or turning: what a hard driver reaches for some seconds."""
NOISE = 2.5
"""How many accuracies two good fixes may err."""
SPEED_BLUR_MPS = 1.0
"""Error of a satellite receiver's own speed, most of it lag while speeding up."""
DOUBTS = 2
"""So many suspects in a row are refused at most: the next is believed whatever it says, so no filter freezes a marker."""

type Rule = Callable[[Ping, Believed | None, datetime, bool], bool]


def off_the_globe(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """Not a place, or beyond where maps end; written so that NaN is refused, too."""
    return not (-MAX_LAT <= ping.lat <= MAX_LAT and -180 <= ping.lon <= 180)


def null_island(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """Within a kilometre of 0, 0 in the Gulf of Guinea: what broken receivers say for "nowhere"."""
    return -0.01 < ping.lat < 0.01 and -0.01 < ping.lon < 0.01


def from_the_future(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """Fixed later than now, after `domain.clocks` has corrected what can be: it would block every later fix."""
    return (ping.at - now).total_seconds() > FUTURE_S


def too_old(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """Fixed so long ago that it would be purged at once."""
    return now - ping.at > MAX_AGE


def too_vague(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """The phone itself says that it hardly knows where it is."""
    return ping.acc is not None and ping.acc > MAX_ACC_M


def other_device(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """Sent by another phone than the one that shows this technician."""
    return not chosen


def duplicate(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """The very fix that was believed last, sent again."""
    return last is not None and ping.at == last.at and ping.lat == last.lat and ping.lon == last.lon


def out_of_order(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """Not newer than the newest: history, sent late."""
    return last is not None and ping.at <= last.at


def impossible_jump(ping: Ping, last: Believed | None, now: datetime, chosen: bool) -> bool:
    """Farther from the last believed fix than any driver could have come, unless a suspect agrees or too many were refused."""
    if last is None or _in_reach(last, ping):
        return False
    return not (last.doubts >= DOUBTS or (last.suspect is not None and _agrees(last.suspect, ping)))


RULES: tuple[Rule, ...] = (
    off_the_globe,
    null_island,
    from_the_future,
    too_old,
    too_vague,
    other_device,
    duplicate,
    out_of_order,
    impossible_jump,
)
"""Every rule in the order asked; the first that speaks gives its name to the refusal."""

HISTORY: frozenset[Rule] = frozenset({other_device, out_of_order})
"""Rules that keep a fix as history and only deny it the marker."""


def judge(ping: Ping, last: Believed | None, now: datetime, *, chosen: bool = True) -> Verdict:
    """What becomes of one ping.

    ``last`` is the belief about the **same device** (None: first fix, or forgotten), ``now`` the time of receipt,
    ``chosen`` False if another device moves this technician's marker. Stateless: the next belief is in the verdict.
    """
    for rule in RULES:
        if rule(ping, last, now, chosen):
            kept = rule in HISTORY
            return Verdict(rule.__name__, kept, False, _doubting(last, ping) if rule is impossible_jump else last)
    # after a jump its way says nothing about the speed: the suspect that agreed is the fix before
    before = last if last is None or last.doubts == 0 or _in_reach(last, ping) else last.suspect
    return Verdict(None, True, True, believe(ping, before))


def believe(ping: Ping, last: Believed | None = None) -> Believed:
    """The belief after a good fix; its velocity is the phone's own, else drawn from the way since ``last``."""
    acc = ping.acc or ACC_UNKNOWN_M
    speed = ping.speed
    if speed and speed < 2:  # too slow for a course; and a plain 0 is what phones say that do not know
        return Believed(ping.at, ping.lat, ping.lon, acc, 0.0, 0.0, speed + SPEED_BLUR_MPS)
    if speed and ping.course is not None:
        course = radians(ping.course)
        return Believed(ping.at, ping.lat, ping.lon, acc, speed * sin(course), speed * cos(course), SPEED_BLUR_MPS)
    seconds = (ping.at - last.at).total_seconds() if last is not None else 0.0
    if last is None or not 0.5 <= seconds <= 60:
        return Believed(ping.at, ping.lat, ping.lon, acc)
    east, north = _way_m(last, ping)
    return Believed(
        ping.at, ping.lat, ping.lon, acc, east / seconds, north / seconds, hypot(acc, last.acc) / seconds, seconds / 2
    )


def _doubting(last: Believed | None, ping: Ping) -> Believed | None:
    if last is None:
        return None
    return msgspec.structs.replace(last, suspect=believe(ping), doubts=last.doubts + 1)


def _agrees(suspect: Believed, ping: Ping) -> bool:
    return ping.at > suspect.at and _in_reach(suspect, ping)


def _in_reach(last: Believed, ping: Ping) -> bool:
    """True if a hard driver could have come from one fix to the other, given how wrong both may be.

    The place is compared with where the velocities at both ends lead to (their mean over the time between): speeding up,
    braking or turning with ``a`` moves it by at most a·t²/4, and by a·t·(t/2 + lag) where only the first velocity is known.
    """
    seconds = (ping.at - last.at).total_seconds()
    east, north = _way_m(last, ping)
    acc = ping.acc or ACC_UNKNOWN_M
    if last.east_mps is None:
        return hypot(east, north) <= NOISE * hypot(last.acc, acc) + TOP_MPS * seconds
    lead_east, lead_north, push_m = (
        last.east_mps * seconds,
        last.north_mps * seconds,
        PUSH_MPS2 * seconds * (seconds / 2 + last.lag_s),
    )
    if ping.speed and ping.speed >= 2 and ping.course is not None:
        course, half = radians(ping.course), seconds / 2
        lead_east = lead_east / 2 + ping.speed * sin(course) * half
        lead_north = lead_north / 2 + ping.speed * cos(course) * half
        push_m /= 2
    noise_m = NOISE * hypot(last.acc, acc, last.blur_mps * seconds)
    off_m = hypot(east - lead_east, north - lead_north)
    return off_m <= hypot(noise_m, push_m) and hypot(east, north) <= noise_m + TOP_MPS * seconds


def _way_m(last: Believed, ping: Ping) -> tuple[float, float]:
    """(east, north) in metres on the plane touching the globe at the last fix: `geo.flat_m` without its wrapping."""
    dlon = ping.lon - last.lon
    if not -180 <= dlon <= 180:
        dlon = (dlon + 540) % 360 - 180
    lat = radians(last.lat)
    return radians(dlon) * EARTH_RADIUS_M * cos(lat), (radians(ping.lat) - lat) * EARTH_RADIUS_M
