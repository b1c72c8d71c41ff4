"""What the tags of an OpenStreetMap object mean on our map: one table from tag to layer and kind."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Layer(StrEnum):
    """The layers of a tile, in the order in which they are drawn."""

    GROUND = "ground"  # areas: park, wood, pitch, plaza, yard
    WATER = "water"  # areas: sea, lake; lines: river, stream
    BUILDING = "building"
    RAIL = "rail"  # lines: rail, tram
    ROAD = "road"  # lines, kind = class (see ROADS)
    STREET = "street"  # lines that carry names, never drawn
    PLACE = "place"  # points that carry names


class Mark(NamedTuple):
    """What an object is on the map: its layer, its kind in that layer, and whether its line encloses an area."""

    layer: Layer
    kind: str
    area: bool


ROADS: Mapping[str, str] = {
    "motorway": "motorway",
    "motorway_link": "link",
    "trunk": "motorway",
    "trunk_link": "link",
    "primary": "primary",
    "primary_link": "link",
    "secondary": "secondary",
    "secondary_link": "link",
    "tertiary": "tertiary",
    "tertiary_link": "link",
    "residential": "street",
    "unclassified": "street",
    "living_street": "street",
    "road": "street",
    "service": "service",
    "busway": "service",
    "pedestrian": "pedestrian",
    "footway": "path",
    "path": "path",
    "cycleway": "path",
    "bridleway": "path",
    "track": "track",
    "steps": "steps",
}
"""``highway=*`` to the road's kind on the map. What is not here (platforms, proposals, corridors) is not drawn."""

_AREAS: tuple[tuple[str, Mapping[str, Mark]], ...] = (
    (
        "natural",
        {
            "water": Mark(Layer.WATER, "lake", True),
            "bay": Mark(Layer.WATER, "lake", True),
            "wood": Mark(Layer.GROUND, "wood", True),
            "scrub": Mark(Layer.GROUND, "wood", True),
            "heath": Mark(Layer.GROUND, "wood", True),
            "grassland": Mark(Layer.GROUND, "wood", True),
        },
    ),
    ("waterway", {"riverbank": Mark(Layer.WATER, "lake", True), "dock": Mark(Layer.WATER, "lake", True)}),
    (
        "leisure",
        {
            "park": Mark(Layer.GROUND, "park", True),
            "garden": Mark(Layer.GROUND, "park", True),
            "golf_course": Mark(Layer.GROUND, "park", True),
            "dog_park": Mark(Layer.GROUND, "park", True),
            "pitch": Mark(Layer.GROUND, "pitch", True),
            "playground": Mark(Layer.GROUND, "pitch", True),
            "track": Mark(Layer.GROUND, "pitch", True),
            "stadium": Mark(Layer.GROUND, "pitch", True),
            "swimming_pool": Mark(Layer.WATER, "lake", True),
        },
    ),
    (
        "landuse",
        {
            "reservoir": Mark(Layer.WATER, "lake", True),
            "basin": Mark(Layer.WATER, "lake", True),
            "pond": Mark(Layer.WATER, "lake", True),
            "forest": Mark(Layer.GROUND, "wood", True),
            "meadow": Mark(Layer.GROUND, "wood", True),
            "orchard": Mark(Layer.GROUND, "wood", True),
            "vineyard": Mark(Layer.GROUND, "wood", True),
            "grass": Mark(Layer.GROUND, "park", True),
            "cemetery": Mark(Layer.GROUND, "park", True),
            "village_green": Mark(Layer.GROUND, "park", True),
            "recreation_ground": Mark(Layer.GROUND, "park", True),
            "allotments": Mark(Layer.GROUND, "park", True),
            "industrial": Mark(Layer.GROUND, "yard", True),
            "railway": Mark(Layer.GROUND, "yard", True),
            "quarry": Mark(Layer.GROUND, "yard", True),
        },
    ),
    ("amenity", {"grave_yard": Mark(Layer.GROUND, "park", True), "parking": Mark(Layer.GROUND, "yard", True)}),
    ("place", {"square": Mark(Layer.GROUND, "plaza", True)}),
    ("man_made", {"pier": Mark(Layer.GROUND, "plaza", True), "bridge": Mark(Layer.GROUND, "plaza", True)}),
)
_RAILS = {"rail": "rail", "narrow_gauge": "rail", "light_rail": "rail", "funicular": "rail", "subway": "rail", "tram": "tram"}
_WATERWAYS = {"river": "river", "canal": "river", "stream": "stream", "ditch": "stream", "drain": "stream"}
_ON_FOOT = frozenset({"pedestrian", "path", "steps"})

PLACES = frozenset({"city", "town", "village", "suburb", "quarter", "hamlet", "neighbourhood", "locality", "island"})
"""``place=*`` nodes whose names the map shows."""


def mark_of(tags: Mapping[str, str], *, closed: bool) -> Mark | None:
    """What a way or relation is on the map, or None. ``closed``: its line ends where it begins (or it is a multipolygon)."""
    if closed and (area := _area_of(tags)):
        return area
    if kind := ROADS.get(tags.get("highway", "")):
        return None if (kind in _ON_FOOT and _under_a_roof(tags)) or tags.get("area") == "yes" else Mark(Layer.ROAD, kind, False)
    if rail := _RAILS.get(tags.get("railway", "")):
        kind = "siding" if rail == "rail" and "service" in tags else rail
        return None if underground(tags) else Mark(Layer.RAIL, kind, False)
    if water := _WATERWAYS.get(tags.get("waterway", "")):
        return None if underground(tags) else Mark(Layer.WATER, water, False)
    return None


def _area_of(tags: Mapping[str, str]) -> Mark | None:
    if tags.get("building", "no") != "no":
        return None if underground(tags) else Mark(Layer.BUILDING, "building", True)
    if "highway" in tags and (tags.get("area") == "yes" or tags.get("type") == "multipolygon"):
        foot = ROADS.get(tags["highway"]) in _ON_FOOT and not _under_a_roof(tags)
        return Mark(Layer.GROUND, "plaza", True) if foot else None
    for key, values in _AREAS:
        if mark := values.get(tags.get(key, "")):
            return mark
    return None


def underground(tags: Mapping[str, str]) -> bool:
    """True for what runs below the ground. A passage through a building is not: one drives through it in the open."""
    return tags.get("tunnel", "no") not in ("no", "building_passage") or tags.get("location") == "underground"


def _under_a_roof(tags: Mapping[str, str]) -> bool:
    """True for ways on foot that nobody sees from above."""
    return underground(tags) or tags.get("tunnel") == "building_passage" or "yes" in (tags.get("indoor"), tags.get("covered"))


def names_of(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The name shown on the map first, then the same name in other languages, for searching; empty if nameless."""
    keys = ("name", *sorted(key for key in tags if key.startswith("name:")), "alt_name", "short_name")
    found = dict.fromkeys(part.strip() for key in keys for part in tags.get(key, "").split(";"))
    return tuple(name for name in found if name)
