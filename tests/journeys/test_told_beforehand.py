"""A delay before anybody has set off, and arriving: the open page follows both without reload, and says them (E5, T5, M6)."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser

from tests.journeys.visitors import PHONE, visiting
from tests.portal_web.living import Town
from tests.world import PLACE
from tracker.actions.trip.delays import look_once
from tracker.domain.appointments import Step
from tracker.domain.geo import moved
from tracker.live.control import Ask
from tracker.records import legs

pytestmark = pytest.mark.journey


async def test_the_page_says_a_delay_and_that_she_is_at_the_door(chromium: Browser, town: Town) -> None:
    now = town.house.clock()
    first = await town.appointment(arrival_at=now - timedelta(minutes=40))
    visit = await town.appointment(arrival_at=now + timedelta(minutes=40))
    page = f"/appointments/{visit}/live"
    async with (
        visiting(chromium, town, town.world.customer, viewport=PHONE) as anna,
        visiting(chromium, town, town.world.customer, java_script_enabled=False) as scriptless,
    ):
        await anna.open(page)
        await anna.sees("Technician arrives")
        await town.step(first, Step.ARRIVE)
        assert await look_once(town.house) == 1
        await anna.sees("Maya is running later than booked.")
        await anna.fine(scripted=True)
        for path, words in ((page, "Technician now arrives"), ("/", "Running late, arrives")):
            await scriptless.open(path)
            await scriptless.sees(words)
        await town.step(first, Step.COMPLETE)
        assert await look_once(town.house) == 0
        await anna.page.get_by_text("running later").wait_for(state="detached")  # it is on time again
        await town.step(visit, Step.START_TRAVEL)
        await anna.sees("has set off")
        await town.ping(moved(PLACE, 300, 1_500))
        await anna.sees("Live · ")
        async with town.house.db.transaction() as tx:
            leg = await legs.open_of(tx, town.world.maya)
            assert leg
            assert await legs.notice(tx, leg.id, now)
        await town.house.control.tell(Ask.LOOK_AGAIN, visit)
        await anna.sees("Maya is arriving")
        await anna.sees("Maya has reached your address.")
        assert await anna.page.locator("#announce").inner_text() == "Maya is arriving."
        await anna.fine(scripted=True)
        await scriptless.open(page)
        await scriptless.sees("Maya has reached your address.")
