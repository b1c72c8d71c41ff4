"""What a street-map tile shows at which zoom: one table, in the map's zoom.

Tiles are 512 pixels wide, so a tile of zoom z belongs to the map at zoom z + 1.
"""

from tracker.roads.osm_tags import Layer

MAP_ZOOM_ABOVE_TILE = 1
"""A tile of zoom z fills 512 × 512 pixels of the map at zoom z + 1: a quarter of the requests of 256-pixel tiles."""

MIN_TILE_ZOOM, MAX_TILE_ZOOM = 10, 15
"""Map z11 to z16; z17 and z18 are drawn from z15 tiles (one unit is then one pixel: nothing is lost)."""

BLOCK_ZOOM = 12
"""Deeper tiles are made in blocks of this zoom (about 10 km), so that memory holds the figures of one block only."""

UNITS_PER_PIXEL = 8
"""4096 units over 512 pixels."""

BUFFER = 96
"""Units drawn beyond the tile's edge on each side: wider than half the widest road at every zoom."""

LABEL_BUFFER = 512
"""The same for lines that only carry names, so that a name may lie across two tiles; the page shows it once."""

TOLERANCE = 3.0
"""Units by which a simplified line may differ below the last zoom; at the last zoom 0.7."""

SHOWN_FROM: dict[tuple[Layer, str], int] = {
    (Layer.GROUND, "wood"): 10,
    (Layer.GROUND, "park"): 11,
    (Layer.GROUND, "pitch"): 14,
    (Layer.GROUND, "plaza"): 14,
    (Layer.GROUND, "yard"): 13,
    (Layer.WATER, "sea"): 0,
    (Layer.WATER, "lake"): 11,
    (Layer.WATER, "river"): 11,
    (Layer.WATER, "stream"): 14,
    (Layer.BUILDING, "building"): 15,
    (Layer.RAIL, "rail"): 12,
    (Layer.RAIL, "siding"): 15,
    (Layer.RAIL, "tram"): 14,
    (Layer.ROAD, "motorway"): 0,
    (Layer.ROAD, "primary"): 0,
    (Layer.ROAD, "secondary"): 11,
    (Layer.ROAD, "link"): 13,
    (Layer.ROAD, "tertiary"): 12,
    (Layer.ROAD, "street"): 13,
    (Layer.ROAD, "service"): 15,
    (Layer.ROAD, "pedestrian"): 14,
    (Layer.ROAD, "track"): 15,
    (Layer.ROAD, "path"): 15,
    (Layer.ROAD, "steps"): 16,
    (Layer.PLACE, "city"): 0,
    (Layer.PLACE, "town"): 0,
    (Layer.PLACE, "village"): 12,
    (Layer.PLACE, "suburb"): 13,
    (Layer.PLACE, "island"): 13,
    (Layer.PLACE, "quarter"): 14,
    (Layer.PLACE, "hamlet"): 14,
    (Layer.PLACE, "neighbourhood"): 15,
    (Layer.PLACE, "locality"): 15,
    (Layer.PLACE, "park"): 14,
    (Layer.PLACE, "water"): 13,
    (Layer.PLACE, "plaza"): 15,
    (Layer.STREET, "motorway"): 13,
    (Layer.STREET, "primary"): 13,
    (Layer.STREET, "secondary"): 14,
    (Layer.STREET, "tertiary"): 14,
    (Layer.STREET, "street"): 15,
    (Layer.STREET, "river"): 13,
    (Layer.STREET, "link"): 16,
    (Layer.STREET, "pedestrian"): 15,
    (Layer.STREET, "service"): 16,
    (Layer.STREET, "track"): 16,
    (Layer.STREET, "path"): 16,
    (Layer.STREET, "steps"): 16,
}
"""The first map zoom at which a kind is in the tiles. Beyond the last tile zoom everything is there; the page decides."""

LEAST_AREA_PX: dict[Layer, float] = {Layer.GROUND: 12.0, Layer.WATER: 6.0, Layer.BUILDING: 10.0}
"""Areas smaller than this many square pixels of the map are left out, below the last tile zoom."""


def shown(layer: Layer, kind: str, tile_zoom: int) -> bool:
    """True if things of this kind are in tiles of this zoom. The last tiles serve every greater zoom, so they have all."""
    return tile_zoom == MAX_TILE_ZOOM or SHOWN_FROM.get((layer, kind), 0) <= tile_zoom + MAP_ZOOM_ABOVE_TILE
