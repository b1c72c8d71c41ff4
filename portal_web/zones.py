"""The time zones a person may choose from: each place once, under the name it has now, by its part of the world."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from importlib.resources import files

from portal_web.times import offset_words, zone_of

_AREAS = frozenset({"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"})


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """One zone with its words, ``Helsinki (UTC+2)``; ``former``: what browsers may call it still, ``Asia/Calcutta``."""

    name: str
    words: str
    former: tuple[str, ...]


@lru_cache(maxsize=4)
def areas(day: date) -> list[tuple[str, list[ZoneChoice]]]:
    """Every zone by its part of the world, with the offset of that day."""
    noon = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 -- each zone's own noon
    found: dict[str, list[ZoneChoice]] = defaultdict(list)
    for name, former in sorted(_places().items()):
        area, _, city = name.partition("/")
        words = city.replace("_", " ").replace("/", ", ")
        found[area].append(ZoneChoice(name, f"{words} ({offset_words(noon.replace(tzinfo=zone_of(name)))})", former))
    return sorted(found.items())


@cache
def _places() -> dict[str, tuple[str, ...]]:
    """The places of the time zone database, each with the former names that lead to it."""
    rows = (line.split("\t") for line in _lines("zone.tab") if not line.startswith("#"))
    former: dict[str, list[str]] = {row[2]: [] for row in rows if row[2].partition("/")[0] in _AREAS}
    for line in _lines("tzdata.zi"):
        if line.startswith("L "):
            _, now, was = line.split()
            if now in former and was not in former:
                former[now].append(was)
    return {name: tuple(was) for name, was in former.items()}


def _lines(name: str) -> list[str]:
    return files("tzdata").joinpath("zoneinfo", name).read_text("utf-8").splitlines()
