"""The client against a real Valhalla server of a small town."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from tests.roads.streets import BLOCK_M, FAR_ISLAND_M, SOUTH_WEST, crossing
from tracker.domain.geo import bearing_deg, distance_m, length_m, moved
from tracker.domain.ways import Basis
from tracker.errors import NoRoute, RouterUnavailable
from tracker.roads.server import EmbeddedValhalla
from tracker.roads.valhalla import ValhallaRouter

ISLAND = moved(moved(SOUTH_WEST, 90, FAR_ISLAND_M + 240), 0, 240)
NOWHERE = moved(SOUTH_WEST, 180, 20_000)


@pytest.fixture
async def router(valhalla: EmbeddedValhalla) -> AsyncIterator[ValhallaRouter]:
    client = ValhallaRouter(lambda: valhalla.url)
    yield client
    await client.close()


async def test_a_route_has_a_time_at_every_vertex(router: ValhallaRouter) -> None:
    start, end = moved(crossing(1, 1), 90, 40), moved(crossing(9, 8), 0, 30)
    route = await router.route(start, end)
    assert (route.basis, route.source) == (Basis.ROAD, "valhalla")
    assert len(route.line) == len(route.times_s) > 3
    assert route.times_s[0] == 0
    assert route.times_s[-1] == pytest.approx(route.duration_s)
    assert all(a <= b for a, b in pairwise(route.times_s))
    assert route.length_m == pytest.approx(length_m(route.line), rel=0.01)
    assert distance_m(route.line[0], start) < 5
    assert distance_m(route.line[-1], end) < 5


async def test_the_fast_road_takes_less_time_for_the_same_metres(router: ValhallaRouter) -> None:
    primary = await router.route(moved(crossing(1, 5), 90, 10), moved(crossing(8, 5), 90, 10))
    street = await router.route(moved(crossing(1, 9), 90, 10), moved(crossing(8, 9), 90, 10))
    assert primary.length_m == pytest.approx(7 * BLOCK_M, rel=0.02)
    assert primary.duration_s < 0.8 * street.duration_s


async def test_a_turn_is_counted_where_it_is(router: ValhallaRouter) -> None:
    """Two straight stretches of one street each: what the whole takes more than the metres do lies at the corner."""
    route = await router.route(moved(crossing(2, 7), 90, 10), moved(crossing(6, 10), 0, 20))
    paces = [
        ((tb - ta) / distance_m(a, b))
        for (a, ta), (b, tb) in pairwise(zip(route.line, route.times_s, strict=True))
        if distance_m(a, b) > 30
    ]
    assert max(paces) > 1.05 * min(paces)


async def test_a_heading_is_kept_where_the_road_allows_it(router: ValhallaRouter) -> None:
    start, goal = moved(crossing(5, 8), 90, 60), crossing(1, 8)
    free = await router.route(start, goal)
    eastward = await router.route(start, goal, heading=90)
    assert bearing_deg(*free.line[:2]) == pytest.approx(270, abs=5)
    assert bearing_deg(*eastward.line[:2]) == pytest.approx(90, abs=5)
    assert eastward.length_m > free.length_m


async def test_a_one_way_street_is_not_driven_the_wrong_way(router: ValhallaRouter) -> None:
    there = await router.route(moved(crossing(3, 3), 90, 20), moved(crossing(6, 3), 90, 20))
    back = await router.route(moved(crossing(6, 3), 90, 20), moved(crossing(3, 3), 90, 20))
    assert there.length_m == pytest.approx(3 * BLOCK_M, rel=0.02)
    assert back.length_m > there.length_m + BLOCK_M


@pytest.mark.parametrize("goal", [pytest.param(ISLAND, id="another island"), pytest.param(NOWHERE, id="off the map")])
async def test_no_way_is_told_from_no_answer(router: ValhallaRouter, goal: object) -> None:
    with pytest.raises(NoRoute):
        await router.route(crossing(2, 2), goal)  # type: ignore[arg-type]


async def test_standing_on_the_spot_is_a_route_of_nothing(router: ValhallaRouter) -> None:
    route = await router.route(crossing(4, 4), crossing(4, 4))
    assert route.duration_s == pytest.approx(0, abs=1)
    assert len(route.line) == len(route.times_s) >= 2


async def test_the_matrix_agrees_with_the_routes_and_knows_what_it_does_not_know(router: ValhallaRouter) -> None:
    sources = [crossing(1, 1), crossing(9, 2), NOWHERE]
    targets = [crossing(4, 8), ISLAND, crossing(10, 10)]
    rows = await router.matrix(sources, targets)
    assert rows[2] == [None, None, None]
    assert [row[1] for row in rows] == [None, None, None]
    for source, row in zip(sources[:2], rows, strict=False):
        for target, hop in ((targets[0], row[0]), (targets[2], row[2])):
            assert hop is not None
            route = await router.route(source, target)
            assert hop.duration_s == pytest.approx(route.duration_s, rel=0.1, abs=3)
            assert hop.length_m == pytest.approx(route.length_m, rel=0.1, abs=20)


async def test_a_matrix_larger_than_the_server_takes_is_asked_in_pieces(router: ValhallaRouter) -> None:
    sources = [moved(crossing(1 + i % 10, 1 + i // 10), 90, 15) for i in range(60)]
    rows = await router.matrix(sources, sources[:50])
    assert [len(row) for row in rows] == [50] * 60
    assert all(hop is not None for row in rows for hop in row)


async def test_no_address_and_a_dead_one_are_unavailable(unused_port: int) -> None:
    for address in (lambda: None, f"http://127.0.0.1:{unused_port}"):
        client = ValhallaRouter(address)
        with pytest.raises(RouterUnavailable):
            await client.route(crossing(1, 1), crossing(2, 2))
        await client.close()


async def test_one_that_takes_and_never_answers_is_left_after_the_time_out(silent_server: str) -> None:
    client = ValhallaRouter(silent_server)
    async with asyncio.timeout(60):
        with pytest.raises(RouterUnavailable):
            await client.route(crossing(1, 1), crossing(2, 2))
    await client.close()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"routes":[{"duration":1,"distance":1,"geometry":"_","legs":[]}]}', b'{"a":1}']
)
async def test_an_answer_that_makes_no_sense_is_no_answer(body: bytes, scripted_server: object) -> None:
    client = ValhallaRouter(scripted_server(200, body))  # type: ignore[operator]
    with pytest.raises((RouterUnavailable, NoRoute)):
        await client.route(crossing(1, 1), crossing(2, 2))
    await client.close()
