"""The router the service uses: real when it can, by distance when it must."""

import pytest

from tests.roads.streets import FAR_ISLAND_M, SOUTH_WEST, crossing
from tracker.domain.geo import moved
from tracker.domain.ways import Basis
from tracker.roads.fallback import FallbackRouter
from tracker.roads.server import EmbeddedValhalla
from tracker.roads.valhalla import ValhallaRouter

ISLAND = moved(moved(SOUTH_WEST, 90, FAR_ISLAND_M + 240), 0, 240)


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Address:
    """Says where the server is, and counts who asks: each request to a road router asks once."""

    def __init__(self, url: str | None) -> None:
        self.url, self.asked = url, 0

    def __call__(self) -> str | None:
        self.asked += 1
        return self.url


async def test_a_living_router_is_asked_and_remembered(valhalla: EmbeddedValhalla) -> None:
    where, clock = Address(valhalla.url), Clock()
    router = FallbackRouter(ValhallaRouter(where), clock=clock)
    first = await router.route(crossing(1, 1), crossing(8, 8))
    again = await router.route(moved(crossing(1, 1), 0, 0.2), crossing(8, 8))
    assert first.basis is Basis.ROAD
    assert again is first
    assert where.asked == 1
    assert await router.route(crossing(1, 1), crossing(8, 8), heading=90) is not first
    clock.now += 601
    assert await router.route(crossing(1, 1), crossing(8, 8)) is not first
    assert where.asked == 3
    await router.close()


async def test_places_without_a_way_are_answered_by_distance(valhalla: EmbeddedValhalla) -> None:
    router = FallbackRouter(ValhallaRouter(lambda: valhalla.url))
    assert (await router.route(crossing(1, 1), ISLAND)).basis is Basis.DISTANCE
    rows = await router.matrix([crossing(1, 1)], [crossing(3, 3), ISLAND])
    assert [hop.basis for row in rows for hop in row if hop] == [Basis.ROAD, Basis.DISTANCE]
    assert router.answering
    await router.close()


async def test_a_dead_router_costs_one_try_and_then_nothing_until_a_growing_pause_is_over(valhalla: EmbeddedValhalla) -> None:
    where, clock = Address(None), Clock()
    router = FallbackRouter(ValhallaRouter(where), clock=clock)
    tries = []
    for _ in range(130):
        assert (await router.route(crossing(1, 1), crossing(8, 8))).basis is Basis.DISTANCE
        assert await router.matrix([crossing(1, 1)], [crossing(8, 8)])
        tries.append(where.asked)
        clock.now += 1
    assert not router.answering
    assert tries[0] == 1
    assert tries[-1] == pytest.approx(8, abs=1)  # at 0, 1, 3, 7, 15, 31, 61, 91, 121 s
    where.url, clock.now = valhalla.url, clock.now + 31
    assert (await router.route(crossing(1, 1), crossing(8, 8))).basis is Basis.ROAD
    assert router.answering
    await router.close()


async def test_without_a_road_router_everything_is_by_distance() -> None:
    router = FallbackRouter(None)
    assert router.name == "distance"
    assert not router.answering
    assert (await router.route(crossing(1, 1), crossing(2, 2))).basis is Basis.DISTANCE
    await router.close()


async def test_the_memory_is_small(valhalla: EmbeddedValhalla) -> None:
    where = Address(valhalla.url)
    router = FallbackRouter(ValhallaRouter(where))
    for i in range(300):
        await router.route(crossing(1, 1), moved(crossing(8, 8), 90, i / 3))
    assert len(router._kept) <= 256
    await router.close()
