"""The live page in a real browser: it follows every change by itself, says how old things are, and asks nobody else."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute

from tests.journeys.visitors import PHONE, Visitor, visiting
from tests.portal_web.living import START, Town, until
from tests.world import PLACE
from tracker.domain.appointments import Step
from tracker.domain.geo import moved
from tracker.domain.ways import StoredRoute
from tracker.records import settings

pytestmark = pytest.mark.journey

WAY = [START, moved(START, 120, 900), moved(moved(START, 120, 900), 180, 700), PLACE]


def live(appointment: str) -> str:
    return f"/appointments/{appointment}/live"


async def store_way(town: Town, appointment: str) -> None:
    """A route along WAY for the present leg, as a router would have left it."""
    gate = await town.house.positions.gate(town.world.maya)
    assert gate
    assert gate.leg
    route = StoredRoute.of(1, WAY, [0.0, 120.0, 220.0, 400.0], PLACE, "road")
    await town.house.positions.store_route(town.world.maya, appointment, gate.leg, route)


async def van_at(page: Page) -> tuple[float, float] | None:
    """Where the van is drawn, in pixels of the page."""
    box: dict[str, float] | None = await page.evaluate(
        "(() => { const body = document.querySelector('.mk-body'); if (!body) return null;"
        " const box = body.getBoundingClientRect(); return { x: box.x + box.width / 2, y: box.y + box.height / 2 }; })()"
    )
    return (box["x"], box["y"]) if box else None


async def traveling(town: Town) -> str:
    """A visit whose van is seen."""
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await store_way(town, visit)
    await town.ping(START)
    return visit


async def test_the_page_follows_a_visit_from_confirmed_to_completed_without_reload(chromium: Browser, town: Town) -> None:
    visit = await town.appointment()
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(live(visit))
        await anna.sees("Technician arrives")
        await anna.page.evaluate("window.sameDocument = true")
        await until(lambda: visit in town.house.hub.channels)

        took: list[float] = []
        idle: list[float] = []

        async def within_a_second(step: Step, words: str) -> None:
            asked = time.time()
            frame = await anna.page.wait_for_function("() => Date.now()", polling="raf")
            idle.append(await frame.json_value() / 1000 - asked)
            await town.step(visit, step)
            answered = time.time()
            shown_at = await anna.page.wait_for_function(
                "words => document.body.innerText.includes(words) && Date.now()", arg=words, polling="raf", timeout=30_000
            )
            took.append(await shown_at.json_value() / 1000 - answered)

        await within_a_second(Step.START_TRAVEL, "Just started")
        await store_way(town, visit)
        await town.ping(START)
        await anna.sees("Maya arrives between")
        await anna.sees("Live")
        assert await van_at(anna.page)
        assert await anna.page.title() == "Maya is on the way · Technician Tracker"
        await within_a_second(Step.ARRIVE, "Maya is working. Likely done around")
        assert await van_at(anna.page) is None
        await within_a_second(Step.COMPLETE, "Visit completed")
        assert await anna.page.locator("#map_tracker").count() == 0
        assert await anna.page.title() == "Visit completed · Technician Tracker"
        assert await anna.page.evaluate("window.sameDocument")
        print("from the step's answer to the words on the page:", [f"{1000 * each:.0f} ms" for each in took])
        assert min(took) < 1 + 5 * max(idle)  # on a machine that takes so long for a frame of a page with nothing to do
        await anna.unblemished()


async def test_the_van_moves_to_where_it_was_seen_and_only_the_way_ahead_is_drawn(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(live(visit))
        await anna.sees("Live")
        await anna.page.wait_for_selector(".mk-body", state="attached")
        before = await van_at(anna.page)
        whole = await drawn_length(anna.page)
        round_m = "(m) => Object.values(window.map_tracker._layers).some((l) => l._mRadius === m)"
        assert await anna.page.evaluate(round_m, 20)  # how vague the place is, as a circle in true metres (M4)
        assert await anna.page.locator("path.m-acc").count() == 1
        further = moved(START, 120, 600)
        await town.ping(further, acc=60.0)
        await until_async(anna.page, round_m, 60)
        has_moved = (
            "(x) => { const b = document.querySelector('.mk-body').getBoundingClientRect(); return Math.abs(b.x - x) > 20; }"
        )
        await until_async(anna.page, has_moved, before[0] - 20 if before else 0)
        await shorter_than(anna.page, 0.85 * whole)  # at the end of the glide
        assert "about 2" in await anna.panel() or "about 1." in await anna.panel()
        await anna.unblemished()


async def drawn_length(page: Page) -> float:
    length: float = await page.evaluate("document.querySelector('path.m-route').getTotalLength()")
    zoom: float = await page.evaluate("window.map_tracker.getZoom()")
    return length / 2**zoom


async def shorter_than(page: Page, length: float) -> None:
    script = "(most) => document.querySelector('path.m-route').getTotalLength() / 2 ** window.map_tracker.getZoom() < most"
    await until_async(page, script, length)


async def until_async(page: Page, script: str, argument: Any = None) -> None:
    await page.wait_for_function(script, arg=argument, timeout=30_000)


async def in_slow_motion(anna: Visitor, town: Town, path: str) -> Callable[[int], Awaitable[None]]:
    """Open a page whose time only goes on when the returned function is told so many seconds, with beats of the server."""
    sockets: list[WebSocketRoute] = []
    ahead_s = 0

    def between(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    async def later(seconds: int) -> None:
        nonlocal ahead_s
        for _ in range(seconds // 10):
            await anna.page.clock.run_for(10_000)
            ahead_s += 10
            now = town.house.clock() + timedelta(seconds=ahead_s)
            sockets[-1].send(json.dumps({"type": "beat", "now": now.isoformat()}))

    await anna.page.route_web_socket("**/ws/live", between)
    await anna.page.clock.install()
    await anna.open(path)
    return later


async def test_the_words_age_with_the_position_until_the_van_is_lost(chromium: Browser, town: Town) -> None:
    async with town.house.db.transaction() as tx:
        await settings.write(tx, "desk_phone", "+358 9 123 4567", "test", town.house.clock())
    await town.house.settings.refresh(town.house.db)
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer, viewport=PHONE) as anna:
        later = await in_slow_motion(anna, town, live(visit))
        await anna.page.wait_for_selector(".mk-body", state="attached")
        await anna.sees("Live")
        await later(40)
        await anna.sees("Delayed")
        await later(40)
        await anna.sees("Stale")
        panel = await anna.panel()
        assert "Maya probably arrives between" in panel
        assert "Maya is probably closer than shown." in panel
        assert await anna.page.locator(".mk--old").count() == 1
        assert await anna.page.locator("path.m-reach").get_attribute("d") != "M0 0"
        assert await anna.page.locator("path.m-route").get_attribute("d") == "M0 0"
        assert "The position is old." in await anna.page.locator("#announce").inner_text()
        await later(300)
        await anna.sees("Lost")
        panel = await anna.panel()
        assert "We can’t see Maya’s position" in panel
        assert "Expected by" in panel
        assert await anna.page.get_by_role("link", name="Call +358 9 123 4567").get_attribute("href") == "tel:+35891234567"
        assert await van_at(anna.page) is None
        assert await anna.page.title() == "Maya is on the way, no position · Technician Tracker"
        await anna.unblemished()


async def test_pausing_takes_the_van_away_and_resuming_brings_it_back(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(live(visit))
        await anna.sees("Live")
        await town.share(on=False)
        await anna.sees("Paused")
        assert await van_at(anna.page) is None
        assert "Location sharing is paused. The visit is still on." in await anna.panel()
        await town.share(on=True)
        await town.ping(moved(START, 120, 20))
        await anna.sees("Live")
        await anna.page.locator(".mk-body").first.wait_for(state="attached")
        await anna.unblemished()


async def test_a_cancellation_is_said_aloud_and_closes_the_map(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(live(visit))
        await anna.sees("Live")
        await town.cancel(visit, "It works again.")
        await anna.sees("This visit is canceled")
        assert await anna.page.locator("#alert").inner_text() == "This visit has been canceled."
        assert await van_at(anna.page) is None
        assert "“It works again.”" in await anna.panel()
        await anna.unblemished()


async def test_a_lost_connection_is_told_as_our_own_and_resumed_where_it_was(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        sockets: list[WebSocketRoute] = []
        watched: list[dict[str, Any]] = []
        blocked = False

        def between(socket: WebSocketRoute) -> None:
            sockets.append(socket)
            if blocked:
                return  # it opens, and nobody answers
            server = socket.connect_to_server()

            def up(message: str | bytes) -> None:
                said = json.loads(message)
                if said["type"] == "watch":
                    watched.append(said)
                server.send(message)

            socket.on_message(up)

        await anna.page.route_web_socket("**/ws/live", between)
        await anna.page.route("**/api/v1/**", lambda route: route.abort())
        await anna.open(live(visit))
        await anna.sees("Live")
        await until(lambda: bool(watched))
        await anna.page.wait_for_selector(".mk-body", state="attached")
        await town.ping(moved(START, 120, 100))
        blocked = True
        await sockets[-1].close()
        await anna.sees("Reconnecting. What you see is from")
        assert "Not updating" in await anna.panel()
        assert "Stale" not in await anna.panel()
        assert "Lost" not in await anna.panel()
        blocked = False
        await sockets[-1].close()
        await anna.sees("Up to date again.")
        await anna.sees("Live · ")
        assert "epoch" not in watched[0]
        assert watched[-1]["epoch"]
        assert watched[-1]["offset"] >= 1


async def test_a_device_without_network_is_told_within_seconds_and_when_it_is_back(chromium: Browser, town: Town) -> None:
    """The socket does not notice, and beats are up to 20 s apart: the device's own word counts, and the silence after it."""
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(live(visit))
        await anna.sees("Live · ")
        await anna.page.wait_for_selector(".mk-body", state="attached")
        bar = anna.page.locator("#connbar")
        assert await bar.is_hidden()
        gone = time.monotonic()
        await anna.page.context.set_offline(True)
        await anna.sees("Reconnecting. What you see is from", 20)
        assert time.monotonic() - gone > 4  # a blink is nothing to speak of
        assert "Not updating" in await anna.panel()
        await anna.page.context.set_offline(False)
        await town.ping(moved(START, 120, 100))
        await anna.sees("Up to date again.")
        await bar.wait_for(state="hidden", timeout=30_000)
        await anna.sees("Live · ")


async def test_staff_are_spoken_to_as_staff_and_technicians_see_what_their_customer_sees(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.dispatcher) as desk:
        await desk.open(live(visit))
        await desk.sees("Live · ")
        await desk.page.wait_for_selector(".mk-body", state="attached")
        await desk.page.wait_for_timeout(1_500)  # until the script tells it anew, too
        panel = await desk.panel()
        assert "stops sharing with the customer on arrival" in panel
        assert " you" not in panel.replace("what you see here", "").lower().replace("your look is written down", "")
        assert "Help" not in await desk.page.locator("header").inner_text()
        await desk.unblemished()
    async with visiting(chromium, town, town.world.technician) as maya:
        await maya.open(live(visit))
        await maya.sees("This is the page as your customer sees it.")
        assert "You can see the van only while Maya travels to you." in await maya.panel()


async def test_a_low_battery_is_named_when_the_position_grows_old(chromium: Browser, town: Town) -> None:
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await store_way(town, visit)
    await town.ping(START, reason="battery")
    async with visiting(chromium, town, town.world.customer) as anna:
        later = await in_slow_motion(anna, town, live(visit))
        await anna.page.wait_for_selector(".mk-body", state="attached")
        assert "low on battery" not in await anna.panel()
        told = await anna.page.evaluate(f"fetch('/api/v1/appointments/{visit}/live').then(a => a.json()).then(s => s.reason)")
        assert told == "battery"
        await later(80)
        await anna.sees("Stale")
        assert "Maya’s phone is low on battery. The visit is going ahead." in await anna.panel()
        await anna.unblemished()


async def test_without_sockets_the_page_polls(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.page.route_web_socket("**/ws/live", _refused)
        await anna.open(live(visit))
        async with asyncio.timeout(30):
            async with anna.page.expect_response("**/api/v1/appointments/*/live", timeout=30_000) as answer:
                pass
            assert (await answer.value).status == 200
        await anna.page.wait_for_selector(".mk-body", state="attached")
        await town.step(visit, Step.ARRIVE)
        await anna.sees("Maya is working. Likely done around")
        assert await van_at(anna.page) is None


async def _refused(socket: WebSocketRoute) -> None:
    await socket.close(code=1011)


async def test_ending_the_session_elsewhere_closes_the_page(chromium: Browser, town: Town) -> None:
    from tracker.actions.people import accounts
    from tracker.domain.accounts import Actor
    from tracker.domain.appointments import Role

    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(live(visit))
        await anna.sees("Live")
        someone = Actor(Role.CUSTOMER, town.world.customer.id, "Anna", session="another")
        await accounts.end_other_sessions(town.house, someone)
        await anna.page.wait_for_url(lambda url: "/sign-in?next=/appointments/" in url, timeout=30_000)
        assert await anna.page.locator("#status").count() == 0


async def test_every_gesture_has_a_button_and_the_camera_follows_until_it_is_moved(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(live(visit))
        await anna.sees("Live")
        await anna.page.wait_for_selector(".mk-body", state="attached")
        fitted: float = await anna.page.evaluate("window.map_tracker.getZoom()")
        await anna.page.get_by_role("button", name="Zoom in").click()
        await until_async(anna.page, "(z) => window.map_tracker.getZoom() >= z + 0.9", fitted)
        await town.ping(moved(START, 120, 100))
        await asyncio.sleep(1.5)
        assert await anna.page.evaluate("window.map_tracker.getZoom()") >= fitted + 0.9  # moved by hand: it stays
        await anna.page.get_by_role("button", name="Show technician and address").click()
        in_view = (
            "() => { const b = document.querySelector('.mk-body').getBoundingClientRect(); return b.x > 440 && b.right < 1280; }"
        )
        await until_async(anna.page, in_view)
        await until_async(anna.page, "(z) => window.map_tracker.getZoom() <= z + 0.6", fitted)
        await anna.unblemished()


async def test_the_page_tells_everything_without_script(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer, java_script_enabled=False) as anna:
        await anna.open(live(visit))
        panel = await anna.panel()
        assert "Maya arrives between" in panel
        assert "Without the map: Maya is" in panel
        await town.step(visit, Step.ARRIVE)
        await anna.page.get_by_role("link", name="Refresh").click()
        assert "Maya is working. Likely done around" in await anna.panel()


async def test_a_map_that_does_not_load_takes_nothing_else_away(chromium: Browser, town: Town) -> None:
    visit = await traveling(town)
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.page.route("**/static/leaflet/**", lambda route: route.abort())
        await anna.open(live(visit))
        await anna.sees("Live")
        await town.ping(moved(START, 120, 300))
        await town.step(visit, Step.ARRIVE)
        await anna.sees("Maya is working. Likely done around")
        assert await anna.page.locator(".map__plain").is_visible()
