"""Setting the address in a real browser: the pin follows the choice, and a press on the map sets it."""

import pytest
from playwright.async_api import Browser

from tests.journeys.visitors import PHONE, visiting
from tests.portal_web.living import Town
from tracker.records import customers

pytestmark = pytest.mark.journey


async def test_a_pin_is_set_by_pressing_the_map(chromium: Browser, town: Town) -> None:
    async with visiting(chromium, town, town.world.stranger, viewport=PHONE) as eve:
        page = eve.page
        await eve.open(f"/accounts/{town.world.other_account}/address")
        await page.wait_for_selector("#map_tracker.leaflet-container")
        await eve.accessible()
        await page.locator("#map_tracker").click(position={"x": 100, "y": 90})
        await page.wait_for_selector(".mk-pin")
        assert float(await page.input_value("#la"))
        await page.fill("#a", "Mökki, Sipoo")
        await page.get_by_role("button", name="This is the address").click()
        await eve.sees("The address is saved.")
        await eve.accessible()
        await eve.unblemished()
    async with town.house.db.reading() as tx:
        kept = await customers.account(tx, town.world.other_account)
    assert kept
    assert (kept.address, bool(kept.zone)) == ("Mökki, Sipoo", True)
