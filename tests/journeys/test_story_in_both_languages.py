"""The story is told in Python (first paint) and in JavaScript (from then on): the same facts must give the same words."""

import json
import random
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from portal_web.assets import portal_assets
from portal_web.story import tell
from portal_web.trip import Arrival, Seen, Trip
from tests.map.server import serving
from tests.portal_web.scenes import NOW, SCENES

ZONES = ("Europe/Helsinki", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland", "UTC", "Asia/Kathmandu")
PYTHON_TO_JS = {
    "map_note": "mapNote",
    "map_label": "mapLabel",
    "band_x": "bandX",
    "band_width": "bandWidth",
    "paused_since": "pausedSince",
    "distance_m": "distance",
    "fix_at": "fix",
    "contact_at": "contact",
    "interval_s": "interval",
    "for_staff": "forStaff",
}


def plain(value: Any) -> Any:
    """Dataclasses as the script has them: its names, instants in milliseconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {PYTHON_TO_JS.get(f.name, f.name): plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return list(value) if isinstance(value, tuple) else value


def random_trip(dice: random.Random) -> tuple[Trip, datetime]:
    """Any facts at all: ages from the future to hours, bookings far off, ranges of no width and behind us."""
    now = datetime(2026, dice.choice((1, 3, 6, 10, 11)), dice.randint(1, 28), tzinfo=UTC) + timedelta(
        milliseconds=dice.randrange(86_400_000)
    )

    def near(least_s: int, most_s: int) -> datetime:
        return now + timedelta(milliseconds=dice.randint(least_s * 1000, most_s * 1000))

    fix = near(-dice.choice((10, 70, 400, 8000)), 2)
    contact = max(fix, near(-dice.choice((5, 60, 400)), 1)) if dice.random() < 0.5 else fix
    low = near(-1800, dice.choice((600, 3600, 9000)))
    seen = Seen(fix, contact, dice.choice((None, 0.0, 4.4, 45.0, 612.5)), dice.choice((1, 5, 15, 60, 300)))
    eta = Arrival(low, low + timedelta(seconds=dice.choice((0, 30, 400, 3000))), dice.choice(("road", "distance", "booked")))
    trip = Trip(
        name=dice.choice(("Aino", "Your technician", "Żaneta")),
        zone=dice.choice(ZONES),
        booked=near(-7200, 7200).replace(microsecond=0),
        planned=near(-3600, 3600),
        paused_since=near(-600, 0) if dice.random() < 0.15 else None,
        seen=seen if dice.random() < 0.85 else None,
        eta=eta if dice.random() < 0.9 else None,
        street=dice.choice((None, "Kaivokatu", "Rue de l’Église")),
        distance_m=dice.choice((None, 12.0, 49.9, 50.0, 74.9, 949.9, 950.0, 1049.0, 9_949.0, 9_950.0, 123_456.0)),
        reason=dice.choice((None, "connection", "battery", "location", "unheard of")),
        closed=dice.random() < 0.3,
        for_staff=dice.random() < 0.3,
        arriving=dice.random() < 0.2,
        tracked=dice.random() > 0.1,
    )
    return trip, now


def cases() -> list[tuple[Trip, datetime]]:
    dice = random.Random(20261124)
    drawn = [(trip, NOW) for _, trip in SCENES.values() if trip]
    return drawn + [random_trip(dice) for _ in range(3000)]


@pytest.mark.journey
async def test_every_word_and_every_percentage_is_the_same(chromium: Browser) -> None:
    assets = portal_assets()

    async def page(_request: Any) -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>empty</title>")

    told = [(trip, now, tell(trip, now)) for trip, now in cases()]
    assert len({story.level for _, _, story in told}) == 7  # every level was drawn
    with serving(Starlette(routes=[Route("/", page), assets.route()])) as url:
        tab = await chromium.new_page()
        await tab.goto(url)
        script = "async ([module, cases]) => { const { tell } = await import(module); return cases.map(([t, n]) => tell(t, n)); }"
        facts = [[plain(trip), plain(now)] for trip, now, _ in told]
        answers = await tab.evaluate(script, [url + assets.url("js/story.js"), facts])
        await tab.close()
    for (trip, now, story), answer in zip(told, answers, strict=True):
        assert json.loads(json.dumps(plain(story))) == answer, (trip, now)
