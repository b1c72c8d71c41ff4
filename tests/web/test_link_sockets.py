"""Sockets of a link: out before its end, block or shortening is answered, and out when its time is over (M8, F22)."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from tests.web.knocking import ADMIN, Site, letter_link, whole_site
from tests.world import Clock, World
from tracker.actions.house import House
from tracker.actions.people import link_care
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.appointments import Step


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: nothing here depends on it."""
    return sqlite_url


@pytest.fixture
async def site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    async with whole_site(house, world, tmp_path) as served:
        yield served


async def watch(site: Site, visit: str, token: str) -> ClientConnection:
    """A page that shows the visit by its link: its snapshot has come."""
    url = str(site.client.base_url).rstrip("/")
    headers = {"Cookie": f"tt-v-{visit}={token}"}
    page = await websockets.connect(
        url.replace("http", "ws") + "/ws/live", origin=websockets.Origin(url), additional_headers=headers
    )
    await page.send(json.dumps({"type": "watch", "appointment": visit}))
    assert json.loads(await page.recv())["type"] == "snapshot"
    return page


async def is_out(page: ClientConnection) -> bool:
    """The next that it hears is that it is closed."""
    with pytest.raises(websockets.ConnectionClosed):
        print(await page.recv())
    return page.close_code == 4401


async def answered(site: Site, method: str, link: str, body: dict[str, object] | None = None) -> int:
    site.client.cookies.clear()
    desk = f"tt={(await site.session('dispatcher'))[1]}"
    return (await site.client.request(method, f"/api/v1/links/{link}", json=body, headers={"Cookie": desk})).status_code


@pytest.mark.parametrize("change", ["block", "end", "shorten"])
async def test_who_looks_through_a_link_is_out_before_staff_are_answered(site: Site, change: str) -> None:
    clock, visit = site.house.clock, await site.world.appointment()
    token = await letter_link(site.house, visit)
    [(link, _)] = await link_care.links_of(site.house, ADMIN, visit)
    pages = [await watch(site, visit, token) for _ in range(2)]
    later, sooner = ((clock() + timedelta(days=days)).isoformat() for days in (300, 200))
    assert await answered(site, "PATCH", link.id, {"until": later}) == 200  # nobody is shown out for being let stay
    if change == "end":
        assert await answered(site, "DELETE", link.id) == 204
    else:
        assert await answered(site, "PATCH", link.id, {"blocked": True} if change == "block" else {"until": sooner}) == 200
    await take_step(site.house, ADMIN, visit, Wish(step=Step.CANCEL, reason="over"))  # told to whoever still looks
    assert [await is_out(page) for page in pages] == [True, True]
    if change == "shorten":
        await (await watch(site, visit, token)).close()
        return
    with pytest.raises(websockets.InvalidStatus) as refused:
        await watch(site, visit, token)
    assert refused.value.response.status_code == 401


async def test_a_socket_ends_with_its_links_time_and_is_asked_again_every_day(site: Site) -> None:
    clock = site.house.clock
    assert isinstance(clock, Clock)
    over, coming = await site.world.appointment(), await site.world.appointment(arrival_at=clock() + timedelta(days=60))
    dead, living = await letter_link(site.house, over), await letter_link(site.house, coming)
    await take_step(site.house, ADMIN, over, Wish(step=Step.CANCEL, reason="over"))
    clock.move(days=29, hours=12)
    pages = [await watch(site, over, dead), await watch(site, coming, living)]
    clock.move(days=1, seconds=1)
    assert [await is_out(page) for page in pages] == [True, True]
    await (await watch(site, coming, living)).close()
    site.client.cookies.clear()
    gone = await site.client.get(f"/api/v1/appointments/{over}/live", headers={"Cookie": f"tt-v-{over}={dead}"})
    assert gone.status_code == 404
