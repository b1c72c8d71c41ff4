"""Makes the address index from an extract: streets told apart by town, their houses, and where their lines lie."""

import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely

from tracker.roads.address_text import fold, number_of, words_of
from tracker.roads.addresses import Kind
from tracker.roads.extract import Extract, Feature, House, read
from tracker.roads.osm_tags import Layer

APART_DEG = 0.004
"""Two streets of one name are different streets if there is more than this (about 400 m) between them."""

TOWN_REACH_DEG = 0.08
"""A street without addresses belongs to the nearest town or village within this."""

_TOWNS = frozenset({"city", "town", "village"})
_NO_STREETS = {"path": 12.0, "steps": 12.0, "pedestrian": 4.0, "track": 6.0, "service": 5.0}
"""Metres by which a street may be farther away than such a way and still be the one people name."""

_SCHEMA = """
CREATE TABLE street (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, folded TEXT NOT NULL, town TEXT NOT NULL,
    lat REAL NOT NULL, lon REAL NOT NULL, houses INTEGER NOT NULL);
CREATE TABLE house (street INTEGER NOT NULL REFERENCES street, number TEXT NOT NULL, value INTEGER NOT NULL, letter TEXT NOT NULL,
    postcode TEXT NOT NULL, town TEXT NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL);
CREATE INDEX house_street ON house (street);
CREATE VIRTUAL TABLE search USING fts5 (name, other, town, content='', prefix='1 2 3', tokenize='unicode61');
CREATE VIRTUAL TABLE piece USING rtree (id, west, east, south, north,
    +name TEXT, +x0 REAL, +y0 REAL, +x1 REAL, +y1 REAL, +penalty_m REAL);
"""


@dataclass(slots=True)
class _Cluster:
    """One street: its lines and houses that lie together, or one named place."""

    name: str
    kind: Kind = Kind.STREET
    others: set[str] = field(default_factory=set)
    shapes: list[shapely.Geometry] = field(default_factory=list)
    houses: list[House] = field(default_factory=list)


def build_addresses(source: Path | Extract, target: Path) -> int:
    """Write the index; answers how many addresses are in it. An existing file is replaced whole at the end."""
    extract = source if isinstance(source, Extract) else read(source)
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as db:
        db.executescript(_SCHEMA)
        towns = _Towns(extract)
        for number, cluster in enumerate([*_streets(extract), *_places(extract)], 1):
            _store(db, number, cluster, towns)
        db.executemany("INSERT INTO piece VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _pieces(extract))
        (houses,) = db.execute("SELECT count(*) FROM house").fetchone()
        db.execute("INSERT INTO search (search) VALUES ('optimize')")
        db.commit()
    fresh.replace(target)
    return int(houses)


def _streets(extract: Extract) -> Iterator[_Cluster]:
    """Roads and houses of one name, divided where there is a wide gap between them."""
    named: dict[str, list[tuple[shapely.Geometry, Feature | House]]] = defaultdict(list)
    for feature in extract.features:
        if feature.layer is Layer.ROAD and feature.names:
            named[feature.names[0]].append((feature.geometry, feature))
    for house in extract.houses:
        named[house.street].append((shapely.Point(house.lon, house.lat), house))
    for name, things in named.items():
        for group in _groups([shape for shape, _ in things]):
            cluster = _Cluster(name)
            for at in group:
                shape, thing = things[at]
                if isinstance(thing, House):
                    cluster.houses.append(thing)
                else:
                    cluster.shapes.append(shape)
                    cluster.others.update(thing.names[1:])
            yield cluster


def _groups(shapes: list[shapely.Geometry]) -> list[list[int]]:
    """Indices of shapes that hang together."""
    if len(shapes) == 1:
        return [[0]]
    parent = list(range(len(shapes)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=APART_DEG)
    for a, b in pairs.T.tolist():
        parent[root(a)] = root(b)
    groups: dict[int, list[int]] = defaultdict(list)
    for at in range(len(shapes)):
        groups[root(at)].append(at)
    return list(groups.values())


def _places(extract: Extract) -> Iterator[_Cluster]:
    for feature in extract.features:
        area = feature.layer is Layer.GROUND and feature.kind in ("park", "plaza")
        if feature.names and (feature.layer is Layer.PLACE or area):
            yield _Cluster(feature.names[0], Kind.PLACE, set(feature.names[1:]), [feature.geometry.representative_point()])


def _store(db: sqlite3.Connection, number: int, cluster: _Cluster, towns: "_Towns") -> None:
    middle = _middle(cluster)
    town = _town(cluster) or towns.near(middle)
    values = (number, cluster.kind.value, cluster.name, fold(cluster.name), town, middle.y, middle.x, len(cluster.houses))
    db.execute("INSERT INTO street VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    texts = (cluster.name, " ".join(sorted(cluster.others)), " ".join({town, *(house.postcode for house in cluster.houses)}))
    db.execute(
        "INSERT INTO search (rowid, name, other, town) VALUES (?, ?, ?, ?)", (number, *(" ".join(words_of(t)) for t in texts))
    )
    for house in cluster.houses:
        if numbered := number_of(house.number):
            place = (house.postcode, house.town, house.lat, house.lon)
            db.execute("INSERT INTO house VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, house.number, *numbered, *place))


def _middle(cluster: _Cluster) -> shapely.Point:
    """A point on the street: the middle of its longest line; of houses alone the one in their midst."""
    if not cluster.shapes:
        points = shapely.points([(house.lon, house.lat) for house in cluster.houses])
        centre = shapely.MultiPoint(points).centroid
        return points[int(np.argmin(shapely.distance(points, centre)))]
    lines = [part for shape in cluster.shapes for part in shapely.get_parts(shape)]
    longest = max(lines, key=lambda line: float(line.length))
    return longest.interpolate(0.5, normalized=True) if longest.geom_type == "LineString" else longest


def _town(cluster: _Cluster) -> str:
    """The town that most of the street's addresses name."""
    counts: dict[str, int] = defaultdict(int)
    for house in cluster.houses:
        counts[house.town] += bool(house.town)
    return max(counts, key=lambda town: counts[town]) if any(counts.values()) else ""


class _Towns:
    """The places that streets without addresses are named after."""

    def __init__(self, extract: Extract) -> None:
        towns = [f for f in extract.features if f.layer is Layer.PLACE and f.kind in _TOWNS and f.names]
        self._names = [town.names[0] for town in towns]
        self._tree = shapely.STRtree([town.geometry for town in towns])

    def near(self, point: shapely.Point) -> str:
        found = self._tree.query_nearest(point, max_distance=TOWN_REACH_DEG) if self._names else []
        return self._names[int(found[0])] if len(found) else ""


def _pieces(extract: Extract) -> Iterator[tuple[object, ...]]:
    """Every piece of every named street between two vertices, with its box."""
    number = 0
    for feature in extract.features:
        if feature.layer is not Layer.ROAD or not feature.names or feature.tunnel:
            continue
        penalty = _NO_STREETS.get(feature.kind, 0.0)
        for line in shapely.get_parts(feature.geometry):
            xy = shapely.get_coordinates(line).tolist()
            for (x0, y0), (x1, y1) in itertools.pairwise(xy):
                number += 1
                box = (min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1))
                yield (number, *box, feature.names[0], x0, y0, x1, y1, penalty)
