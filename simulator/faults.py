"""What goes wrong on request (R3): a track becomes a list of timed events, spoilt in ways that a seed repeats exactly."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Self

from simulator.tracks import Fix, Track
from tracker.domain.geo import moved


@dataclass(frozen=True, slots=True)
class Say:
    """The phone's receiver (or an app that woke up late) has these fixes."""

    fixes: tuple[Fix, ...]


@dataclass(frozen=True, slots=True)
class LoseNetwork:
    """A dead zone begins."""


@dataclass(frozen=True, slots=True)
class FindNetwork:
    """A dead zone ends."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is torn, without a word."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The phone sends its newest fix once more."""


@dataclass(frozen=True, slots=True)
class SetClock:
    """From now on the phone's clock is wrong by so many seconds."""

    error_s: float


type Deed = Say | LoseNetwork | FindNetwork | Cut | Repeat | SetClock


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a phone, ``at_s`` seconds after the track's start."""

    at_s: float
    deed: Deed


@dataclass(frozen=True, slots=True)
class Faults:
    """How much of each fault; every field is (first number, second number) as in `HELP`."""

    noise: tuple[float, float] = (0, 0)
    jumps: tuple[float, float] = (0, 2000)
    tunnels: tuple[float, float] = (0, 60)
    duplicates: tuple[float, float] = (0, 0)
    shuffle: tuple[float, float] = (0, 60)
    late: tuple[float, float] = (0, 36_000)
    burst: tuple[float, float] = (0, 0)
    clock: tuple[float, float] = (0, 0)
    dead: tuple[float, float] = (0, 120)
    kills: tuple[float, float] = (0, 0)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """From texts such as ``jumps=0.01:2000``; a ValueError says what is wrong in words."""
        known = {item.name: item.default for item in fields(cls)}
        found: dict[str, tuple[float, float]] = {}
        for text in texts:
            name, _, numbers = text.partition("=")
            if name not in known or not numbers:
                raise ValueError(f"{text!r}: a fault is written NAME=NUMBER[:NUMBER]; there are {', '.join(known)}")
            first, _, second = numbers.partition(":")
            try:
                found[name] = (float(first), float(second) if second else known[name][1])  # type: ignore[index]
            except ValueError:
                raise ValueError(f"{text!r}: {numbers!r} are not numbers") from None
        return cls(**found)


HELP = """Fault, repeatable, NAME=NUMBER[:NUMBER]: noise=METRES, jumps=SHARE:METRES, tunnels=COUNT:SECONDS (no fix at all),
duplicates=SHARE, shuffle=SHARE:SECONDS (late by up to), late=SHARE:SECONDS, burst=SECONDS (the app wakes only so often),
clock=SECONDS[:AFTER] (wrong by, from so many seconds on), dead=COUNT:SECONDS (no network), kills=COUNT (torn connections)."""


def spoilt(track: Track, faults: Faults, rng: random.Random) -> list[Event]:
    """The track's events in order of time, with these faults. The same seed gives the same events."""
    start = track.fixes[0].at
    told = [(_seconds(fix, start), fix) for fix in track.fixes]
    told = _without_tunnels(told, faults.tunnels, track.duration_s, rng)
    told = [(at, _displaced(fix, faults, rng)) for at, fix in told]
    told = _delayed(_delayed(told, faults.shuffle, rng), faults.late, rng)
    events = _bunched(told, faults.burst[0]) if faults.burst[0] > 0 else [Event(at, Say((fix,))) for at, fix in told]
    repeats = [Event(event.at_s + 0.05, Repeat()) for event in events if rng.random() < faults.duplicates[0]]
    network = _network(faults, track.duration_s, rng)
    clock = [Event(faults.clock[1], SetClock(faults.clock[0]))] if faults.clock[0] else []
    return sorted([*clock, *network, *events, *repeats], key=lambda event: event.at_s)


def _seconds(fix: Fix, start: object) -> float:
    return float((fix.at - start).total_seconds())  # type: ignore[operator]


def _spans(count: float, seconds: float, whole_s: float, rng: random.Random) -> list[tuple[float, float]]:
    """So many spans inside the track, never at its very beginning or end."""
    room = max(0.0, whole_s - seconds)
    return [(begin, begin + seconds) for begin in sorted(rng.uniform(0.05 * room, 0.95 * room) for _ in range(int(count)))]


def _without_tunnels(
    told: list[tuple[float, Fix]], tunnels: tuple[float, float], whole_s: float, rng: random.Random
) -> list[tuple[float, Fix]]:
    """No fix inside a tunnel; the first one behind it is vague, as real ones are."""
    out = told
    for begin, end in _spans(*tunnels, whole_s, rng):
        before = [item for item in out if item[0] < begin]
        after = [item for item in out if item[0] > end]
        out = before + [(at, replace(fix, acc=60.0)) for at, fix in after[:1]] + after[1:]
    return out


def _displaced(fix: Fix, faults: Faults, rng: random.Random) -> Fix:
    sigma_m = faults.noise[0]
    if sigma_m > 0:
        place = moved(moved(fix.point, 90, rng.gauss(0, sigma_m)), 0, rng.gauss(0, sigma_m))
        fix = replace(fix, lat=place.lat, lon=place.lon)
    if rng.random() < faults.jumps[0]:
        place = moved(fix.point, rng.uniform(0, 360), faults.jumps[1] * rng.uniform(0.5, 1.5))
        fix = replace(fix, lat=place.lat, lon=place.lon)
    return fix


def _delayed(told: list[tuple[float, Fix]], how: tuple[float, float], rng: random.Random) -> list[tuple[float, Fix]]:
    share, longest_s = how
    if share <= 0:
        return told
    late = [(at + rng.uniform(0, longest_s) if rng.random() < share else at, fix) for at, fix in told]
    return sorted(late, key=lambda item: item[0])


def _bunched(told: list[tuple[float, Fix]], every_s: float) -> list[Event]:
    bunches: dict[int, list[Fix]] = {}
    for at, fix in told:
        bunches.setdefault(int(at // every_s), []).append(fix)
    return [Event((number + 1) * every_s, Say(tuple(fixes))) for number, fixes in bunches.items()]


def _network(faults: Faults, whole_s: float, rng: random.Random) -> list[Event]:
    events = [Event(rng.uniform(0, whole_s), Cut()) for _ in range(int(faults.kills[0]))]
    for begin, end in _spans(*faults.dead, whole_s, rng):
        events += [Event(begin, LoseNetwork()), Event(end, FindNetwork())]
    return events


def clock_error(deed: SetClock) -> timedelta:
    """The error as a stretch of time."""
    return timedelta(seconds=deed.error_s)
