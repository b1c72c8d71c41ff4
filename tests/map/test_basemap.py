"""The tile file of the invented town: what is in which tile, clipped, turned and named as it should be."""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from tests.map.town import COAST_LAT, EAST, NORTH, SOUTH, WEST
from tracker.errors import BadConfiguration
from tracker.roads import tilecut, vectortile
from tracker.roads.basemap import build_basemap
from tracker.roads.extract import read
from tracker.roads.files import BASEMAP
from tracker.roads.tile_rules import BUFFER, LABEL_BUFFER, MAX_TILE_ZOOM, MIN_TILE_ZOOM, SHOWN_FROM
from tracker.roads.tilecut import Piece, Tile
from tracker.roads.vectortile import EXTENT, Figure, Part, Shape

type Content = dict[str, list[Figure]]


def _rows(file: Path) -> list[tuple[int, int, int, bytes]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles").fetchall()


@pytest.fixture(scope="module")
def tiles(town_roads: Path) -> dict[Tile, Content]:
    rows = _rows(town_roads / BASEMAP)
    return {(z, x, 2**z - 1 - y): vectortile.read(gzip.decompress(blob)) for z, x, y, blob in rows}


def _figures(tiles: dict[Tile, Content], zoom: int, layer: str) -> Iterator[tuple[Tile, Figure]]:
    for tile, content in tiles.items():
        if tile[0] == zoom:
            for figure in content.get(layer, []):
                yield tile, figure


def _kinds(tiles: dict[Tile, Content], zoom: int, layer: str) -> set[object]:
    return {figure.values["k"] for _, figure in _figures(tiles, zoom, layer)}


def _ground(tile: Tile, points: Part) -> list[tuple[float, float]]:
    """Longitude and latitude of a part's vertices."""
    zoom, column, row = tile
    part = np.array(points)
    x, y = (part[:, 0] / EXTENT + column) / 2**zoom, (part[:, 1] / EXTENT + row) / 2**zoom
    return list(zip(x * 360 - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y)))), strict=True))


def _union(tiles: dict[Tile, Content], zoom: int, layer: str, kind: str) -> shapely.Geometry:
    """All areas of a kind, put together again from the tiles."""
    areas = []
    for tile, figure in _figures(tiles, zoom, layer):
        if figure.values["k"] == kind and figure.shape is Shape.AREA:
            outer, *holes = (_ground(tile, part) for part in figure.parts)
            areas.append(shapely.Polygon(outer, holes))
    return shapely.union_all(areas)


def test_every_zoom_has_tiles_and_every_tile_something(tiles: dict[Tile, Content]) -> None:
    assert {zoom for zoom, _, _ in tiles} == set(range(MIN_TILE_ZOOM, MAX_TILE_ZOOM + 1))
    assert all(any(content.values()) for content in tiles.values())


def test_every_figure_is_inside_its_tile_and_margin(tiles: dict[Tile, Content]) -> None:
    for tile, content in tiles.items():
        for layer, figures in content.items():
            margin = {"street": LABEL_BUFFER, "place": 0}.get(layer, BUFFER)
            for figure in figures:
                for part in figure.parts:
                    assert np.min(part) >= -margin, (tile, layer)
                    assert np.max(part) <= EXTENT + margin, (tile, layer)


def test_rings_turn_as_the_format_asks(tiles: dict[Tile, Content]) -> None:
    """Outer rings have a positive area with y down, holes a negative one: the page fills by that."""
    holes = 0
    for _tile, content in tiles.items():
        for figure in (f for figures in content.values() for f in figures if f.shape is Shape.AREA):
            turned = [_twice(part) for part in figure.parts]
            assert turned[0] > 0
            assert all(area < 0 for area in turned[1:])
            holes += len(turned) - 1
    assert holes >= 1  # the house with the court


def _twice(points: Part) -> int:
    x, y = np.array(points).T
    return int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def test_the_court_stays_open(tiles: dict[Tile, Content]) -> None:
    houses = _union(tiles, MAX_TILE_ZOOM, "building", "building")
    assert houses.contains(shapely.Point(10.0165, 50.0115))
    assert not houses.intersects(shapely.Point(10.0175, 50.0125))


def test_a_lake_of_two_ways_is_one_area(tiles: dict[Tile, Content]) -> None:
    lake = _union(tiles, MAX_TILE_ZOOM, "water", "lake")
    assert lake.contains(shapely.Point(10.0235, 50.0155))
    assert not lake.intersects(shapely.Point(10.0245, 50.0155))
    assert lake.area == pytest.approx(0.003 * 0.003, rel=0.01)


@pytest.mark.parametrize("zoom", range(MIN_TILE_ZOOM, MAX_TILE_ZOOM + 1))
def test_the_sea_is_south_of_the_coast_and_nowhere_else(tiles: dict[Tile, Content], zoom: int) -> None:
    sea = _union(tiles, zoom, "water", "sea")
    for lon in np.linspace(WEST + 0.002, EAST - 0.002, 12):
        assert sea.intersects(shapely.Point(lon, COAST_LAT - 0.0025))
        assert not sea.intersects(shapely.Point(lon, COAST_LAT + 0.0015))
    if zoom >= MAX_TILE_ZOOM - 1:
        assert not sea.contains(shapely.Point(10.0125, 50.001))  # the island
    west, south, east, north = sea.bounds
    pixel = 360 / 2**zoom / 512
    assert (west, south, east) == pytest.approx((WEST, SOUTH, EAST), abs=2 * pixel)
    assert north < COAST_LAT + 2 * pixel


def test_what_is_cut_at_the_edge_is_kept_as_far_as_it_goes(tiles: dict[Tile, Content]) -> None:
    pitch = _union(tiles, MAX_TILE_ZOOM, "ground", "pitch")
    assert pitch.is_empty  # two points are no area
    assert "service" in _kinds(tiles, MAX_TILE_ZOOM, "road")


def test_lines_put_together_from_tiles_have_their_length(tiles: dict[Tile, Content]) -> None:
    lines = []
    for tile, figure in _figures(tiles, MAX_TILE_ZOOM, "road"):
        if figure.values["k"] == "primary":
            lines.append(shapely.LineString(_ground(tile, figure.parts[0])))
    west, south, east, north = shapely.union_all(lines).bounds
    assert (west, east) == pytest.approx((10.0, 10.03), abs=1e-5)
    assert (south, north) == pytest.approx((50.01, 50.01), abs=1e-5)


def test_tunnels_and_bridges_are_marked(tiles: dict[Tile, Content]) -> None:
    found = {(f.values["k"], f.values.get("t", 0), f.values.get("b", 0)) for _, f in _figures(tiles, MAX_TILE_ZOOM, "road")}
    assert {("secondary", 1, 0), ("tertiary", 0, 1), ("primary", 0, 0)} <= found


def test_names(tiles: dict[Tile, Content]) -> None:
    streets = {f.values["n"] for _, f in _figures(tiles, MAX_TILE_ZOOM, "street")}
    assert streets == {"Große Straße", "Rue de l'Église", "Ö-Brücke"}  # none for the tunnel
    places = {(f.values["n"], f.values["k"]) for _, f in _figures(tiles, MAX_TILE_ZOOM, "place")}
    assert places == {("Musterstadt", "town"), ("Möweninsel", "island"), ("Stadtpark", "park"), ("Mühlteich", "water")}
    assert all(11 <= f.values["r"] <= 18 for _, f in _figures(tiles, MAX_TILE_ZOOM, "place") if f.values["k"] == "park")  # type: ignore[operator]


def test_a_street_of_two_ways_is_one_line_for_its_name(tiles: dict[Tile, Content]) -> None:
    church = [(tile, f) for tile, f in _figures(tiles, MIN_TILE_ZOOM + 4, "street") if f.values["n"] == "Rue de l'Église"]
    assert church
    assert len({tile for tile, _ in church}) == len(church)  # one piece in each tile, though the street has two ways


@pytest.mark.parametrize(("layer", "kind"), [("road", "street"), ("building", "building"), ("rail", "tram"), ("road", "path")])
def test_what_is_small_comes_later(tiles: dict[Tile, Content], layer: str, kind: str) -> None:
    first = next(from_ for (name, of), from_ in SHOWN_FROM.items() if (name.value, of) == (layer, kind))
    for zoom in range(MIN_TILE_ZOOM, MAX_TILE_ZOOM + 1):
        assert (kind in _kinds(tiles, zoom, layer)) == (zoom + 1 >= first or zoom == MAX_TILE_ZOOM)


def test_the_file_is_a_proper_mbtiles(town_roads: Path) -> None:
    with closing(sqlite3.connect(town_roads / BASEMAP)) as db:
        metadata = dict(db.execute("SELECT name, value FROM metadata"))
    assert metadata["format"] == "pbf"
    assert metadata["attribution"] == "© OpenStreetMap contributors"
    assert metadata["bounds"] == f"{WEST},{SOUTH},{EAST},{NORTH}"
    assert {layer["id"] for layer in json.loads(metadata["json"])["vector_layers"]} >= {"road", "water"}


def test_the_same_extract_gives_the_same_bytes_and_version(town_pbf: Path, town_roads: Path, tmp_path: Path) -> None:
    again = build_basemap(town_pbf, tmp_path / "again")
    with closing(sqlite3.connect(town_roads / BASEMAP)) as db:
        assert db.execute("SELECT value FROM metadata WHERE name = 'version'").fetchone() == (again.version,)
    assert _rows(tmp_path / "again") == _rows(town_roads / BASEMAP)


def test_a_broken_extract_leaves_the_old_map_alone(tmp_path: Path, town_roads: Path) -> None:
    (tmp_path / "broken.osm.pbf").write_bytes(b"this is no map")
    (tmp_path / BASEMAP).write_bytes(b"old")
    with pytest.raises(BadConfiguration, match=r"broken\.osm\.pbf"):
        build_basemap(tmp_path / "broken.osm.pbf", tmp_path / BASEMAP)
    assert (tmp_path / BASEMAP).read_bytes() == b"old"


def test_reading_keeps_the_box_and_all_addresses(town_pbf: Path) -> None:
    extract = read(town_pbf)
    assert extract.box == pytest.approx((WEST, SOUTH, EAST, NORTH))
    assert sorted(house.number for house in extract.houses) == ["1", "2 a", "24", "26", "3", "9"]


POINT = st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7))


@given(
    points=st.lists(POINT, min_size=2, max_size=12, unique=True),
    zoom=st.integers(1, 5),
    buffer=st.sampled_from([0.0, 0.03, 0.125]),
)
@example([(0.5, 0.5), (0.7, 0.405), (0.4, 0.311), (0.46875, 0.5), (0.334, 0.611), (0.517, 0.319)], 2, 0.125)  # touches an edge
def test_cutting_loses_and_adds_nothing(points: list[tuple[float, float]], zoom: int, buffer: float) -> None:
    line = shapely.transform(shapely.LineString(points), lambda xy: xy * 2**zoom)
    found: list[Piece] = []
    whole = Piece((0, 0, 0), np.array([7]), np.array([line], dtype=object))
    for half_way in tilecut.cut(whole, zoom, buffer, until=zoom // 2):
        pieces = list(tilecut.cut(half_way, zoom, buffer))
        assert all(piece.tile[0] == zoom and piece.which.tolist() == [7] for piece in pieces)
        found += pieces
    for piece in found:
        _zoom, column, row = piece.tile
        box = shapely.box(column - buffer, row - buffer, column + 1 + buffer, row + 1 + buffer)
        assert piece.shapes[0].within(box.buffer(1e-9))
    together = shapely.union_all([part for piece in found for part in shapely.get_parts(piece.shapes[0])])
    assert together.buffer(1e-4).covers(line)
    assert line.buffer(1e-4).covers(together)
