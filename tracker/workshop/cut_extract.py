"""Cuts an OpenStreetMap extract down to what this service uses, to ship it: `cut_extract.py FROM.osm.pbf TO.osm.pbf`.

Kept: what `tracker roads build` reads (roads with what a router needs, turn restrictions, rails, water, parks, squares,
buildings, addresses, places) with those tags only. Dropped: shops, routes, boundaries, cameras, pipes, who edited what and when.
The result is a derived database under the ODbL: it stays © OpenStreetMap contributors, and must be shipped with that note.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import osmium

from tracker.roads.osm_tags import PLACES, ROADS, mark_of

# fmt: off
KEPT_TAGS = frozenset({
    "access", "addr:city", "addr:housenumber", "addr:place", "addr:postcode", "addr:street", "amenity", "area",
    "barrier", "bicycle", "bridge", "building", "bus", "covered", "day_off", "day_on", "except", "foot", "ford",
    "goods", "highway", "hgv", "hour_off", "hour_on", "incline", "indoor", "junction", "landuse", "lanes", "layer",
    "leisure", "level", "location", "man_made", "maxheight", "maxlength", "maxspeed", "maxweight", "motor_vehicle",
    "motorcar", "name", "natural", "oneway", "place", "psv", "railway", "ref", "restriction", "service", "surface",
    "taxi", "toll", "tracktype", "traffic_calming", "traffic_signals", "tunnel", "type", "vehicle", "water", "waterway",
    "width",
})
# fmt: on

KEPT_BEGINNINGS = (
    "access:",
    "lanes:",
    "maxspeed:",
    "motor_vehicle:",
    "name:",
    "oneway:",
    "restriction:",
    "traffic_signals:",
    "vehicle:",
)
"""Tags for a direction, a lane, an hour or a language."""

NODE_KEYS = frozenset({"barrier", "addr:housenumber"})
NODE_HIGHWAYS = frozenset({"traffic_signals", "stop", "give_way", "mini_roundabout", "motorway_junction"})


def tags_kept(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that mean something here; every kind of building is a building."""
    kept = {key: value for key, value in tags.items() if key in KEPT_TAGS or key.startswith(KEPT_BEGINNINGS)}
    if kept.get("building", "no") != "no":
        kept["building"] = "yes"
    return kept


def _node_counts(tags: Mapping[str, str]) -> bool:
    named_place = tags.get("place") in PLACES and "name" in tags
    return named_place or bool(NODE_KEYS & tags.keys()) or tags.get("highway") in NODE_HIGHWAYS


def _way_counts(tags: Mapping[str, str], *, closed: bool) -> bool:
    drawn = mark_of(tags, closed=closed) is not None or tags.get("natural") == "coastline"
    return drawn or tags.get("highway") in ROADS or "addr:housenumber" in tags


def _relation_counts(tags: Mapping[str, str]) -> bool:
    if tags.get("type") == "multipolygon":
        return mark_of(tags, closed=True) is not None or "addr:housenumber" in tags
    return tags.get("type") == "restriction"


class Choice:
    """Which objects stay: relations first, then the ways (their own, and members of relations that stay), then nodes."""

    def __init__(self, source: Path) -> None:
        self.relations: set[int] = set()
        self.ways: set[int] = set()
        self.nodes: set[int] = set()
        wanted: set[int] = set()
        for relation in osmium.FileProcessor(str(source), osmium.osm.RELATION):
            if isinstance(relation, osmium.osm.Relation) and _relation_counts(dict(relation.tags)):
                self.relations.add(relation.id)
                wanted |= {member.ref for member in relation.members if member.type == "w"}
                self.nodes |= {member.ref for member in relation.members if member.type == "n"}
        for way in osmium.FileProcessor(str(source), osmium.osm.WAY):
            if isinstance(way, osmium.osm.Way) and (way.id in wanted or _way_counts(dict(way.tags), closed=way.is_closed())):
                self.ways.add(way.id)
                self.nodes |= {node.ref for node in way.nodes}


def cut(source: Path, target: Path) -> None:
    """Write the cut extract; the box of the source stays in its header."""
    choice = Choice(source)
    with osmium.io.Reader(str(source), osmium.osm.NOTHING) as reader:
        box = reader.header().box()
    header = osmium.io.Header()
    header.set("generator", "technician-tracker tracker/workshop/cut_extract.py")
    if box.valid():
        header.add_box(box)
    place = osmium.io.File(str(target), "pbf,add_metadata=false,pbf_compression_level=9")
    with osmium.SimpleWriter(place, header=header, overwrite=True) as writer:
        for thing in osmium.FileProcessor(str(source)):
            tags = dict(thing.tags)
            if isinstance(thing, osmium.osm.Node) and (thing.id in choice.nodes or _node_counts(tags)):
                writer.add_node(thing.replace(tags=tags_kept(tags) if _node_counts(tags) else {}))
            elif isinstance(thing, osmium.osm.Way) and thing.id in choice.ways:
                writer.add_way(thing.replace(tags=tags_kept(tags)))
            elif isinstance(thing, osmium.osm.Relation) and thing.id in choice.relations:
                writer.add_relation(thing.replace(tags=tags_kept(tags)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    cut(Path(sys.argv[1]), Path(sys.argv[2]))
