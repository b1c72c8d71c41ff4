"""Writes the extract of an invented town by the sea, 2 × 2 km: every kind of thing the map draws, some of it cut off."""

from dataclasses import dataclass, field
from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Relation, Way

WEST, SOUTH, EAST, NORTH = 10.0, 50.0, 10.03, 50.02
"""The extract's box; the sea lies in the south, below 50.004."""

COAST_LAT = 50.004


@dataclass
class _Pen:
    nodes: list[Node] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    at: dict[tuple[float, float], int] = field(default_factory=dict)

    def node(self, lon: float, lat: float, **tags: str) -> int:
        """A node; the same place is the same node unless it has tags."""
        if not tags and (lon, lat) in self.at:
            return self.at[lon, lat]
        number = len(self.nodes) + 1
        self.nodes.append(Node(id=number, location=(lon, lat), tags=_colons(tags), version=1))
        if not tags:
            self.at[lon, lat] = number
        return number

    def way(self, *places: tuple[float, float] | int, **tags: str) -> int:
        """A way through places; a number is the id of a node that is not in the extract."""
        number = len(self.ways) + 1
        refs = [place if isinstance(place, int) else self.node(*place) for place in places]
        self.ways.append(Way(id=number, nodes=refs, tags=_colons(tags), version=1))
        return number

    def relation(self, members: list[tuple[int, str]], **tags: str) -> None:
        number = len(self.relations) + 1
        parts = [("w", ref, role) for ref, role in members]
        self.relations.append(Relation(id=number, members=parts, tags=_colons(tags), version=1))


def _colons(tags: dict[str, str]) -> dict[str, str]:
    return {key.replace("__", ":"): value for key, value in tags.items()}


def square(lon: float, lat: float, side: float) -> list[tuple[float, float]]:
    """A closed ring, counter-clockwise, from its south-west corner."""
    return [(lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side), (lon, lat)]


def write_town(target: Path) -> Path:
    pen = _Pen()
    _roads(pen)
    _areas(pen)
    _coast(pen)
    _addresses(pen)
    box = osmium.osm.Box(WEST, SOUTH, EAST, NORTH)
    header = osmium.io.Header()
    header.add_box(box)
    with osmium.SimpleWriter(str(target), header=header, overwrite=True) as writer:
        for node in pen.nodes:
            writer.add_node(node)
        for way in pen.ways:
            writer.add_way(way)
        for relation in pen.relations:
            writer.add_relation(relation)
    return target


def _roads(pen: _Pen) -> None:
    pen.way((10.0, 50.01), (10.01, 50.01), (10.02, 50.01), (10.03, 50.01), highway="primary", name="Große Straße", ref="B 1")
    pen.way((10.015, 50.005), (10.015, 50.01), highway="residential", name="Rue de l'Église", name__en="Church Street")
    pen.way((10.015, 50.01), (10.015, 50.018), highway="residential", name="Rue de l'Église")
    pen.way((10.02, 50.005), (10.02, 50.01), highway="secondary", tunnel="yes", name="Tunnelgasse")
    pen.way((10.005, 50.005), (10.005, 50.01), highway="tertiary", bridge="yes", name="Ö-Brücke")
    pen.way((10.001, 50.012), (10.004, 50.016), highway="footway")
    pen.way((10.0, 50.013), (10.03, 50.014), railway="rail")
    pen.way((10.0, 50.0105), (10.03, 50.0105), railway="tram")
    pen.way((10.025, 50.012), (10.025, 50.016), 9999, highway="service")  # cut at the edge


def _areas(pen: _Pen) -> None:
    pen.way(*square(10.006, 50.014, 0.003), leisure="park", name="Stadtpark")
    outer = pen.way(*square(10.016, 50.011, 0.003))
    inner = pen.way(*square(10.017, 50.012, 0.001))
    pen.relation([(outer, "outer"), (inner, "inner")], type="multipolygon", building="yes")
    half = pen.way((10.021, 50.015), (10.024, 50.015), (10.024, 50.018))
    other = pen.way((10.024, 50.018), (10.021, 50.018), (10.021, 50.015))
    pen.relation([(half, "outer"), (other, "outer")], type="multipolygon", natural="water", name="Mühlteich")
    pen.way((10.0275, 50.0185), (10.0295, 50.0185), 9998, 9997, (10.0275, 50.0185), leisure="pitch")  # two corners missing


def _coast(pen: _Pen) -> None:
    """The coast has land on its left: it runs from west to east with the town in the north of it."""
    pen.way((10.0005, COAST_LAT), (10.01, COAST_LAT), natural="coastline")
    pen.way((10.01, COAST_LAT), (10.02, COAST_LAT - 0.001), (10.0295, COAST_LAT), natural="coastline")
    pen.way(*square(10.012, 50.0005, 0.001), natural="coastline")  # an island: counter-clockwise, land inside
    pen.node(10.0125, 50.001, place="island", name="Möweninsel")
    pen.node(10.014, 50.009, place="town", name="Musterstadt")


def _addresses(pen: _Pen) -> None:
    for number, lat in (("1", 50.0052), ("3", 50.0062), ("9", 50.0092)):
        street = {"addr__street": "Rue de l'Église", "addr__city": "Musterstadt", "addr__postcode": "12345"}
        pen.node(10.0152, lat, addr__housenumber=number, **street)
    pen.node(10.0148, 50.0057, addr__housenumber="2 a", addr__street="Rue de l'Église", addr__city="Musterstadt")
    ring = square(10.011, 50.0102, 0.0004)
    pen.way(*ring, building="yes", addr__housenumber="24;26", addr__street="Große Straße", addr__city="Musterstadt")
