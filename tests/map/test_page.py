"""The street map in a real browser, under the product's own Content-Security-Policy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.map.server import app, serving

pytestmark = pytest.mark.journey

expect.set_options(timeout=30_000)

MIDDLE = "lat=50.0095&lon=10.0145"
LIGHT = {
    "land": "#F2EFE9",
    "water": "#B7DBEA",
    "park": "#D6E8CA",
    "building": "#E4DED4",
    "road": "#FFFFFF",
    "road-major": "#FFF5DC",
}
DARK = {
    "land": "#12161C",
    "water": "#0D2733",
    "park": "#14241B",
    "building": "#1B2129",
    "road": "#2C343F",
    "road-major": "#3A4350",
}

COLOURS_DRAWN = """() => {
  const seen = {};
  for (const canvas of document.querySelectorAll("canvas.leaflet-tile")) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) {
      const name = "#" + [0, 1, 2].map((k) => data[i + k].toString(16).padStart(2, "0")).join("").toUpperCase();
      seen[name] = (seen[name] || 0) + 1;
    }
  }
  return seen;
}"""
NAMES_SHOWN = "() => window.opened.basemap._names.labels.map((label) => label.text)"
INK_OF_NAMES = """() => {
  const canvas = document.querySelector("canvas.basemap-names");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let ink = 0;
  for (let i = 3; i < data.length; i += 4) ink += data[i] > 200;
  return ink;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(town_roads: Path) -> Iterator[str]:
    with serving(app(town_roads)) as url:
        yield url


class Visit:
    """An open page with what it asked for and what it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str, query: str) -> None:
        self.page.goto(f"{address}/?{query}")
        expect(self.page.locator("html[data-settled]")).to_be_attached()

    @property
    def tiles(self) -> list[str]:
        return [url for url in self.asked if "/tiles/" in url]


@contextmanager
def _visit(browser: Browser, width: int = 800, height: int = 600, scale: float = 1) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
    yield Visit(page)
    page.close()


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
@pytest.mark.parametrize("zoom", [13, 15.25, 16, 18])
def test_everything_is_drawn_in_the_colours_of_the_theme(
    browser: Browser, address: str, theme: str, colours: dict[str, str], zoom: float
) -> None:
    with _visit(browser) as visit:
        visit.open(address, f"{MIDDLE}&z={zoom}&theme={theme}")
        seen = visit.page.evaluate(COLOURS_DRAWN)
        expected = set(colours) if zoom in (15.25, 16) else {"land", "road-major"}
        missing = {name for name in expected if seen.get(colours[name], 0) < 50}
        assert not missing
        assert visit.page.evaluate(INK_OF_NAMES) > 100
        assert visit.complaints == []
        assert all(url.startswith(address) for url in visit.asked)


def test_a_change_of_theme_draws_anew_without_asking_again(browser: Browser, address: str) -> None:
    with _visit(browser) as visit:
        visit.open(address, f"{MIDDLE}&z=16&theme=light")
        asked = len(visit.tiles)
        visit.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        visit.page.wait_for_timeout(0)  # the observer's turn
        seen = visit.page.evaluate(COLOURS_DRAWN)
        assert seen.get(DARK["land"], 0) > 1000
        assert LIGHT["land"] not in seen
        assert len(visit.tiles) == asked


def test_a_sharp_screen_gets_sharp_tiles(browser: Browser, address: str) -> None:
    with _visit(browser, 390, 500, scale=2) as visit:
        visit.open(address, f"{MIDDLE}&z=16&theme=light")
        sizes = visit.page.eval_on_selector_all("canvas.leaflet-tile", "all => all.map((c) => [c.width, c.clientWidth])")
        assert set(map(tuple, sizes)) == {(1024, 512)}


def test_beyond_the_last_stored_zoom_nothing_deeper_is_asked_for(browser: Browser, address: str) -> None:
    with _visit(browser) as visit:
        visit.open(address, f"{MIDDLE}&z=18&theme=light")
        assert {re.search(r"/tiles/\w+/(\d+)/", url)[1] for url in visit.tiles} == {"15"}  # type: ignore[index]
        assert len(set(visit.tiles)) == len(visit.tiles)  # many drawn tiles, one request for each stored one


def test_names_are_shown_and_none_lies_on_another(browser: Browser, address: str) -> None:
    with _visit(browser) as visit:
        visit.open(address, f"{MIDDLE}&z=15.5&theme=light")
        shown = visit.page.evaluate(NAMES_SHOWN)
        assert {"Große Straße", "Rue de l'Église"} <= set(shown)
        gaps = visit.page.evaluate("""() => {
          const labels = window.opened.basemap._names.labels;
          const gaps = [];
          labels.forEach((a, i) => labels.slice(i + 1).forEach((b) => a.boxes.forEach(([x, y, r]) =>
            b.boxes.forEach(([u, v, s]) => gaps.push(Math.hypot(x - u, y - v) - r - s)))));
          return Math.min(...gaps, 99);
        }""")
        assert gaps >= 1


def test_names_stand_beside_a_route_that_is_drawn_along_their_street(browser: Browser, address: str) -> None:
    off_the_street = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
      const { map, basemap } = window.opened;
      const top = document.querySelector("canvas.basemap-names").getBoundingClientRect().top;
      const street = map.latLngToContainerPoint([50.01, 10.0145]).y;
      const named = basemap._names.labels.filter((label) => label.text === "Große Straße");
      done(named.map((label) => Math.abs(top + label.y - street)));
    })))"""
    with _visit(browser) as visit:
        visit.open(address, f"{MIDDLE}&z=16&theme=light")
        assert all(distance < 1.5 for distance in visit.page.evaluate(off_the_street))
        visit.page.evaluate("window.opened.map.fire('way', { points: [[50.01, 10.0], [50.01, 10.03]] })")
        moved = visit.page.evaluate(off_the_street)
        assert moved
        assert all(11 < distance < 25 for distance in moved)
        visit.page.evaluate("window.opened.map.fire('way', { points: null })")
        assert all(distance < 1.5 for distance in visit.page.evaluate(off_the_street))


def test_the_credit_is_in_sight_and_leads_to_the_licence(browser: Browser, address: str) -> None:
    with _visit(browser, 320, 480) as visit:
        visit.open(address, f"{MIDDLE}&z=16&theme=light")
        credit = visit.page.locator(".map__attr")
        expect(credit).to_have_text("© OpenStreetMap contributors")
        expect(credit).to_be_in_viewport(ratio=1)
        expect(credit.locator("a")).to_have_attribute("href", "https://www.openstreetmap.org/copyright")
        on_top = credit.locator("a").evaluate("""(a) => {
          const { x, y, width, height } = a.getBoundingClientRect();
          return document.elementFromPoint(x + width / 2, y + height / 2) === a;
        }""")
        assert on_top


def test_a_tile_that_fails_is_asked_for_again(browser: Browser, address: str) -> None:
    with _visit(browser) as visit:
        failed: list[str] = []

        def fail_once(route: Route) -> None:
            if route.request.url in failed:
                route.continue_()
            else:
                failed.append(route.request.url)
                route.abort()

        visit.page.route("**/tiles/**", fail_once)
        visit.open(address, f"{MIDDLE}&z=16&theme=light")
        expect(visit.page.locator("canvas.leaflet-tile").first).to_be_attached()
        with visit.page.expect_response(lambda answer: "/tiles/" in answer.url and answer.ok):
            pass
        visit.page.wait_for_load_state("networkidle")
        assert failed
        assert visit.page.evaluate(COLOURS_DRAWN).get(LIGHT["road-major"], 0) > 50


def test_zooming_and_moving_keep_names_on_their_streets(browser: Browser, address: str) -> None:
    with _visit(browser) as visit:
        visit.open(address, f"{MIDDLE}&z=15&theme=light")
        visit.page.evaluate("window.opened.map.setView([50.0105, 10.0165], 14.25, { animate: false })")
        expect(visit.page.locator(".leaflet-tile-loaded").first).to_be_attached()
        visit.page.wait_for_load_state("networkidle")
        moved = visit.page.evaluate("""() => new Promise((done) => requestAnimationFrame(() => {
            const { map, basemap } = window.opened;
            const canvas = document.querySelector("canvas.basemap-names").getBoundingClientRect();
            const town = basemap._names.labels.find((label) => label.text === "Musterstadt");
            const place = map.latLngToContainerPoint([50.009, 10.014]);
            done(town && [canvas.left + town.x - place.x, canvas.top + town.y - place.y]);
          }))""")
        assert moved == pytest.approx([0, 0], abs=1.0)


def test_an_external_server_s_pictures_are_shown_instead(browser: Browser, town_roads: Path) -> None:
    external = app(town_roads, "/pictures/{z}/{x}/{y}.png")
    with serving(external) as url, _visit(browser) as visit:
        visit.open(url, f"{MIDDLE}&z=16&theme=light")
        pictures = [asked for asked in visit.asked if "/pictures/16/" in asked]
        assert len(pictures) >= 4
        assert visit.tiles == []
        assert visit.complaints == []
        expect(visit.page.locator(".map__attr")).to_be_visible()


def test_without_a_map_the_ground_is_plain_and_nothing_breaks(browser: Browser, tmp_path: Path) -> None:
    with serving(app(tmp_path)) as url, _visit(browser) as visit:
        visit.page.goto(f"{url}/?{MIDDLE}&z=16&theme=light")
        expect(visit.page.locator(".map__attr")).to_be_visible()
        assert visit.page.locator("canvas").count() == 0
        background = visit.page.locator("#map_tracker").evaluate("(map) => getComputedStyle(map).backgroundColor")
        assert background == "rgb(242, 239, 233)"
