"""The tile door, asked over real HTTP."""

import gzip
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.map.server import app, serving
from tracker.roads import vectortile
from tracker.roads.basemap import build_basemap
from tracker.roads.files import BASEMAP
from tracker.web import tiles

MIDDLE_Z12 = (12, 2162, 1389)  # the tile with the town's middle


@pytest.fixture(scope="module")
def address(town_roads: Path) -> Iterator[str]:
    with serving(app(town_roads)) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


def _place(client: httpx.Client, *tile: int) -> str:
    url: str = client.get("/tiles.json").json()["url"]
    return url.format(z=tile[0], x=tile[1], y=tile[2])


def test_a_tile_can_be_kept_for_ever_under_its_version(client: httpx.Client) -> None:
    answer = client.get(_place(client, *MIDDLE_Z12))
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "road" in vectortile.read(answer.content)


def test_another_version_gets_the_present_map_for_a_moment_only(client: httpx.Client) -> None:
    answer = client.get("/tiles/0123456789ab/12/{1}/{2}".format(*MIDDLE_Z12))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=60"


def test_what_the_browser_has_is_not_sent_again(client: httpx.Client) -> None:
    place = _place(client, *MIDDLE_Z12)
    tag = client.get(place).headers["etag"]
    again = client.get(place, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_client_without_gzip_gets_plain_bytes(client: httpx.Client) -> None:
    place = _place(client, *MIDDLE_Z12)
    plain = client.get(place, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == client.get(place).content


@pytest.mark.parametrize("tile", [(12, 0, 0), (3, 9, 9), (99, 0, 0), (12, 5000, 1)])
def test_where_nothing_is_the_answer_is_empty(client: httpx.Client, tile: tuple[int, int, int]) -> None:
    answer = client.get(_place(client, *tile))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("place", ["/tiles/x/a/1/1", "/tiles/x/1/1", "/tiles/x/-1/0/0", "/tiles/x/1/1/1.5", "/tiles/x/9/9/9/9"])
def test_what_is_no_tile_is_not_found(client: httpx.Client, place: str) -> None:
    assert client.get(place).status_code == 404


def test_every_tile_is_sent_exactly_as_stored(client: httpx.Client, town_roads: Path) -> None:
    with closing(sqlite3.connect(town_roads / "basemap.mbtiles")) as db:
        stored = db.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles").fetchall()
    assert len(stored) > 10
    for zoom, column, row, blob in stored:
        assert client.get(_place(client, zoom, column, 2**zoom - 1 - row)).content == gzip.decompress(blob)


def test_without_a_map_the_door_says_so(tmp_path: Path) -> None:
    with serving(app(tmp_path)) as url, httpx.Client(base_url=url, timeout=20) as client:
        assert client.get("/tiles.json").json()["kind"] == "none"
        assert client.get("/tiles/x/12/1/1").status_code == 404


async def test_a_map_built_anew_is_found_without_a_restart(town_roads: Path, town_pbf: Path, tmp_path: Path) -> None:
    file = tmp_path / "basemap.mbtiles"
    found = tiles.Tiles(file)
    assert found.version is None
    found._looked_at = float("-inf")
    build_basemap(town_pbf, file)
    first = found.version
    assert first
    assert await found.tile(*MIDDLE_Z12)
    with closing(sqlite3.connect(shutil.copy(file, tmp_path / "other"))) as db:
        db.execute("UPDATE metadata SET value = 'another' WHERE name = 'version'")
        db.execute("UPDATE tiles SET tile_data = x'00'")
        db.commit()
    (tmp_path / "other").replace(file)
    found._looked_at = float("-inf")
    assert found.version == "another"
    assert await found.tile(*MIDDLE_Z12) == b"\x00"


async def test_a_small_map_is_read_once_and_then_known_whole(town_roads: Path, tmp_path: Path) -> None:
    found = tiles.Tiles(Path(shutil.copy(town_roads / BASEMAP, tmp_path)))
    tile = await found.tile(*MIDDLE_Z12)
    (tmp_path / BASEMAP).write_bytes(b"")  # nobody looks for a second
    assert tile
    assert await found.tile(*MIDDLE_Z12) == tile
    assert await found.tile(12, 0, 0) is None


async def test_memory_has_a_limit(town_roads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "MEMORY_BYTES", 5000)
    found = tiles.Tiles(town_roads / BASEMAP)
    for column in range(100):
        await found.tile(12, column, 0)
    assert found._memory_bytes <= 5000
    assert len(found._memory) == 25
    assert list(found._memory)[-1] == (12, 99, 0)


def test_an_external_server_is_used_and_named_in_the_policy(tmp_path: Path) -> None:
    external = tiles.street_map(tmp_path, "https://tile.example.org:8443/{z}/{x}/{y}.png?key=1")
    assert external.describe()["kind"] == "raster"
    assert external.image_sources() == ("https://tile.example.org:8443",)
    assert tiles.street_map(tmp_path).image_sources() == ()
    assert tiles.street_map(tmp_path, "https://{s}.example.org/{z}/{x}/{y}.png").image_sources() == ("https://*.example.org",)
