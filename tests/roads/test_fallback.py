"""The router the service uses: real when it can, by distance when it must."""

from collections.abc import Sequence

import pytest

from tests.roads.streets import FAR_ISLAND_M, SOUTH_WEST, crossing
from tracker.domain.geo import Point, moved
from tracker.domain.ways import Basis
from tracker.roads.fallback import FallbackRouter
from tracker.roads.router import Hop, Route
from tracker.roads.server import EmbeddedValhalla
from tracker.roads.valhalla import ValhallaRouter

ISLAND = moved(moved(SOUTH_WEST, 90, FAR_ISLAND_M + 240), 0, 240)


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counted:
    """Counts what reaches a real client."""

    def __init__(self, client: ValhallaRouter) -> None:
        self.client, self.asked, self.name = client, 0, client.name

    @property
    def ready(self) -> bool:
        return self.client.ready

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Route:
        self.asked += 1
        return await self.client.route(start, end, heading=heading)

    async def matrix(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        self.asked += 1
        return await self.client.matrix(sources, targets)

    async def close(self) -> None:
        await self.client.close()


async def test_a_living_router_is_asked_and_remembered(valhalla: EmbeddedValhalla) -> None:
    road, clock = Counted(ValhallaRouter(lambda: valhalla.url)), Clock()
    router = FallbackRouter(road, clock=clock)
    first = await router.route(crossing(1, 1), crossing(8, 8))
    again = await router.route(moved(crossing(1, 1), 0, 0.2), crossing(8, 8))
    assert first.basis is Basis.ROAD
    assert again is first
    assert road.asked == 1
    assert await router.route(crossing(1, 1), crossing(8, 8), heading=90) is not first
    clock.now += 601
    assert await router.route(crossing(1, 1), crossing(8, 8)) is not first
    assert road.asked == 3
    await router.close()


async def test_places_without_a_way_are_answered_by_distance(valhalla: EmbeddedValhalla) -> None:
    router = FallbackRouter(ValhallaRouter(lambda: valhalla.url))
    assert (await router.route(crossing(1, 1), ISLAND)).basis is Basis.DISTANCE
    rows = await router.matrix([crossing(1, 1)], [crossing(3, 3), ISLAND])
    assert [hop.basis for row in rows for hop in row if hop] == [Basis.ROAD, Basis.DISTANCE]
    assert router.answering
    await router.close()


async def test_a_dead_router_costs_one_try_and_then_nothing_until_a_growing_pause_is_over(
    valhalla: EmbeddedValhalla, unused_port: int
) -> None:
    url, clock = f"http://127.0.0.1:{unused_port}", Clock()
    road = Counted(ValhallaRouter(lambda: url))
    router = FallbackRouter(road, clock=clock)
    tries = []
    for _ in range(130):
        assert (await router.route(crossing(1, 1), crossing(8, 8))).basis is Basis.DISTANCE
        assert await router.matrix([crossing(1, 1)], [crossing(8, 8)])
        tries.append(road.asked)
        clock.now += 1
    assert not router.answering
    assert tries[0] == 1
    assert tries[-1] == pytest.approx(8, abs=1)  # at 0, 1, 3, 7, 15, 31, 61, 91, 121 s
    url, clock.now = str(valhalla.url), clock.now + 31
    assert (await router.route(crossing(1, 1), crossing(8, 8))).basis is Basis.ROAD
    assert router.answering
    await router.close()


async def test_one_known_not_to_run_yet_is_not_asked_at_all() -> None:
    road = Counted(ValhallaRouter(lambda: None))
    router = FallbackRouter(road)
    assert (await router.route(crossing(1, 1), crossing(8, 8))).basis is Basis.DISTANCE
    assert road.asked == 0
    await router.close()


async def test_without_a_road_router_everything_is_by_distance() -> None:
    router = FallbackRouter(None)
    assert router.name == "distance"
    assert not router.answering
    assert (await router.route(crossing(1, 1), crossing(2, 2))).basis is Basis.DISTANCE
    await router.close()


async def test_the_memory_is_small_and_forgets_the_oldest(valhalla: EmbeddedValhalla) -> None:
    road = Counted(ValhallaRouter(lambda: valhalla.url))
    router = FallbackRouter(road, kept=3)
    for row in (1, 2, 3, 1, 4, 1, 2):
        await router.route(crossing(1, 1), crossing(8, row))
    assert road.asked == 5  # 1 2 3, 4 in the place of 2, and 2 again
    await router.close()
