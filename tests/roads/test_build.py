"""Building a region and putting it in place."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.roads.streets import write_town
from tracker.errors import BadConfiguration
from tracker.roads.build import build, read_manifest

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_the_manifest_says_what_it_was_made_of(tmp_path: Path) -> None:
    said: list[str] = []
    made = build(write_town(tmp_path / "town.osm.pbf"), tmp_path / "regions" / "town", NOW, said.append)
    assert read_manifest(tmp_path / "regions" / "town") == made
    assert made.source == "town.osm.pbf"
    assert made.built_at == NOW
    assert "OpenStreetMap" in made.attribution
    west, south, east, north = made.bounds
    assert (west, south) == pytest.approx((1.0, 1.0), abs=1e-4)
    assert east > 1.03
    assert north > 1.01
    assert said[-1].endswith("ready")
    assert os.listdir(tmp_path / "regions") == ["town"]


def test_a_new_build_takes_the_place_and_keeps_the_one_before_for_who_still_reads_it(tmp_path: Path) -> None:
    extract, into = write_town(tmp_path / "town.osm.pbf"), tmp_path / "town"
    build(extract, into, NOW)
    held = os.open(into, os.O_RDONLY)
    later = build(extract, into, NOW.replace(hour=10))
    assert read_manifest(into) == later
    assert "manifest.json" in os.listdir(held)
    os.close(held)
    build(extract, into, NOW.replace(hour=11))
    assert sorted(p.name for p in tmp_path.iterdir()) == [".town.old", "town", "town.osm.pbf"]


@pytest.mark.parametrize("content", [None, b"", b"not an extract at all"])
def test_what_cannot_be_read_is_refused_and_changes_nothing(tmp_path: Path, content: bytes | None) -> None:
    into = tmp_path / "town"
    before = build(write_town(tmp_path / "town.osm.pbf"), into, NOW)
    broken = tmp_path / "broken.osm.pbf"
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(BadConfiguration):
        build(broken, into, NOW)
    assert read_manifest(into) == before
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".new")]
