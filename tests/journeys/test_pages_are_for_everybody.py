"""Every page under axe-core, at phone and desktop size, light and dark, at 320 px and from right to left; and by keyboard."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from portal_web.assets import portal_assets
from portal_web.live_page import page_context
from portal_web.pages import Pages
from tests.journeys.visitors import DESKTOP, PHONE, Visitor, visiting
from tests.map.server import serving
from tests.portal_web.living import START, Town
from tests.portal_web.scenes import NOW, SCENES, SITE
from tracker.domain.appointments import Step
from tracker.web.tiles import CREDIT, CREDIT_URL

pytestmark = pytest.mark.journey

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"

LOOKS: list[dict[str, Any]] = [
    {"viewport": PHONE, "color_scheme": "light"},
    {"viewport": DESKTOP, "color_scheme": "dark"},
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark", "reduced_motion": "reduce"},
]


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    """The scenes of the design as pages that nobody speaks to: what the server paints first."""
    assets = portal_assets()
    pages = Pages(assets)
    no_map = {"kind": "none", "credit": CREDIT, "credit_url": CREDIT_URL}

    async def scene(request: Request) -> HTMLResponse:
        visit, trip = SCENES[request.path_params["scene"]]
        context = page_context(visit, trip, NOW, SITE, assets.url("img/icons.svg"))
        return HTMLResponse(
            pages.text("live/page.html", site=SITE, demo=False, signed_in=True, basemap=no_map, **context),
            headers={"Content-Security-Policy": POLICY},
        )

    with serving(Starlette(routes=[Route("/{scene}", scene), assets.route()])) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def tab(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    context = await chromium.new_context(**request.param)
    page = await context.new_page()
    await page.route_web_socket("**/ws/live", lambda socket: None)  # it opens, and nobody speaks
    yield page
    await context.close()


@pytest.mark.parametrize("tab", LOOKS, indirect=True, ids=["phone", "desktop-dark", "narrow"])
async def test_every_state_of_a_visit_is_accessible(tab: Page, gallery: str) -> None:
    visitor = Visitor(tab, gallery)
    for scene in SCENES:
        await visitor.open(f"/{scene}")
        await tab.wait_for_load_state("networkidle")
        await visitor.accessible()
    await visitor.open("/traveling")
    for width, height in ((820, 1180), (1180, 820)):  # a tablet, upright and on its side
        await tab.set_viewport_size({"width": width, "height": height})
        assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_from_right_to_left_nothing_is_cut_and_times_stay_in_order(chromium: Browser, gallery: str) -> None:
    context = await chromium.new_context(viewport=PHONE)
    page = await context.new_page()
    await page.route_web_socket("**/ws/live", lambda socket: None)
    for scene in ("traveling", "stale", "lost", "completed"):
        await page.goto(f"{gallery}/{scene}")
        await page.evaluate("document.documentElement.dir = 'rtl'")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if scene in {"traveling", "stale"}:
            first, last = await page.evaluate(
                "[...document.querySelectorAll('[data-range] time')].map((time) => time.getBoundingClientRect().x)"
            )
            assert first < last
    await context.close()


@pytest.mark.parametrize("look", LOOKS, ids=["phone", "desktop-dark", "narrow"])
async def test_every_other_page_is_accessible_and_says_nothing_in_the_console(
    chromium: Browser, town: Town, look: dict[str, Any]
) -> None:
    world = town.world
    visit, _ = await town.appointment(), await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    pages = [
        ("/sign-in", None),
        ("/", world.customer),
        ("/past", world.customer),
        ("/", world.stranger),
        ("/sessions", world.customer),
        ("/", world.technician),
        ("/", world.colleague),
        ("/", world.dispatcher),
        (f"/appointments/{visit}/live", world.customer),
    ]
    async with visiting(chromium, town, **look) as visitor:  # a browser of its own for each page took twice the time
        for path, person in pages:
            await visitor.become(town, person)
            await visitor.open(path)
            await visitor.page.wait_for_timeout(300)
            await visitor.accessible()
            await visitor.unblemished()
        await visitor.become(town, world.customer)
        for path in ("/appointments/0000000000000000/live", "/nowhere"):
            await visitor.open(path)
            await visitor.accessible()


async def test_the_keyboard_reaches_everything_in_order(chromium: Browser, town: Town) -> None:
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    async with visiting(chromium, town, town.world.customer, viewport=DESKTOP) as anna:
        await anna.open(f"/appointments/{visit}/live")
        await anna.page.wait_for_selector("[data-map-ui]:not([hidden])")
        reached = []
        for _ in range(8):
            await anna.page.keyboard.press("Tab")
            script = (
                "(() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.textContent.trim(); })()"
            )
            reached.append(await anna.page.evaluate(script))
        assert reached[0] == "Skip the map, go to arrival status"
        assert [each for each in reached if each in {"Zoom in", "Zoom out", "Show technician and address"}] == [
            "Zoom in",
            "Zoom out",
            "Show technician and address",
        ]
        await anna.page.keyboard.press("Home")
        await anna.page.get_by_text("Skip the map, go to arrival status").focus()
        await anna.page.keyboard.press("Enter")
        assert await anna.page.evaluate("document.activeElement.id") == "status"


async def test_signing_in_by_keyboard_alone(chromium: Browser, town: Town) -> None:
    from tests.portal_web.living import PASSWORD, give_password

    await give_password(town, town.world.customer)
    async with visiting(chromium, town) as anna:
        await anna.open("/")
        await anna.page.get_by_label("E-mail").fill("anna@example.org")
        await anna.page.keyboard.press("Tab")
        await anna.page.keyboard.type(PASSWORD[:-1])
        await anna.page.keyboard.press("Enter")
        await anna.sees("E-mail or password is not right.")
        assert await anna.page.evaluate("document.activeElement.classList.contains('errsum')")
        await anna.page.get_by_role("textbox", name="Password").fill(PASSWORD)
        await anna.page.get_by_role("button", name="Show").click()
        assert await anna.page.locator("#p").get_attribute("type") == "text"
        await anna.page.keyboard.press("Tab")
        await anna.page.get_by_role("button", name="Sign in").press("Enter")
        await anna.sees("Hello, ")
        assert await anna.violations() == []
        assert anna.foreign() == []
