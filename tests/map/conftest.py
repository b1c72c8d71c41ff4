"""A small town that exists only here, written as a real .osm.pbf, and the map built from it."""

from pathlib import Path

import pytest

from tests.map.town import write_town
from tracker.roads.basemap import build_basemap


@pytest.fixture(scope="session")
def town_pbf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extract of the town."""
    return write_town(tmp_path_factory.mktemp("town") / "town.osm.pbf")


@pytest.fixture(scope="session")
def town_roads(town_pbf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A roads folder with the town's map in it."""
    folder = tmp_path_factory.mktemp("roads")
    build_basemap(town_pbf, folder / "basemap.mbtiles")
    return folder
