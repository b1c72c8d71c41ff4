"""The address index: found by typing (O9), and the street that a place is on ("Aino is on Kaivokatu").

One SQLite file made by `build_addresses` from an extract: FTS5 for names, an R-tree for the pieces of streets. © OpenStreetMap
contributors, ODbL.
"""

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import cos, hypot, radians
from pathlib import Path

from tracker.domain.geo import Point
from tracker.roads.address_text import Reading, fold, readings
from tracker.roads.files import ADDRESSES

_METRES_PER_DEGREE = 111_195.0
_CANDIDATES = 60

CLOSE_M = 25.0
"""Metres looked at first: nearly always enough, and a fifth of the work."""

LEAST_INSIDE = 4
"""Letters from which on a text is also looked for inside of names."""


class Kind(StrEnum):
    """How exactly a place was found."""

    HOUSE = "house"
    STREET = "street"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Found:
    """A place found by typing. ``exact`` is False if the house number is unknown and the point lies between its neighbours."""

    kind: Kind
    name: str  # the street or the place
    number: str
    postcode: str
    town: str
    point: Point
    exact: bool = True

    @property
    def label(self) -> str:
        """As it is written on a letter: "Korkeavuorenkatu 24, 00130 Helsinki"."""
        first = f"{self.name} {self.number}".strip()
        second = f"{self.postcode} {self.town}".strip()
        return f"{first}, {second}" if second and second != first else first


@dataclass(frozen=True, slots=True)
class Near:
    """The street nearest to a place, and how far its line is, in metres."""

    street: str
    distance_m: float


@dataclass(frozen=True, slots=True)
class _Street:
    id: int
    kind: Kind
    name: str
    town: str
    point: Point
    houses: int


class Addresses:
    """The index of a roads folder. Without one nothing is found; a rebuilt one is taken by itself. Safe in threads.

    `near` takes some 50 µs, `find` 1 to 5 ms: call `find` in a thread.
    """

    def __init__(self, roads: Path) -> None:
        self._file = roads / ADDRESSES
        self._here = threading.local()

    def find(self, text: str, limit: int = 8) -> list[Found]:
        """Houses, streets and places for what was typed so far, the best first."""
        db = self._open()
        found: dict[tuple[str, str, str], Found] = {}
        if db is None or len(text) > 200:
            return []
        for reading in readings(text):
            for street in _streets(db, reading):
                for hit in _hits(db, street, reading):
                    found.setdefault((hit.name, hit.number, hit.town), hit)
                if len(found) >= limit:
                    return list(found.values())[:limit]
        return list(found.values())

    def near(self, point: Point, within_m: float = 60.0) -> Near | None:
        """The named street whose line is nearest; ways on foot count only where no street is near."""
        db = self._open()
        if db is None:
            return None
        if within_m > CLOSE_M and (close := _nearest_piece(db, point, CLOSE_M)):
            return close
        return _nearest_piece(db, point, within_m)

    def _open(self) -> sqlite3.Connection | None:
        """This thread's connection to the present file."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return None
        identity = (status.st_ino, status.st_mtime_ns)
        if getattr(self._here, "identity", None) != identity:
            if old := getattr(self._here, "db", None):
                old.close()
            self._here.db = sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True)
            self._here.identity = identity
        db: sqlite3.Connection = self._here.db
        return db

    def close(self) -> None:
        """Close this thread's connection."""
        if db := getattr(self._here, "db", None):
            db.close()
            self._here.db = self._here.identity = None


def _nearest_piece(db: sqlite3.Connection, point: Point, within_m: float) -> Near | None:
    dlat = within_m / _METRES_PER_DEGREE
    shrink = max(0.01, cos(radians(point.lat)))
    dlon = dlat / shrink
    box = (point.lon + dlon, point.lon - dlon, point.lat + dlat, point.lat - dlat)
    query = "SELECT name, x0, y0, x1, y1, penalty_m FROM piece WHERE west <= ? AND east >= ? AND south <= ? AND north >= ?"
    best: tuple[float, float, str] | None = None
    for name, x0, y0, x1, y1, penalty in db.execute(query, box):
        away = _distance_m(point, shrink, (x0, y0), (x1, y1))
        if away <= within_m and (best is None or away + penalty < best[0]):
            best = (away + penalty, away, name)
    return Near(best[2], best[1]) if best else None


def _distance_m(point: Point, shrink: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    """From a point to a piece of line (x, y in degrees), on the plane that touches the globe there."""
    ax, ay = (a[0] - point.lon) * shrink, a[1] - point.lat
    bx, by = (b[0] - point.lon) * shrink, b[1] - point.lat
    dx, dy = bx - ax, by - ay
    long = dx * dx + dy * dy
    along = 0.0 if long == 0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / long))
    return hypot(ax + along * dx, ay + along * dy) * _METRES_PER_DEGREE


def _streets(db: sqlite3.Connection, reading: Reading) -> list[_Street]:
    """Streets and places with all the words (each may be cut short); with the town's words too, if any has them."""
    hits = _match(db, (*reading.street, *reading.rest)) or (_match(db, reading.street) if reading.rest else [])
    wanted = " ".join(reading.street)
    known = {street.id for street in hits}
    hits += [street for street in _containing(db, wanted) if street.id not in known]

    def order(at: tuple[int, _Street]) -> tuple[int, int, int]:
        rank, street = at
        folded = fold(street.name)
        if f"{wanted} ".startswith(f"{folded} "):  # the whole name, perhaps with the town behind it
            return (0, -len(folded), rank)
        if folded.startswith(wanted):
            return (1, -street.houses, rank)
        return (2, rank, 0)

    return [street for _rank, street in sorted(enumerate(hits), key=order)]


_COLUMNS = "s.id, s.kind, s.name, s.town, s.lat, s.lon, s.houses"


def _match(db: sqlite3.Connection, words: Iterable[str]) -> list[_Street]:
    """Streets and places with every word at the beginning of one of theirs, the best match first."""
    query = " ".join(f'"{word}"*' for word in words)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM search JOIN street s ON s.id = search.rowid WHERE search MATCH ?"  # noqa: S608 -- a constant
        " ORDER BY bm25(search, 10.0, 5.0, 1.0), s.houses DESC LIMIT ?",
        (query, _CANDIDATES),
    )
    return [_Street(number, Kind(kind), name, town, Point(lat, lon), n) for number, kind, name, town, lat, lon, n in rows]


def _containing(db: sqlite3.Connection, text: str) -> list[_Street]:
    """Streets whose name has the text inside: many languages write "northern esplanade" as one word."""
    if len(text) < LEAST_INSIDE:
        return []
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM street s WHERE instr(s.folded, ?) ORDER BY s.houses DESC LIMIT ?",  # noqa: S608 -- a constant
        (text, _CANDIDATES),
    )
    return [_Street(number, Kind(kind), name, town, Point(lat, lon), n) for number, kind, name, town, lat, lon, n in rows]


def _hits(db: sqlite3.Connection, street: _Street, reading: Reading) -> list[Found]:
    """The houses that the number means; without a number the street itself."""
    if reading.number is None:
        return [Found(street.kind, street.name, "", "", street.town, street.point)]
    if street.kind is Kind.PLACE and not street.houses:
        return []
    rows = db.execute(
        "SELECT number, value, letter, postcode, town, lat, lon FROM house WHERE street = ?", (street.id,)
    ).fetchall()
    value, letter = reading.number
    same = [row for row in rows if row[1] == value and (row[2] == letter or not letter)]
    same = same or [row for row in rows if row[1] == value]
    longer = [row for row in rows if row[1] != value and not letter and str(row[1]).startswith(str(value))]
    if same:
        ordered = sorted(same, key=lambda row: row[2] != letter) + sorted(longer, key=lambda row: (row[1], row[2]))
        return [_house(street, row) for row in ordered]
    return [_between(street, reading.number, rows), *(_house(street, row) for row in sorted(longer, key=lambda row: row[1]))]


type _Row = tuple[str, int, str, str, str, float, float]


def _house(street: _Street, row: _Row) -> Found:
    number, _value, _letter, postcode, town, lat, lon = row
    return Found(Kind.HOUSE, street.name, number, postcode, town or street.town, Point(lat, lon))


def _between(street: _Street, wanted: tuple[int, str], rows: list[_Row]) -> Found:
    """Where the number should be: between its neighbours on the same side, else at the nearest number, else on the street."""
    value, letter = wanted
    side = [row for row in rows if row[1] % 2 == value % 2] or rows
    below = max((row for row in side if row[1] < value), key=lambda row: row[1], default=None)
    above = min((row for row in side if row[1] > value), key=lambda row: row[1], default=None)
    point, postcode = street.point, ""
    if below and above:
        part = (value - below[1]) / (above[1] - below[1])
        point = Point(below[5] + (above[5] - below[5]) * part, below[6] + (above[6] - below[6]) * part)
        postcode = below[3] if below[3] == above[3] else ""
    elif nearest := below or above:
        point, postcode = Point(nearest[5], nearest[6]), nearest[3]
    return Found(Kind.HOUSE, street.name, f"{value}{letter}", postcode, street.town, point, exact=False)
