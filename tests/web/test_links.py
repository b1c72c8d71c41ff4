"""What a link opens and what not: one answer for every dead one, throttled at the door, nothing left after its end (M8, F22)."""

import json
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import websockets

from tests.serving import config_for, free_socket, serving
from tests.web.knocking import ADMIN, Site, letter_link, whole_site
from tests.web.roles import whole_app
from tests.world import Clock, World
from tracker.actions.house import House
from tracker.actions.people import contacts, customers, link_care, links
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.records.database import new_id


@pytest.fixture
async def site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    async with whole_site(house, world, tmp_path) as served:
        yield served


async def opened(site: Site, token: str) -> httpx.Response:
    site.client.cookies.clear()
    return await site.client.post("/api/v1/links/open", json={"token": token})


async def looked(site: Site, appointment: str, token: str) -> int:
    headers = {"Cookie": f"tt-v-{appointment}={token}"}
    return (await site.client.get(f"/api/v1/appointments/{appointment}/live", headers=headers)).status_code


async def test_every_dead_link_is_answered_in_the_same_bytes_and_its_cookie_opens_nothing(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    house, visit, other = site.house, await site.world.appointment(), await site.world.appointment(site.world.onni)
    token, blocked, old = [await letter_link(house, visit) for _ in range(3)]
    answer = await opened(site, token)
    assert answer.json() == {"appointment": visit}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"tt-v-{visit}={token};")
    assert "HttpOnly" in cookie
    assert await looked(site, visit, token) == 200
    assert await looked(site, other, token) == 404
    by_opened = {one.opened: one.id for one, _ in await link_care.links_of(house, ADMIN, visit)}
    await link_care.end(house, ADMIN, by_opened[1])
    rest = [one for one, _ in await link_care.links_of(house, ADMIN, visit) if not one.ended_at]
    for one in rest:
        await link_care.block(house, ADMIN, one.id)
    dead = [await opened(site, said) for said in (token, blocked, old, secrets.token_urlsafe(32), "", "ä" * 300)]
    assert {(each.status_code, each.content) for each in dead} == {(404, dead[0].content)}
    assert [await looked(site, visit, said) for said in (token, blocked, "x" * 43)] == [404, 404, 404]
    for one in rest:
        await link_care.unblock(house, ADMIN, one.id)
    assert (await opened(site, blocked)).status_code == 200
    said = capsys.readouterr()
    assert not [each for each in (token, blocked, old) if each in said.out + said.err]
    assert "/api/v1/links/open" in said.out + said.err


async def test_over_https_each_links_cookie_is_the_hosts_own_and_goes_over_https_only(
    house: House, world: World, tmp_path: Path
) -> None:
    bound = free_socket()
    config = config_for(bound, tmp_path, scheme="https")
    visits = [await world.appointment(), await world.appointment()]
    tokens = [await letter_link(house, visit) for visit in visits]
    async with serving(whole_app(house, config), bound) as client:
        client.headers["Origin"] = config.public.url  # whoever ends TLS passes it on
        given = [await client.post("/api/v1/links/open", json={"token": token}) for token in tokens]
        cookies = [answer.headers["set-cookie"].split("; ") for answer in given]
        for visit, token, (pair, *attributes) in zip(visits, tokens, cookies, strict=True):
            assert pair == f"__Host-tt-v-{visit}={token}"
            assert {one.partition("=")[0].lower() for one in attributes} == {"httponly", "max-age", "path", "samesite", "secure"}
            assert "Path=/" in attributes
        client.cookies.clear()
        both = "; ".join(cookie[0] for cookie in cookies)
        for said, status in ((both, 200), (both.replace("__Host-", ""), 401)):
            for visit in visits:
                answer = await client.get(f"/api/v1/appointments/{visit}/live", headers={"Cookie": said})
                assert answer.status_code == status


async def test_a_link_lasts_thirty_days_beyond_its_visit_or_as_long_as_staff_say(site: Site) -> None:
    clock = site.house.clock
    assert isinstance(clock, Clock)
    house, visit = site.house, await site.world.appointment()
    token = await letter_link(house, visit)
    await take_step(house, ADMIN, visit, Wish(step=Step.CANCEL, reason="over"))
    clock.move(hours=24 * 30 - 1)
    assert await looked(site, visit, token) == 200
    clock.move(hours=2)
    assert await looked(site, visit, token) == 404
    [(link, _)] = await link_care.links_of(house, ADMIN, visit)
    await link_care.extend(house, ADMIN, link.id, clock.now + timedelta(days=5))
    assert await looked(site, visit, token) == 200


async def test_guesses_open_nothing_and_are_throttled_at_the_door_right_or_wrong(site: Site) -> None:
    house, visit = site.house, await site.world.appointment()
    token = await letter_link(house, visit)
    for _ in range(500):
        assert await links.holder_of(house, secrets.token_urlsafe(32), visit) is None
    came = [(await opened(site, secrets.token_urlsafe(32))).status_code for _ in range(links.TRIES_ADDRESS + 5)]
    assert came == [404] * links.TRIES_ADDRESS + [429] * 5
    assert (await opened(site, token)).status_code == 429


async def test_a_contact_who_is_removed_takes_the_links_they_made_along(site: Site) -> None:
    house, world, visit = site.house, site.world, await site.world.appointment()
    anna = Actor(Role.CUSTOMER, world.customer.id, accounts=frozenset({world.account}))
    token = (await link_care.share(house, anna, visit)).token
    assert await looked(site, visit, token) == 200
    [contact] = (await customers.customer(house, ADMIN, world.account)).contacts
    await contacts.remove_contact(house, ADMIN, contact.id)
    assert await looked(site, visit, token) == 404


async def test_a_browser_full_of_dead_links_still_opens_the_living_one_on_a_socket(site: Site) -> None:
    visit = await site.world.appointment()
    dead = [f"tt-v-{new_id()}={secrets.token_urlsafe(32)}" for _ in range(80)]
    cookies = "; ".join([*dead, f"tt-v-{visit}={await letter_link(site.house, visit)}"])
    url = str(site.client.base_url).rstrip("/")
    async with websockets.connect(
        url.replace("http", "ws") + "/ws/live", origin=websockets.Origin(url), additional_headers={"Cookie": cookies}
    ) as page:
        await page.send(json.dumps({"type": "watch", "appointment": visit}))
        assert json.loads(await page.recv())["type"] == "snapshot"
