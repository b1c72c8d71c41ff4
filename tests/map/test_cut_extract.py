"""The extract shipped for the demo: small, credited, and as good for the map as what it was cut from."""

from pathlib import Path

import osmium
import pytest

import simulator
from tracker.roads.extract import read
from tracker.roads.osm_tags import Layer
from tracker.workshop.cut_extract import cut, tags_kept

SHIPPED = Path(simulator.__file__).parent / "data" / "helsinki.osm.pbf"


def test_the_shipped_extract_is_small_and_credited() -> None:
    assert SHIPPED.stat().st_size < 300_000
    assert "© OpenStreetMap contributors" in SHIPPED.with_suffix(".pbf.txt").read_text()


def test_it_has_streets_houses_water_rails_and_names() -> None:
    extract = read(SHIPPED)
    layers = {feature.layer for feature in extract.features}
    assert {Layer.ROAD, Layer.BUILDING, Layer.WATER, Layer.RAIL, Layer.GROUND, Layer.PLACE} <= layers
    assert any(house.street == "Korkeavuorenkatu" and house.number == "24" for house in extract.houses)
    assert any(feature.names[:1] == ("Esplanadinpuisto",) for feature in extract.features)


def test_cutting_changes_nothing_that_the_map_shows(town_pbf: Path, tmp_path: Path) -> None:
    cut(town_pbf, tmp_path / "cut.osm.pbf")
    before, after = read(town_pbf), read(tmp_path / "cut.osm.pbf")
    assert after.box == before.box
    assert after.houses == before.houses
    assert [(f.kind, f.names, f.geometry.wkb) for f in after.features] == [
        (f.kind, f.names, f.geometry.wkb) for f in before.features
    ]


def test_nobody_s_name_stays_in_it() -> None:
    for thing in osmium.FileProcessor(str(SHIPPED)):
        assert (thing.user, thing.uid, thing.changeset) == ("", 0, 0)


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ({"building": "apartments", "building:levels": "6", "wikidata": "Q1"}, {"building": "yes"}),
        (
            {"highway": "residential", "maxspeed:forward": "30", "surveillance": "x"},
            {"highway": "residential", "maxspeed:forward": "30"},
        ),
        ({"shop": "kiosk", "opening_hours": "24/7"}, {}),
    ],
)
def test_tags(tags: dict[str, str], kept: dict[str, str]) -> None:
    assert tags_kept(tags) == kept
