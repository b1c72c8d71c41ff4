"""One reading of an OpenStreetMap extract: everything the street map and the address index need, nothing else.

Coordinates are shapely's (x, y) = (longitude, latitude), WGS84 degrees. Objects cut at the extract's edge (nodes missing) are
kept as far as they go. What is read is © OpenStreetMap contributors, ODbL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import osmium
import shapely
from shapely.geometry.base import BaseGeometry

from tracker.errors import BadConfiguration
from tracker.roads import rings
from tracker.roads.osm_tags import PLACES, Layer, Mark, mark_of, names_of, underground

ATTRIBUTION = "© OpenStreetMap contributors"
WATER_NAMED = frozenset({"lake", "river"})


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing to draw: geometry, layer and kind; ``names`` the shown one first, then other languages."""

    layer: Layer
    kind: str
    geometry: BaseGeometry
    names: tuple[str, ...] = ()
    ref: str = ""
    tunnel: bool = False
    bridge: bool = False
    rank: int = 0  # places made from areas: the map zoom from which the name fits


@dataclass(frozen=True, slots=True)
class House:
    """An address: house number, street (or the place that stands for one), postcode, town, and where it is."""

    number: str
    street: str
    postcode: str
    town: str
    lon: float
    lat: float


@dataclass(slots=True)
class Extract:
    """What was read: the box (west, south, east, north), the features, the addresses."""

    box: rings.Box
    features: list[Feature] = field(default_factory=list)
    houses: list[House] = field(default_factory=list)


def read(pbf: Path) -> Extract:
    """Read an ``.osm.pbf``; BadConfiguration if it cannot be read or has nothing in it."""
    try:
        reader = _Reader(pbf)
        extract = reader.read()
    except (RuntimeError, OSError) as broken:
        raise BadConfiguration(f"The extract {pbf.name} cannot be read: {broken}") from broken
    if not extract.features:
        raise BadConfiguration(f"The extract {pbf.name} has no roads, buildings or water in it.")
    return extract


type _Xy = list[tuple[float, float]]


@dataclass(slots=True)
class _Multipolygon:
    tags: dict[str, str]
    roles: dict[int, str]  # member way → "outer" or "inner"


class _Reader:
    """Relations first (they come last in the file, but say which ways are parts of areas), then nodes and ways."""

    def __init__(self, pbf: Path) -> None:
        self._pbf = str(pbf)
        self._areas: list[_Multipolygon] = []
        self._adopted: dict[int, tuple[dict[str, str], Mark]] = {}  # outer ways that carry their relation's tags
        self._parts: dict[int, list[_Xy]] = {}
        self._coast: list[_Xy] = []
        self._features: list[Feature] = []
        self._houses: list[House] = []

    def read(self) -> Extract:
        self._read_relations()
        self._read_nodes_and_ways()
        for relation in self._areas:
            self._assemble(relation)
        box = self._box()
        if water := rings.sea(self._coast, box):
            self._features.append(Feature(Layer.WATER, "sea", water))
        return Extract(box, self._features, self._houses)

    def _box(self) -> rings.Box:
        with osmium.io.Reader(self._pbf, osmium.osm.NOTHING) as reader:
            box = reader.header().box()
        if box.valid():
            return (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat)
        west, south, east, north = shapely.total_bounds([feature.geometry for feature in self._features])
        return (float(west), float(south), float(east), float(north))

    def _read_relations(self) -> None:
        for relation in osmium.FileProcessor(self._pbf, osmium.osm.RELATION):
            tags = dict(relation.tags)
            if isinstance(relation, osmium.osm.Relation) and tags.get("type") == "multipolygon":
                roles = {m.ref: m.role or "outer" for m in relation.members if m.type == "w"}
                self._areas.append(_Multipolygon(tags, roles))
                self._parts.update((ref, []) for ref in roles)

    def _read_nodes_and_ways(self) -> None:
        telling = osmium.filter.KeyFilter("place", "addr:housenumber")
        telling.enable_for(osmium.osm.NODE)
        entities = osmium.osm.NODE | osmium.osm.WAY
        for thing in osmium.FileProcessor(self._pbf, entities).with_locations().with_filter(telling):
            if isinstance(thing, osmium.osm.Node):
                self._node(dict(thing.tags), thing.lon, thing.lat)
            elif isinstance(thing, osmium.osm.Way):
                self._way(thing)

    def _node(self, tags: Mapping[str, str], lon: float, lat: float) -> None:
        self._house(tags, lon, lat)
        if tags.get("place") in PLACES and (names := names_of(tags)):
            self._features.append(Feature(Layer.PLACE, tags["place"], shapely.Point(lon, lat), names))

    def _house(self, tags: Mapping[str, str], lon: float, lat: float) -> None:
        street = tags.get("addr:street") or tags.get("addr:place")
        if street and (numbers := tags.get("addr:housenumber")):
            town = tags.get("addr:city", "")
            for number in filter(None, (part.strip() for part in numbers.replace(",", ";").split(";"))):
                self._houses.append(House(number, street, tags.get("addr:postcode", ""), town, lon, lat))

    def _way(self, way: "osmium.osm.Way") -> None:
        tags = dict(way.tags)
        mark = mark_of(tags, closed=way.is_closed())
        coast, part = tags.get("natural") == "coastline", self._parts.get(way.id)
        if mark is None and part is None and not coast and "addr:housenumber" not in tags:
            return
        runs = _runs(way)
        if part is not None:
            part.extend(runs)
            if mark is not None and mark.area:
                self._adopted[way.id] = (tags, mark)
        if coast:
            self._coast.extend(runs)
        xy = [at for run in runs for at in run]
        if "addr:housenumber" in tags and xy:
            middle = shapely.MultiPoint(xy).envelope.centroid
            self._house(tags, middle.x, middle.y)
        if mark is not None and (part is None or not self._is_outline(way.id)):
            self._draw(tags, mark, rings.area(xy) if mark.area else _lines(runs))

    def _is_outline(self, way: int) -> bool:
        """True if the way is the outer line of a relation without tags of its own (the old custom): the relation draws it."""
        return any(relation.roles.get(way) == "outer" and mark_of(relation.tags, closed=True) is None for relation in self._areas)

    def _draw(self, tags: Mapping[str, str], mark: Mark, shape: BaseGeometry | None) -> None:
        if shape is None:
            return
        tunnel, bridge = underground(tags), tags.get("bridge", "no") != "no"
        ref = tags.get("ref", "").split(";")[0] if mark.layer is Layer.ROAD else ""
        self._features.append(Feature(mark.layer, mark.kind, shape, names_of(tags), ref, tunnel, bridge))

    def _assemble(self, relation: _Multipolygon) -> None:
        tags, mark = relation.tags, mark_of(relation.tags, closed=True)
        if mark is None or not mark.area:
            outer = (self._adopted[ref] for ref, role in relation.roles.items() if role == "outer" and ref in self._adopted)
            tags, mark = next(outer, (tags, None))
        if mark is None:
            return
        lines: dict[str, list[_Xy]] = {"outer": [], "inner": []}
        for ref, role in relation.roles.items():
            lines["inner" if role == "inner" else "outer"].extend(self._parts[ref])
        shape = rings.assemble(lines["outer"], lines["inner"])
        self._draw(tags, mark, shape)
        if shape is not None and "addr:housenumber" in tags:
            self._house(tags, shape.centroid.x, shape.centroid.y)


def _runs(way: "osmium.osm.Way") -> list[_Xy]:
    """The way's points in unbroken runs: where nodes are missing (outside the extract) a run ends."""
    runs: list[_Xy] = [[]]
    for node in way.nodes:
        if node.location.valid():
            runs[-1].append((node.lon, node.lat))
        elif runs[-1]:
            runs.append([])
    if len(runs) > 1 and way.is_closed() and runs[-1] and runs[0]:
        runs[0] = runs.pop() + runs[0][1:]
    return [run for run in runs if run]


def _lines(runs: list[_Xy]) -> BaseGeometry | None:
    long_enough = [run for run in runs if len(set(run)) > 1]
    return shapely.MultiLineString(long_enough) if long_enough else None
