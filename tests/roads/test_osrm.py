"""The OSRM client against a real osrm-routed (from the wheel osrm-bindings) of the small town."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.ports import reserved_port
from tests.roads.streets import BLOCK_M, FAR_ISLAND_M, SOUTH_WEST, crossing, write_town
from tracker.domain.geo import Point, bearing_deg, distance_m, moved
from tracker.domain.ways import Basis
from tracker.errors import NoRoute, RouterUnavailable
from tracker.roads import osrm as osrm_client
from tracker.roads.child import end_child, start_child
from tracker.roads.osrm import OsrmRouter

ISLAND = moved(moved(SOUTH_WEST, 90, FAR_ISLAND_M + 240), 0, 240)
NOWHERE = moved(SOUTH_WEST, 180, 20_000)


def osrm() -> Path:
    spec = find_spec("osrm")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="session")
def osrm_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("osrm")
    write_town(folder / "town.osm.pbf")
    profile = osrm() / "share" / "profiles" / "car.lua"
    for command in (["osrm-extract", "-p", str(profile), "town.osm.pbf"], ["osrm-partition", "town"], ["osrm-customize", "town"]):
        program = osrm() / "bin" / command[0]
        subprocess.run([program, "-t", "1", *command[1:]], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture
async def router(osrm_town: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OsrmRouter]:
    monkeypatch.setattr(osrm_client, "_ROUTE_S", 60.0)  # however much else this machine has to do
    monkeypatch.setattr(osrm_client, "_MATRIX_S", 60.0)
    port = reserved_port()
    command = [str(osrm() / "bin" / "osrm-routed"), "-a", "mld", "-t", "1", "-i", "127.0.0.1", "-p", str(port), "town.osrm"]
    child = await start_child(command, osrm_town)
    await answering(port)
    client = OsrmRouter(f"http://127.0.0.1:{port}/")
    yield client
    await client.close()
    await end_child(child)


async def answering(port: int) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/")
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_route_has_a_time_at_every_vertex_and_turns_are_in_it(router: OsrmRouter) -> None:
    start, end = moved(crossing(1, 1), 90, 40), moved(crossing(9, 8), 0, 30)
    route = await router.route(start, end)
    assert (route.basis, route.source) == (Basis.ROAD, "osrm")
    assert len(route.line) == len(route.times_s) > 3
    assert route.times_s[-1] == pytest.approx(route.duration_s)
    assert all(a <= b for a, b in pairwise(route.times_s))
    assert distance_m(route.line[-1], end) < 5
    paces = [(tb - ta) / distance_m(a, b) for (a, ta), (b, tb) in pairwise(zip(route.line, route.times_s, strict=True))]
    assert max(paces) > 1.2 * min(paces)


async def test_a_heading_is_kept_where_the_road_allows_it_else_given_up(router: OsrmRouter) -> None:
    start, goal = moved(crossing(5, 8), 90, 60), crossing(1, 8)
    eastward = await router.route(start, goal, heading=90)
    assert bearing_deg(*eastward.line[:2]) == pytest.approx(90, abs=5)
    wrong_way = await router.route(moved(crossing(5, 3), 90, 60), crossing(8, 3), heading=270)
    assert wrong_way.length_m > 2 * BLOCK_M


@pytest.mark.parametrize("goal", [pytest.param(ISLAND, id="another island"), pytest.param(NOWHERE, id="off the map")])
async def test_no_way_is_told_from_no_answer(router: OsrmRouter, goal: Point) -> None:
    with pytest.raises(NoRoute):
        await router.route(crossing(2, 2), goal)


async def test_the_matrix_agrees_with_the_routes_and_knows_what_it_does_not_know(router: OsrmRouter) -> None:
    sources, targets = [crossing(1, 1), NOWHERE, crossing(9, 2)], [crossing(4, 8), ISLAND, crossing(10, 10)]
    rows = await router.matrix(sources, targets)
    assert rows[1] == [None, None, None]
    assert [row[1] for row in rows] == [None, None, None]
    hop = rows[2][2]
    assert hop is not None
    route = await router.route(sources[2], targets[2])
    assert (hop.duration_s, hop.length_m) == (pytest.approx(route.duration_s, abs=1), pytest.approx(route.length_m, abs=5))


async def test_a_matrix_larger_than_the_server_takes_is_asked_in_pieces(router: OsrmRouter) -> None:
    places = [moved(crossing(1 + i % 10, 1 + i // 10), 90, 15) for i in range(80)]
    rows = await router.matrix(places, places)
    assert [len(row) for row in rows] == [80] * 80
    assert all(hop is not None for row in rows for hop in row)


async def test_a_dead_server_and_nonsense_are_unavailable(unused_port: int, scripted_server: object) -> None:
    for address in (f"http://127.0.0.1:{unused_port}", scripted_server(200, b"<html>"), scripted_server(502, b"{}")):  # type: ignore[operator]
        client = OsrmRouter(address)
        with pytest.raises(RouterUnavailable):
            await client.route(crossing(1, 1), crossing(2, 2))
        with pytest.raises(RouterUnavailable):
            await client.matrix([crossing(1, 1)], [crossing(2, 2)])
        await client.close()
